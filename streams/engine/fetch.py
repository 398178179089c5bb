"""What one partition gave in one fetch, and the guard that lets each fetch in once and in order.

Rules: a fetch knows the span of offsets that it covers, transaction markers and aborted records included; the guard
applies a span only where it joins what was applied before; nothing is skipped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final, NamedTuple, Protocol

from faust.types import TP

LOST_QUIET_S: Final = 0.5
LOST_BUSY_S: Final = 5.0


class Record(Protocol):
    """One Kafka record, as aiokafka's ConsumerRecord has it; `timestamp` in milliseconds."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Fetch(NamedTuple):
    """All committed records of one partition in `[start, end)`; `start` is None when it is not known."""

    start: int | None
    end: int
    records: Sequence[Record]


class Verdict(Enum):
    """What the guard says of a fetch."""

    APPLY = "apply"  # the returned records come next
    OLD = "old"  # all of it was applied before
    FOREIGN = "foreign"  # the partition is not ours
    GAP = "gap"  # something before it is missing: seek back


class LossWatch:
    """Finds fetches that were lost on the way and that nothing came after, so that no gap ever shows them.

    A partition that was fetched further than it was applied, and does not move while nothing else does either, has
    lost what is between. Where others move, its fetch may just wait behind theirs, so patience is longer.

    >>> watch, tp = LossWatch(), TP("journal", 0)
    >>> [watch.lost({tp: 5}, {tp: 9}, now_s) for now_s in (0.0, 0.2, 1.0)] == [[], [], [tp]]
    True
    """

    def __init__(self) -> None:
        self._before: dict[TP, int] = {}
        self._moved_s = 0.0
        self._since: dict[TP, tuple[int, float]] = {}

    def lost(self, applied: Mapping[TP, int], fetched: Mapping[TP, int], now_s: float) -> list[TP]:
        """The partitions to seek back, told once each time; `now_s` is any clock that only rises."""
        if applied != self._before:
            self._before, self._moved_s = dict(applied), now_s
        patience_s = LOST_QUIET_S if now_s - self._moved_s >= LOST_QUIET_S else LOST_BUSY_S
        found = []
        for tp, want in applied.items():
            at, since_s = self._since.get(tp, (None, now_s))
            if fetched.get(tp, 0) <= want:
                self._since.pop(tp, None)
            elif at != want:
                self._since[tp] = want, now_s
            elif now_s - since_s >= patience_s:
                del self._since[tp]
                found.append(tp)
        return found


class OrderGuard:
    """The next offset to apply of each partition that is ours.

    >>> guard = OrderGuard()
    >>> guard.own({TP("journal", 0): 10})
    >>> guard.judge(TP("journal", 0), Fetch(10, 12, ()))
    (<Verdict.APPLY: 'apply'>, ())
    >>> guard.judge(TP("journal", 0), Fetch(14, 15, ()))[0]
    <Verdict.GAP: 'gap'>
    """

    def __init__(self) -> None:
        self._next: dict[TP, int] = {}
        self._gaps: dict[TP, int] = {}

    @property
    def next_offsets(self) -> Mapping[TP, int]:
        """The next offset to apply of each owned partition."""
        return self._next

    def own(self, offsets: Mapping[TP, int]) -> None:
        """Take partitions over, each to be applied from its offset on; those owned already stay as they are."""
        for tp, offset in offsets.items():
            self._next.setdefault(tp, offset)

    def disown(self) -> None:
        """Give every partition away."""
        self._next.clear()
        self._gaps.clear()

    def judge(self, tp: TP, fetch: Fetch) -> tuple[Verdict, Sequence[Record]]:
        """Say what to do with a fetch, and move on if it is to be applied."""
        want = self._next.get(tp)
        if want is None:
            return Verdict.FOREIGN, ()
        if fetch.start is None or fetch.start > want:
            self._gaps[tp] = self._gaps.get(tp, 0) + 1
            return Verdict.GAP, ()
        if fetch.end <= want:
            return Verdict.OLD, ()
        records = fetch.records
        if records and records[0].offset < want:
            records = [record for record in records if record.offset >= want]
        self._next[tp] = fetch.end
        self._gaps.pop(tp, None)
        return Verdict.APPLY, records

    def gaps_in_a_row(self, tp: TP) -> int:
        """How many fetches of a partition were refused since the last one that was applied."""
        return self._gaps.get(tp, 0)
