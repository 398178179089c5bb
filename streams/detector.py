"""The detector's job: the journal's partitions, each through its fold.

Rules: all that a partition wrote since its last checkpoint, its states and the journal offset go out in one
transaction; the lane of a partition is its number, so that the fence moves with the partition; nothing is decided
here, the fold decides. What a fold writes to the journal goes to every partition of it.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Protocol

import structlog
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.types import TP

from schemas.topics import ALERTS, DEAD_LETTERS, JOURNAL
from streams import metrics
from streams.engine.errors import OrderLostError, Refusal
from streams.engine.fetch import Record
from streams.engine.partitions import partition_of
from streams.engine.store import Copies
from streams.engine.transactions import NO_HEADERS, Transaction, Write

log = structlog.get_logger(__name__)

ChangelogEnds = Callable[[set[int]], Awaitable[Mapping[int, int]]]
"""Where the changelog of each of these partitions ends, by partition number."""

JournalSpans = Callable[[set[int]], Awaitable[Mapping[int, tuple[int, int]]]]
"""The first offset of each of these journal partitions, and the one after its last."""


class Snapshot(Protocol):
    """What became true since the one before."""

    @property
    def states(self) -> Sequence[tuple[bytes, bytes | None]]: ...
    @property
    def writes(self) -> Mapping[str, Sequence[Write]]: ...


class Fold(Protocol):
    """One journal partition's state machine (detectors.partition.Partition)."""

    stats: Counter[str]
    position: int

    def calls(self) -> Mapping[str, tuple[int, int]]:
        """Calls, and those given up, by period: the newest whole `hour` and `day` of event time."""

    def feed(self, records: Sequence[Record]) -> None: ...
    def snapshot(self) -> Snapshot: ...


FoldFactory = Callable[[int, dict[bytes, bytes]], Fold]


class Topology(Protocol):
    """Real topic names, and how many partitions each has; `named` puts the prefix before a name."""

    changelog: str
    partitions: Mapping[str, int]

    def named(self, topic: str) -> str: ...


def start_of(tp: TP, offset: int, position: int | None, span: tuple[int, int]) -> int:
    """Where a partition goes on: where its state says, which was committed together with the offset and never expires.

    `position` is None where the changelog holds nothing. Raises Refusal where state, offset and journal cannot belong
    together: to go on would lose records without a word.

    >>> start_of(TP("churn.journal", 0), offset=7, position=5, span=(0, 9))
    5
    """
    first, after = span
    got = max(offset, position or 0)
    if got > after:
        raise Refusal(
            f"{tp.topic}[{tp.partition}] ends at {after}, and was read up to {got}: it was made anew, or cut. "
            "Restore it, or begin anew with another CHURNWATCH_APP_ID (docs/recovery.md)."
        )
    if position is None:
        if offset > first:
            raise Refusal(
                f"The changelog holds no state of {tp.topic}[{tp.partition}], which was read up to {offset}: it was "
                "deleted, or cut. Restore it, or let it be made again from the journal (docs/recovery.md)."
            )
        return offset
    return max(position, first)


