"""The intake's job when time comes from the events (CHURNWATCH_CLOCK=events): history in one order, with its ticks.

Rules: one worker reads every input partition, since only who sees all of them knows what time it is; so there is one
lane for all, and its fence is that worker's; a partition that is at its end and has been quiet for `idle_s` holds
nobody back. The order itself is streams/ordering.py.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Final, cast

import structlog
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.types import TP

from schemas.intake import Accepted, read_event
from schemas.journal import encode_tick
from schemas.topics import DEAD_LETTERS, INPUT_TOPICS, JOURNAL
from streams import metrics
from streams.detector import Topology
from streams.engine.errors import Refusal
from streams.engine.fetch import Record
from streams.engine.partitions import Places
from streams.engine.transactions import NO_HEADERS, Transaction, Write
from streams.engine.transport import FetchApp, FetchConsumer
from streams.heard import EVENTS_SPAN_S, Heard, heard_write, topics_by_name
from streams.intake import count_records, dead_letter
from streams.ordering import US, EventOrder, Mark

LANE: Final = "history"
LOOK_S: Final = 0.25
log = structlog.get_logger(__name__)

CommittedTexts = Callable[[], Awaitable[Mapping[TP, str]]]
"""The metadata beside each committed offset of the group."""


class History:
    """All input partitions, put in order of event time."""

    pending_max = 60_000

    def __init__(
        self,
        topology: Topology,
        inputs: Sequence[str],
        event_tick_s: int,
        idle_s: float,
        committed_texts: CommittedTexts,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self.topology, self.event_tick_s, self.idle_s = topology, event_tick_s, idle_s
        self.committed_texts, self.now_s = committed_texts, now_s
        self.journal, self.letters = topology.named(JOURNAL), topology.named(DEAD_LETTERS)
        self.sources = {TP(topic, p) for topic in inputs for p in range(topology.partitions[topic])}
        self.places = Places(topology.partitions[self.journal])
        self.topics = topics_by_name(map(topology.named, INPUT_TOPICS))
        self.release()

    def release(self) -> None:
        """Forget everything; it was never written."""
        self.order: EventOrder[TP] = EventOrder(self.event_tick_s)
        self.heard = Heard(EVENTS_SPAN_S)
        self._letters: list[Write] = []
        self._read_at_s: dict[TP, float] = {}
        self._idle: set[TP] = set()
        self._done: dict[TP, int] = {}

    def lanes(self, tps: set[TP]) -> set[str]:
        """One lane, of whoever reads the inputs."""
        return {LANE} if tps else set()

    async def prepare(self, offsets: Mapping[TP, int]) -> Mapping[TP, int]:
        """Begin where the marks say; raises Refusal when other workers read some of the inputs."""
        missing = self.sources - set(offsets)
        if missing:
            first = min(missing)
            raise Refusal(
                f"CHURNWATCH_CLOCK=events needs one worker that reads every input partition, and {len(missing)} of "
                f"{len(self.sources)} belong to another one (the first: {first.topic}[{first.partition}]); stop it"
            )
        texts = await self.committed_texts()
        now_s = time.monotonic()
        for tp, offset in offsets.items():
            mark = Mark.parse(texts.get(tp, ""))
            self.order.own(tp, offset, mark)
            self.heard.is_news(self.topics[tp.topic], mark.sent_us // US)
            self._read_at_s[tp] = now_s
            self._done[tp] = offset
        return offsets

    def apply(self, tp: TP, records: Sequence[Record], end: int) -> None:
        """Check each record, and let it wait for its turn."""
        now_s, refused, late, order, places = self.now_s(), 0, 0, self.order, self.places
        for record in records:
            verdict = read_event(record.value, record.headers, now_s)
            if isinstance(verdict, Accepted):
                event = verdict.event
                key, number = places[event.subject]
                time_us = round(event.time.timestamp() * US)
                late += time_us < order.bound_us and not order.knows(tp, record.offset)
                order.hold(tp, record.offset, time_us, event.source, event.id, key, number, verdict.value)
            elif not order.knows(tp, record.offset):
                refused += 1
                self._letters.append(dead_letter(tp, record, verdict))
        order.read_to(tp, end)
        if records:
            self._read_at_s[tp] = time.monotonic()
            self._idle.discard(tp)
        count_records(tp, len(records), refused, late)

    def collect(self) -> Iterator[Transaction]:
        """One transaction with all that may go out now, if there is anything."""
        writes: dict[tuple[str, int], list[Write]] = {}
        parts = self.topology.partitions[self.journal]

        def to_all(record: Write) -> None:
            for number in range(parts):
                writes.setdefault((self.journal, number), []).append(record)

        for item in self.order.release(self._idle):
            if isinstance(item, int):
                to_all((None, encode_tick(item), NO_HEADERS))
                metrics.TICKS.inc(parts)
                continue
            topic, time_s = self.topics[cast(TP, item.origin).topic], item.time_us // US
            if self.heard.is_news(topic, time_s):
                to_all(heard_write(topic, time_s))
            writes.setdefault((self.journal, item.partition), []).append((item.key, item.value, NO_HEADERS))
        letters, self._letters = self._letters, []
        for number, letter in enumerate(letters):
            to = self.letters, number % self.topology.partitions[self.letters]
            writes.setdefault(to, []).append(letter)
        offsets = self.order.offsets()
        done = {tp: offset for tp, (offset, _) in offsets.items()}
        if writes or done != self._done:
            self._done = done
            marked = {TopicPartition(*tp): OffsetAndMetadata(at, mark.text()) for tp, (at, mark) in offsets.items()}
            yield Transaction(LANE, writes, marked)

    def committed(self, transaction: Transaction, seconds: float) -> None:  # noqa: ARG002
        """Measure."""
        metrics.CHECKPOINT.labels("intake").observe(seconds)

    async def watch_idle(self, app: FetchApp) -> None:
        """Find the partitions that are at their end and quiet, for as long as the app runs."""
        consumer = cast(FetchConsumer, app.consumer)
        while not app.should_stop:
            await app.sleep(LOOK_S)
            quiet_s = time.monotonic() - self.idle_s
            for tp, read_at_s in list(self._read_at_s.items()):
                if read_at_s <= quiet_s and tp not in self._idle:
                    end, applied = consumer.highwater_of(tp), self.order.end_of(tp)
                    if end is not None and applied >= end:
                        self._idle.add(tp)
