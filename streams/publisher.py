"""Records to a broker in bulk: one open batch per partition, idempotent, and every delivery awaited.

`send` of aiokafka costs about 11 µs a record; batches that are filled here and handed over whole cost a third of it.
Keys go to the partition that a Java producer would choose (murmur2).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from streams.brokers import client_options, explained, hidden_topics, missing_topics, no_topics

BATCH_BYTES: Final = 256 * 1024
"""The size at which a batch is handed over; a larger record gets a batch of its own."""

RECORD_BYTES_MAX: Final = 1_000_000
"""A larger record is not sent: brokers refuse it unless told otherwise, and with it all that follows on its partition,
since an idempotent producer may leave no gap."""

_partition_hash = lru_cache(maxsize=200_000)(lambda key: murmur2(key) & 0x7FFFFFFF)


@dataclass(slots=True)
class Undelivered:
    """Records that are not in Kafka: how many, the lines of the input that they span, and why."""

    records: int
    source: str
    first_line: int
    last_line: int
    reason: str


@dataclass(slots=True)
class _Open:
    """The batch of one partition that is being filled."""

    builder: Any
    source: str
    first_line: int
    last_line: int


@dataclass(slots=True)
class Publisher:
    """Fills batches and hands them to a started producer; `prefix` goes before every topic name.

    `source` names the input that records come from now; flush before it changes.
    """

    producer: AIOKafkaProducer
    prefix: str = ""
    source: str = ""
    delivered: int = 0
    undelivered: list[Undelivered] = field(default_factory=list)
    _partitions: dict[str, int] = field(default_factory=dict)
    _open: dict[tuple[str, int], _Open] = field(default_factory=dict)
    _next_unkeyed: dict[str, int] = field(default_factory=dict)
    _in_flight: set[asyncio.Future[Any]] = field(default_factory=set)

    async def find_topics(self, topics: Iterable[str]) -> None:
        """Learn the partition counts of the topics (without prefix); raises Failure naming those that do not exist.

        One that this user may not see is refused only when a record is for it.
        """
        cluster = await self.producer.client.fetch_all_metadata()
        missing: list[str] = []
        for topic in topics:
            partitions = cluster.partitions_for_topic(self.prefix + topic)
            if partitions:
                self._partitions[topic] = len(partitions)
            else:
                missing.append(self.prefix + topic)
        if missing:
            missing = sorted(set(missing) - await hidden_topics(self.producer.client, missing))
        if missing:
            raise missing_topics(missing, self.prefix)

    async def add(self, topic: str, key: bytes | None, value: bytes, line: int = 0) -> None:
        """Put one record into the batch of its partition; hands the batch over, and waits for room, when it is full."""
        if len(value) > RECORD_BYTES_MAX:
            reason = f"{len(value):,} bytes are more than the {RECORD_BYTES_MAX:,} that a Kafka record may have"
            self.undelivered.append(Undelivered(1, self.source, line, line, reason))
            return
        if topic not in self._partitions:
            await self.find_topics([topic])
        if topic not in self._partitions:
            raise await no_topics(self.producer.client, [self.prefix + topic], self.prefix)
        place = (topic, self._partition(topic, key))
        batch = self._open.get(place)
        if batch is not None:
            if batch.builder.append(key=key, value=value, timestamp=None) is not None:
                batch.last_line = line
                return
            await self._hand_over(place, batch)
        batch = _Open(self.producer.create_batch(), self.source, line, line)
        batch.builder.append(key=key, value=value, timestamp=None)
        self._open[place] = batch

    async def flush(self) -> None:
        """Hand over every open batch, and wait until the broker has answered for all."""
        while self._open:
            place, batch = next(iter(self._open.items()))
            await self._hand_over(place, batch)
        while self._in_flight:
            await asyncio.wait(self._in_flight)
            # The callbacks that count a delivery run in the turn after its future is done.
            await asyncio.sleep(0)

    @property
    def undelivered_records(self) -> int:
        """How many records the broker has not taken."""
        return sum(batch.records for batch in self.undelivered)

    def _partition(self, topic: str, key: bytes | None) -> int:
        count = self._partitions[topic]
        if key is not None:
            return int(_partition_hash(key) % count)
        return self._next_unkeyed.get(topic, 0) % count

    async def _hand_over(self, place: tuple[str, int], batch: _Open) -> None:
        topic, partition = place
        del self._open[place]
        # What has no key stays with one partition per batch, so that batches are full.
        self._next_unkeyed[topic] = partition + 1
        records = batch.builder.record_count()
        try:
            future = await self.producer.send_batch(batch.builder, self.prefix + topic, partition=partition)
        except KafkaError as error:
            self._count(records, batch, explained(error))
            return
        self._in_flight.add(future)
        future.add_done_callback(lambda done: self._answered(done, records, batch))

    def _answered(self, done: asyncio.Future[Any], records: int, batch: _Open) -> None:
        self._in_flight.discard(done)
        error = None if done.cancelled() else done.exception()
        if done.cancelled():
            self._count(records, batch, "stopped before the broker answered")
        elif isinstance(error, KafkaError):
            self._count(records, batch, explained(error))
        elif error is not None:
            self._count(records, batch, repr(error))
        else:
            self.delivered += records

    def _count(self, records: int, batch: _Open, reason: str) -> None:
        self.undelivered.append(Undelivered(records, batch.source, batch.first_line, batch.last_line, reason))


def make_producer(bootstrap: str, compression: str = "none") -> AIOKafkaProducer:
    """A producer for `Publisher`: idempotent, acknowledged by all replicas in sync. Needs a running event loop."""
    return AIOKafkaProducer(
        **client_options(bootstrap, "churnwatch-publish"),
        acks="all",
        enable_idempotence=True,
        compression_type=None if compression == "none" else compression,
        max_batch_size=BATCH_BYTES,
        linger_ms=0,
    )
