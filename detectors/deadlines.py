"""Which customers are to be looked at without an event, because time alone changes what is said of them.

Rules: a customer has one live entry, and a later deadline waits behind the sooner one; the deadlines of a state stand
in its header, so all of them are there again after a recovery without decoding a state.
"""

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush

from detectors.customer import NEVER


class Deadlines:
    """Customers by the second at which they are due.

    >>> queue = Deadlines([(b"a", 50), (b"b", NEVER)])
    >>> queue.add(b"b", 70)
    >>> queue.pop(60, lambda key: 50), queue.pop(60, lambda key: 70)
    ({b'a'}, set())
    """

    def __init__(self, due: Iterable[tuple[bytes, int]]) -> None:
        self._queued = {key: due_s for key, due_s in due if due_s < NEVER}
        self._heap = [(due_s, key) for key, due_s in self._queued.items()]
        heapify(self._heap)

    def add(self, key: bytes, due_s: int) -> None:
        """Wake a customer then."""
        if due_s < self._queued.get(key, NEVER):
            self._queued[key] = due_s
            heappush(self._heap, (due_s, key))

    def drop(self, key: bytes) -> None:
        """Wake a customer no more."""
        self._queued.pop(key, None)

    def pop(self, now_s: int, due_of: Callable[[bytes], int]) -> set[bytes]:
        """Customers that are due by now; `due_of` says until when an entry that has come up is put off."""
        due, heap, queued = set(), self._heap, self._queued
        while heap and heap[0][0] <= now_s:
            entry_s, key = heappop(heap)
            if queued.get(key) != entry_s:
                continue  # a sooner deadline replaced it
            del queued[key]
            due_s = due_of(key)
            if due_s <= now_s:
                due.add(key)
            else:
                self.add(key, due_s)
        return due
