"""What one partition gave in one fetch, and the guard that lets each fetch in once and in order.

Rules: a fetch knows the span of offsets that it covers, transaction markers and aborted records included; the guard
applies a span only where it joins what was applied before; nothing is skipped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol

from faust.types import TP


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
