"""Which customers are to be looked at without an event, because time alone changes what is said of them.

Rules: when a customer is due stands in its state, and nowhere else; here only its key waits, in the hour of a deadline
or, once that hour has begun, in its second. A key that comes up is put off until its customer is due, so one that waits
too early, or twice, does no harm, and a deadline that was moved back need not be found. After a recovery all of them
are there again without decoding a state: a state's header has its deadline.
"""

from collections.abc import Callable, Iterable, Mapping
from heapq import heappop, heappush

from detectors.customer import HOUR_S, NEVER, read_header


class Deadlines:
    """Customers by when they are due.

    >>> due = {b"a": 50, b"b": 70}
    >>> queue = Deadlines(due.items())
    >>> queue.pop(60, due.__getitem__)
    {b'a'}
    >>> due[b"b"] = 90
    >>> queue.pop(80, due.__getitem__), queue.pop(90, due.__getitem__)
    (set(), {b'b'})
    """

    __slots__ = ("_begun_s", "_hours", "_next", "_seconds")

    def __init__(self, due: Iterable[tuple[bytes, int]]) -> None:
        self._hours: dict[int, set[bytes]] = {}
        self._seconds: dict[int, set[bytes]] = {}  # of the hours that have begun
        self._next: list[int] = []  # these seconds, as a heap
        self._begun_s = 0  # up to here hours have begun
        for key, due_s in due:
            self._wait(key, due_s)

    def move(self, key: bytes, before_s: int, due_s: int, now_s: int) -> None:
        """A customer that was due at `before_s` is due then: only a sooner deadline, or one after a look, is news."""
        if due_s < before_s or before_s <= now_s:
            self._wait(key, due_s)

    def pop(self, now_s: int, due_of: Callable[[bytes], int]) -> set[bytes]:
        """Customers that are due by now; `due_of` says when a customer is due. Time does not go back."""
        if now_s >= self._begun_s:
            self._begun_s = (now_s // HOUR_S + 1) * HOUR_S
            for hour in [hour for hour in self._hours if hour * HOUR_S < self._begun_s]:
                for key in self._hours.pop(hour):
                    self._wait(key, due_of(key))
        due: set[bytes] = set()
        while self._next and self._next[0] <= now_s:
            for key in self._seconds.pop(heappop(self._next)):
                due_s = due_of(key)
                if due_s <= now_s:
                    due.add(key)
                else:
                    self._wait(key, due_s)
        return due

    def _wait(self, key: bytes, due_s: int) -> None:
        if due_s >= self._begun_s:
            if due_s < NEVER:
                self._hours.setdefault(due_s // HOUR_S, set()).add(key)
            return
        keys = self._seconds.get(due_s)
        if keys is None:
            heappush(self._next, due_s)
            keys = self._seconds[due_s] = set()
        keys.add(key)


def waiting_and_due(states: Mapping[bytes, bytes]) -> tuple[set[bytes], list[tuple[bytes, int]]]:
    """Who of some states waits for an assessment, and when each is due: what their headers say."""
    waiting, dues = set(), []
    for key, state in states.items():
        _, due_s, waits = read_header(state)
        if waits:
            waiting.add(key)
        dues.append((key, due_s))
    return waiting, dues