class Detector:
    """All journal partitions of one worker."""

    pending_max = 40_000

    def __init__(
        self,
        topology: Topology,
        copies: Copies,
        make_fold: FoldFactory,
        changelog_ends: ChangelogEnds,
        journal_spans: JournalSpans,
    ) -> None:
        self.topology, self.copies, self.make_fold = topology, copies, make_fold
        self.changelog_ends, self.journal_spans = changelog_ends, journal_spans
        self.journal = topology.named(JOURNAL)
        self.folds: dict[int, Fold] = {}
        self._upto: dict[int, int] = {}
        self._counted: dict[int, Counter[str]] = {}
        self._committed_s: dict[int, float] = {}
        self._newest_ms: dict[int, int] = {}
        self._calls: dict[int, Mapping[str, tuple[int, int]]] = {}

    def lanes(self, tps: set[TP]) -> set[str]:
        """One lane per partition."""
        return {str(tp.partition) for tp in tps}

    async def prepare(self, offsets: Mapping[TP, int]) -> Mapping[TP, int]:
        """Build the folds from what recovery read, after making sure that it read everything."""
        behind = self.copies.behind(await self.changelog_ends({tp.partition for tp in offsets}))
        if behind:
            raise OrderLostError(f"the changelog was not read to its end: {behind}")
        spans = await self.journal_spans({tp.partition for tp in offsets})
        starts = {}
        for tp, offset in offsets.items():
            states = self.copies.states(tp.partition)
            known = bool(states)
            fold = self.folds[tp.partition] = self.make_fold(tp.partition, states)
            self._counted[tp.partition] = fold.stats.copy()
            self._age(tp.partition)
            starts[tp] = start_of(tp, offset, fold.position if known else None, spans[tp.partition])
        gc.collect()
        gc.freeze()  # states are many small objects that stay
        return starts

    def apply(self, tp: TP, records: Sequence[Record], end: int) -> None:
        """Feed a fold."""
        started_s = time.perf_counter()
        if records:
            self.folds[tp.partition].feed(records)
            self._newest_ms[tp.partition] = records[-1].timestamp
        self._upto[tp.partition] = end
        metrics.PROCESSING.labels("detector").observe(time.perf_counter() - started_s)

    def collect(self) -> Iterator[Transaction]:
        """One transaction per partition that moved."""
        for number in list(self._upto):
            end = self._upto.pop(number, None)
            fold = self.folds.get(number)
            if end is None or fold is None:
                continue
            snapshot = fold.snapshot()
            writes: dict[tuple[str, int], list[Write]] = {
                (self.topology.changelog, number): [(key, value, NO_HEADERS) for key, value in snapshot.states]
            }
            for topic, items in snapshot.writes.items():
                self._place(writes, topic, number, items)
            self._count(number, fold, snapshot)
            offset = {TopicPartition(self.journal, number): OffsetAndMetadata(end, "")}
            yield Transaction(str(number), writes, offset)

    def committed(self, transaction: Transaction, seconds: float) -> None:
        """Note that a partition's memory and changelog agree."""
        number = int(transaction.lane)
        self.copies.used(number)
        self._committed_s[number] = time.monotonic()
        metrics.CHECKPOINT.labels("detector").observe(seconds)
        newest_ms = self._newest_ms.pop(number, None)
        if newest_ms is not None:
            metrics.LATENCY.observe(max(time.time() - newest_ms / 1000, 0.0))

    def release(self) -> None:
        """Forget the folds; the states stay for a partition that comes back, and its gauges are the next owner's."""
        for number in map(str, self.folds):
            metrics.CHECKPOINT_AGE.remove(number)
            metrics.BUDGET_USED.remove(number)
        self.folds.clear()
        self._upto.clear()
        self._calls.clear()
        gc.unfreeze()

    def _place(
        self, writes: dict[tuple[str, int], list[Write]], topic: str, number: int, items: Sequence[Write]
    ) -> None:
        name = self.topology.named(topic)
        count = self.topology.partitions[name]
        if topic == JOURNAL:
            for each in range(count):
                writes.setdefault((name, each), []).extend(items)
        elif count == self.topology.partitions[self.journal]:
            writes.setdefault((name, number), []).extend(items)
        elif topic == DEAD_LETTERS:
            writes.setdefault((name, number % count), []).extend(items)
        else:
            for item in items:
                writes.setdefault((name, partition_of(item[0] or b"", count)), []).append(item)

    def _count(self, number: int, fold: Fold, snapshot: Snapshot) -> None:
        grown = fold.stats - self._counted.get(number, Counter())
        self._counted[number] = fold.stats.copy()
        metrics.ERASURES.inc(grown["erased"])
        metrics.AFTER_ERASURE.inc(grown["after_erasure"])
        metrics.FENCE_SKIPS.inc(grown["fence_skips"])
        if grown["rules_changed"]:
            log.info("another policy or model decides from here on", partition=number, position=fold.position)
        if grown["fence_skips"]:
            log.error("records that the state held already", partition=number, records=grown["fence_skips"])
        for _, _, headers in snapshot.writes.get(ALERTS, ()):
            said = dict(headers)
            level, kind = said.get("risk_level", b"").decode(), said.get("ce_type", b"").decode()
            metrics.ALERTS.labels(level, kind.removeprefix("churn.alert.").removesuffix(".v1")).inc()
        metrics.BUDGET_USED.labels(str(number)).set(fold.stats["budget_used_permille"] / 1_000)
        for name, times in grown.items():
            if name.startswith("dead_"):
                metrics.DEAD_LETTERS.labels(self.journal, name.removeprefix("dead_")).inc(times)
            elif name.startswith("held_back_"):
                metrics.HELD_BACK.labels(name.removeprefix("held_back_")).inc(times)
            elif name.startswith("assessed_"):
                metrics.ASSESSMENTS.labels(name.removeprefix("assessed_")).inc(times)
            elif name.startswith("duplicates_"):
                metrics.DEDUPLICATED.labels(self.topology.named(name.removeprefix("duplicates_"))).inc(times)
        self._calls[number] = fold.calls()
        for period in self._calls[number]:
            calls, given_up = map(sum, zip(*(each[period] for each in self._calls.values()), strict=True))
            metrics.CALLS.labels(period, "all").set(calls)
            metrics.CALLS.labels(period, "abandoned").set(given_up)
            metrics.ABANDONMENT.labels(period).set(given_up / calls if calls else 0.0)

    def _age(self, number: int) -> None:
        self._committed_s[number] = time.monotonic()
        gauge = metrics.CHECKPOINT_AGE.labels(str(number))
        gauge.set_function(lambda: time.monotonic() - self._committed_s[number])
