"""The order of history: events of many partitions become one order by time, with ticks between them.

Rules: an event waits until every partition that is not idle has passed its time, then goes out in order of (time,
source, id); tick T goes out after the events up to T and before later ones; an event that comes too late goes out at
once. Nothing here knows the clock or Kafka.

What was done is kept beside the committed offset of each partition as `Mark`: the offset is that of the oldest event
still waiting, and the mark says that of what was read (up to `read_to`) everything before `bound_us` has gone out, and
which was the newest of it (`sent_us`). So a restart reads again, and drops, exactly what it did before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Hashable, Iterator
from heapq import heappop, heappush
from typing import Final, Generic, NamedTuple, TypeVar

US: Final = 1_000_000
NEVER_US: Final = -(2**62)
GAP_S: Final = 400 * 86_400  # a longer gap without events is ticked so far, and then once at its end

Source = TypeVar("Source", bound=Hashable)


class Mark(NamedTuple):
    """How far a partition was read, and up to which event time (exclusive, in µs) events went out.

    >>> Mark.parse(Mark(12, 5_000_000, 4_000_000).text())
    Mark(read_to=12, bound_us=5000000, sent_us=4000000)
    >>> Mark.parse("something else") == Mark.parse("12") == Mark()
    True
    """

    read_to: int = 0
    bound_us: int = NEVER_US
    sent_us: int = NEVER_US

    def text(self) -> str:
        """As it stands in the metadata of a committed offset."""
        return f"{self.read_to},{self.bound_us},{self.sent_us}"

    @classmethod
    def parse(cls, text: str) -> Mark:
        """The mark in the metadata of a committed offset; a blank one if there is none."""
        try:
            read_to, bound_us, *more = text.split(",")
            return cls(int(read_to), int(bound_us), *map(int, more[:1]))
        except ValueError:
            return cls()


class Waiting(NamedTuple):
    """An event that waits for its turn; compared in the order in which it goes out."""

    time_us: int
    source: str
    event_id: str
    number: int  # order of arrival, so that nothing after it is compared
    origin: object
    offset: int
    key: bytes
    partition: int
    value: bytes


class _Partition:
    """What one source partition has waiting, in order of its offsets."""

    def __init__(self, start: int, mark: Mark) -> None:
        self.mark = mark
        self.newest_us = NEVER_US
        self.sent_us = mark.sent_us
        self.end = start
        self._waiting: deque[int] = deque()
        self._gone: set[int] = set()

    def waits(self, offset: int) -> None:
        self._waiting.append(offset)

    def goes(self, offset: int, time_us: int) -> None:
        self._gone.add(offset)
        self.sent_us = max(self.sent_us, time_us)

    def oldest(self) -> int | None:
        """The offset of the oldest event still waiting."""
        while self._waiting and self._waiting[0] in self._gone:
            self._gone.discard(self._waiting.popleft())
        return self._waiting[0] if self._waiting else None


class EventOrder(Generic[Source]):
    """Events wait here for their turn.

    >>> order = EventOrder(tick_s=60)
    >>> for name in "ab": order.own(name, 0, Mark())
    >>> order.hold("a", 0, 90 * US, "/s", "1", b"c", 0, b"first")
    >>> list(order.release(set()))  # b has not passed it
    []
    >>> order.hold("b", 0, 130 * US, "/s", "2", b"c", 0, b"second")
    >>> order.hold("a", 1, 125 * US, "/s", "3", b"c", 0, b"between")
    >>> [event.value if isinstance(event, Waiting) else event for event in order.release(set())]
    [b'first', 120]
    """

    def __init__(self, tick_s: int) -> None:
        self.tick_us = tick_s * US
        self.bound_us = NEVER_US  # everything read with a time below has gone out, and so has every tick
        self._partitions: dict[Source, _Partition] = {}
        self._heap: list[Waiting] = []
        self._arrived = 0

    def __len__(self) -> int:
        return len(self._heap)

    def own(self, source: Source, start: int, mark: Mark) -> None:
        """Begin with a partition at its committed offset, with the mark that stood beside it."""
        self._partitions[source] = _Partition(start, mark)
        self.bound_us = max(self.bound_us, mark.bound_us)

    def knows(self, source: Source, offset: int) -> bool:
        """Whether a refused record went out as a dead letter before a restart."""
        return offset < self._partitions[source].mark.read_to

    def hold(
        self,
        source: Source,
        offset: int,
        time_us: int,
        event_source: str,
        event_id: str,
        key: bytes,
        number: int,
        value: bytes,
    ) -> None:
        """Let an event wait; one that went out before a restart is dropped."""
        partition = self._partitions[source]
        partition.newest_us = max(partition.newest_us, time_us)
        if offset < partition.mark.read_to and time_us < partition.mark.bound_us:
            return
        self._arrived += 1
        partition.waits(offset)
        heappush(
            self._heap, Waiting(time_us, event_source, event_id, self._arrived, source, offset, key, number, value)
        )

    def read_to(self, source: Source, end: int) -> None:
        """A partition was read up to an offset."""
        self._partitions[source].end = end

    def end_of(self, source: Source) -> int:
        """Up to where a partition was read."""
        return self._partitions[source].end

    def watermark_us(self, idle: Collection[Source]) -> int:
        """The time that every partition has passed; all of them idle: just past the newest event."""
        busy = [p.newest_us for source, p in self._partitions.items() if source not in idle]
        if busy:
            return min(busy)
        newest_us = max((p.newest_us for p in self._partitions.values()), default=NEVER_US)
        return newest_us + 1 if newest_us > NEVER_US else NEVER_US

    def release(self, idle: Collection[Source], most: int = 200_000) -> Iterator[Waiting | int]:
        """What may go out now, in order: events, and ticks as whole seconds; about `most` of them at a time."""
        heap, sent = self._heap, 0
        while heap and heap[0].time_us < self.bound_us:  # too late to wait; and a mark says that none such is left
            sent += 1
            yield self._pop()
        if any(partition.end < partition.mark.read_to for partition in self._partitions.values()):
            return  # still reading again what a restart lost: the bound may not move before that is done
        until_us = self.watermark_us(idle)
        at_end = until_us > self.bound_us and all(source in idle for source in self._partitions)
        while heap and heap[0].time_us < until_us:
            if sent >= most:
                return
            # To the end of this time: the bound never parts events of one time.
            time_us = heap[0].time_us
            for tick_s in self._ticks(time_us):
                sent += 1
                yield tick_s
            self.bound_us = time_us
            while heap and heap[0].time_us == time_us:
                sent += 1
                yield self._pop()
            yield from self._ticks(time_us + 1)
            self.bound_us = time_us + 1
        if until_us > self.bound_us or at_end:
            yield from self._ticks(until_us)
            self.bound_us = max(until_us, self.bound_us)
            if at_end and (until_us - 1) % self.tick_us:
                yield (until_us - 1) // US

    def _pop(self) -> Waiting:
        event = heappop(self._heap)
        self._partitions[event.origin].goes(event.offset, event.time_us)  # type: ignore[index]
        return event

    def _ticks(self, until_us: int) -> Iterator[int]:
        """Every tick from the bound on, before a time; none before the first event."""
        if self.bound_us == NEVER_US:
            return
        step_us = self.tick_us
        first_us = -(-self.bound_us // step_us) * step_us
        for tick_us in range(first_us, min(until_us, first_us + GAP_S * US), step_us):
            yield tick_us // US
        if until_us > first_us + GAP_S * US:
            yield (until_us - 1) // step_us * step_us // US

    def offsets(self) -> dict[Source, tuple[int, Mark]]:
        """Per partition: the offset to commit, and the mark that goes with it."""
        found = {}
        for source, partition in self._partitions.items():
            oldest = partition.oldest()
            read_to = max(partition.end, partition.mark.read_to)
            found[source] = (
                partition.end if oldest is None else oldest,
                Mark(read_to, self.bound_us, partition.sent_us),
            )
        return found
