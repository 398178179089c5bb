"""The intake's job: records of the input topics become events of the journal, or dead letters.

Rules: one transaction per source partition holds its journal appends, its dead letters and its offset. The lane is the
source partition, because that is what moves between workers: who takes a partition over shuts out whoever had it,
wherever its other partitions went. A lane per worker would fence nobody, and one per topic would fence the innocent.
The records of one source partition reach a journal partition in their order; a customer's partition is what Kafka's
default partitioner gives. That a topic is alive goes to every journal partition, in the same transactions.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import structlog
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.types import TP

from schemas.deadletters import DeadLetter, Origin, dead_letter_headers
from schemas.intake import Accepted, Rejected, read_event
from schemas.topics import DEAD_LETTERS, INPUT_TOPICS, JOURNAL
from streams import metrics
from streams.detector import Topology
from streams.engine.fetch import Record
from streams.engine.partitions import Places
from streams.engine.transactions import NO_HEADERS, Transaction, Write
from streams.heard import WALL_SPAN_S, Heard, heard_write, topics_by_name
from streams.release import APP_VERSION

LATE_S: Final = 3_600  # what came later than this after it happened counts as late
log = structlog.get_logger(__name__)


class Lot:
    """What one source partition has pending."""

    def __init__(self) -> None:
        self.appends: dict[int, list[Write]] = defaultdict(list)  # journal partition → records
        self.letters: list[Write] = []
        self.end: int | None = None
        self.heard_s: list[int] = []  # the topic was heard in spans of time of which nothing was known


class Intake:
    """All source partitions of one worker, with the wall clock."""

    pending_max = 60_000

    def __init__(self, topology: Topology, now_s: Callable[[], float] = time.time) -> None:
        self.topology, self.now_s = topology, now_s
        self.journal = topology.named(JOURNAL)
        self.letters = topology.named(DEAD_LETTERS)
        self.places = Places(topology.partitions[self.journal])
        self.topics = topics_by_name(map(topology.named, INPUT_TOPICS))
        self.heard = Heard(WALL_SPAN_S)
        self._lots: dict[TP, Lot] = {}

    def lanes(self, tps: set[TP]) -> set[str]:
        """One lane per source partition."""
        return {lane_of(tp) for tp in tps}

    async def prepare(self, offsets: Mapping[TP, int]) -> Mapping[TP, int]:
        """Start where the last commit ended."""
        return offsets

    def apply(self, tp: TP, records: Sequence[Record], end: int) -> None:
        """Check each record, and put it where it goes."""
        started_s = time.perf_counter()
        lot = self._lots.get(tp)
        if lot is None:
            lot = self._lots[tp] = Lot()
        appends, places, now_s, refused, late = lot.appends, self.places, self.now_s(), 0, 0
        event, late_before = None, datetime.fromtimestamp(now_s - LATE_S, UTC)
        hours: dict[tuple[int, int], datetime] = {}
        for record in records:
            verdict = read_event(record.value, record.headers, now_s)
            if verdict.__class__ is Accepted:
                event = verdict.event
                key, number = places[event.subject]
                appends[number].append((key, verdict.value, NO_HEADERS))
                hours[event.time.toordinal(), event.time.hour] = event.time  # cheaper than a timestamp of each
                late += event.time < late_before
            else:
                refused += 1
                lot.letters.append(dead_letter(tp, record, verdict))  # type: ignore[arg-type]
        lot.end = end
        count_records(tp, len(records), refused, late)
        if event is not None:
            event_s = event.time.timestamp()
            metrics.EVENT_LAG.labels(tp.topic).set(now_s - event_s)
            for when in hours.values():
                heard_s = int(min(when.timestamp(), now_s))  # a feed is not heard in the future
                if self.heard.is_news(self.topics[tp.topic], heard_s):
                    lot.heard_s.append(heard_s)
        metrics.PROCESSING.labels("intake").observe(time.perf_counter() - started_s)

    def collect(self) -> Iterator[Transaction]:
        """One transaction per source partition that moved."""
        for tp in list(self._lots):
            lot = self._lots.pop(tp, None)
            if lot is None or lot.end is None:
                continue
            writes: dict[tuple[str, int], Sequence[Write]] = {
                (self.journal, number): items for number, items in lot.appends.items()
            }
            if lot.heard_s:
                heard = [heard_write(self.topics[tp.topic], time_s) for time_s in sorted(lot.heard_s)]
                for number in range(self.topology.partitions[self.journal]):
                    writes[self.journal, number] = [*heard, *lot.appends.get(number, ())]
            if lot.letters:
                writes[self.letters, tp.partition % self.topology.partitions[self.letters]] = lot.letters
            yield Transaction(
                lane_of(tp), writes, {TopicPartition(tp.topic, tp.partition): OffsetAndMetadata(lot.end, "")}
            )

    def committed(self, transaction: Transaction, seconds: float) -> None:  # noqa: ARG002
        """Measure."""
        metrics.CHECKPOINT.labels("intake").observe(seconds)

    def release(self) -> None:
        """Forget what is pending; it was never written."""
        self._lots.clear()


def lane_of(tp: TP) -> str:
    """The lane of a source partition.

    >>> lane_of(TP("usage.events", 3))
    'usage.events-3'
    """
    return f"{tp.topic}-{tp.partition}"


def dead_letter(tp: TP, record: Record, rejected: Rejected) -> Write:
    """The record as it came, with why it could not be used in headers."""
    letter = DeadLetter(
        reason=rejected.reason,
        detail=rejected.detail,
        stage="intake",
        origin=Origin(tp.topic, tp.partition, record.offset, record.timestamp),
        attempts=1,
        app_version=APP_VERSION,
    )
    metrics.DEAD_LETTERS.labels(tp.topic, rejected.reason).inc()
    return record.key, record.value, dead_letter_headers(record.headers, letter)


def count_records(tp: TP, records: int, refused: int, late: int) -> None:
    """Count what was read of a source, by outcome, and how much of it came late."""
    outcomes = Counter(accepted=records - refused, refused=refused)
    if records:
        heard_s = time.monotonic()
        metrics.SILENCE.labels(tp.topic).set_function(lambda: time.monotonic() - heard_s)
    for outcome, count in outcomes.items():
        if count:
            metrics.EVENTS.labels(tp.topic, outcome).inc(count)
    metrics.LATE.labels(tp.topic).inc(late)
