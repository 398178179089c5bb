"""A few blocking calls to a Kafka broker, for tests and benchmarks: each opens a client, does one thing, closes it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest, DescribeAclsRequest

Operation = Literal["read", "write", "create", "describe"]
OPERATION_CODES: Mapping[Operation, int] = {"read": 3, "write": 4, "create": 5, "describe": 8}
# Kafka's numbers for the other parts of an access rule.
TOPIC, CLUSTER, LITERAL, EVERY_OPERATION, DENY, ALLOW = 2, 4, 3, 2, 2, 3

Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True)
class Message:
    """One record to write; `partition` None lets the key choose, `timestamp_ms` None lets the producer."""

    value: bytes | None
    key: bytes | None = None
    headers: Headers = ()
    partition: int | None = None
    timestamp_ms: int | None = None


@dataclass(frozen=True)
class Received:
    """One record as it was read."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True)
class Kafka:
    """The broker at `bootstrap`, seen through blocking calls."""

    bootstrap: str

    def create(self, topic: str, partitions: int = 1, configs: Mapping[str, str] | None = None) -> None:
        """Create one topic and wait until every partition of it has a leader; raises aiokafka's error."""
        asyncio.run(self._create(topic, partitions, dict(configs or {})))

    async def _create(self, topic: str, partitions: int, configs: dict[str, str]) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            new = NewTopic(topic, num_partitions=partitions, replication_factor=1, topic_configs=configs)
            answer = await admin.create_topics([new])
            for name, code, message in answer.topic_errors:
                if code:
                    raise for_code(code)(f"{name}: {message}")
            until = time.monotonic() + 30
            while time.monotonic() < until:
                (seen,) = await admin.describe_topics([topic])
                if len(seen["partitions"]) == partitions and all(p["leader"] >= 0 for p in seen["partitions"]):
                    return
                await asyncio.sleep(0.05)
            raise TimeoutError(f"{topic} has no leaders after 30 s")
        finally:
            await admin.close()

    def delete(self, *topics: str) -> None:
        """Delete topics; those that are not there are passed over."""

        async def run() -> None:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
            await admin.start()
            try:
                await admin.delete_topics(list(topics))
            finally:
                await admin.close()

        asyncio.run(run())

    def deny(self, operation: Operation, topic: str | None = None) -> None:
        """Forbid everyone one operation on a topic (None: on the cluster); the broker must have an authorizer."""

        async def run() -> None:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
            await admin.start()
            try:
                on = (CLUSTER, "kafka-cluster") if topic is None else (TOPIC, topic)
                # The first rule of a resource ends "allowed to all" for it, so all else is allowed in words.
                for code, verdict in ((EVERY_OPERATION, ALLOW), (OPERATION_CODES[operation], DENY)):
                    rule = (*on, LITERAL, "User:*", "*", code, verdict)
                    ((error, message),) = (await admin._send_to_controller(CreateAclsRequest(*rule))).creation_responses
                    if error:
                        raise for_code(error)(message)
                    # The controller has it; the broker obeys it only when it has heard of it.
                    while not (await admin._send_to_controller(DescribeAclsRequest(*rule))).resources:
                        await asyncio.sleep(0.05)
            finally:
                await admin.close()

        asyncio.run(run())

    def topics(self) -> set[str]:
        """The names of all topics, internal ones included."""

        async def run() -> set[str]:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
            await admin.start()
            try:
                return set(await admin.list_topics())
            finally:
                await admin.close()

        return asyncio.run(run())

    def produce(self, topic: str, messages: Iterable[Message | bytes], *, compression: str | None = None) -> None:
        """Write the messages in order with one idempotent producer, and wait for all of them."""

        async def run() -> None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self.bootstrap, compression_type=compression, enable_idempotence=True, linger_ms=5
            )
            await producer.start()
            try:
                sent = []
                for each in messages:
                    one = Message(each) if isinstance(each, bytes) else each
                    sent.append(
                        await producer.send(
                            topic,
                            value=one.value,
                            key=one.key,
                            headers=list(one.headers),
                            partition=one.partition,
                            timestamp_ms=one.timestamp_ms,
                        )
                    )
                await producer.flush()
                for future in sent:
                    await future
            finally:
                await producer.stop()

        asyncio.run(run())

    def consume(
        self,
        topic: str,
        *,
        count: int | None = None,
        timeout_s: float = 30.0,
        committed: bool = True,
        from_offsets: Mapping[int, int] | None = None,
    ) -> list[Received]:
        """Read a topic from its start (or `from_offsets`) to what is its end now; or until `count` records are there.

        `committed` reads with isolation `read_committed`. TimeoutError says how many had come.
        """
        return asyncio.run(self._consume(topic, count, timeout_s, committed, from_offsets or {}))

    async def _consume(
        self, topic: str, count: int | None, timeout_s: float, committed: bool, start: Mapping[int, int]
    ) -> list[Received]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            isolation_level="read_committed" if committed else "read_uncommitted",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=50,
        )
        await consumer.start()
        got: list[Received] = []
        try:
            parts = await _partitions(consumer, topic)
            consumer.assign(parts)
            # The end that a reader of this isolation can reach is asked anew while an open transaction holds it back.
            ends = await consumer.end_offsets(parts)
            for part in parts:
                consumer.seek(part, start[part.partition]) if part.partition in start else None
            await consumer.seek_to_beginning(*[p for p in parts if p.partition not in start])
            until = time.monotonic() + timeout_s
            while not await _done(consumer, ends, count, len(got)):
                if time.monotonic() > until:
                    raise TimeoutError(f"{topic}: {len(got)} records after {timeout_s:.0f} s, wanted {count or ends}")
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    got += [
                        Received(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, r.headers)
                        for r in records
                    ]
        finally:
            await consumer.stop()
        return got if count is None else got[:count]

    def end_offsets(self, topic: str) -> dict[int, int]:
        """The offset that comes next, per partition (of the log, aborted records and markers included)."""

        async def run() -> dict[int, int]:
            consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
            await consumer.start()
            try:
                ends = await consumer.end_offsets(await _partitions(consumer, topic))
                return {part.partition: offset for part, offset in ends.items()}
            finally:
                await consumer.stop()

        return asyncio.run(run())

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """The offsets a consumer group has committed, per partition; a partition without one is left out."""

        async def run() -> dict[int, int]:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
            await admin.start()
            try:
                offsets = await admin.list_consumer_group_offsets(group)
            finally:
                await admin.close()
            return {p.partition: m.offset for p, m in offsets.items() if p.topic == topic and m.offset >= 0}

        return asyncio.run(run())


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    """Every partition of the topic; waits for metadata, which are asked for only when a topic is named."""
    until = time.monotonic() + 15
    while time.monotonic() < until:
        await consumer._client._wait_on_metadata(topic)
        if found := consumer.partitions_for_topic(topic):
            return [TopicPartition(topic, number) for number in sorted(found)]
        await asyncio.sleep(0.05)
    raise TimeoutError(f"no partitions of {topic} are known")


async def _done(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int], count: int | None, got: int) -> bool:
    if count is not None:
        return got >= count
    return all([await consumer.position(part) >= end for part, end in ends.items()])
