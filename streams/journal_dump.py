"""The journal as a file: `churnwatch journal dump`. Reads without a group, commits nothing, disturbs nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.journal_dump import JournalLine, JournalRecord, journal_line
from schemas.topics import JOURNAL
from streams.brokers import missing_topics, started

POLL_MS = 200


async def dump(bootstrap: str, prefix: str = "") -> AsyncIterator[JournalLine]:
    """Every committed record of the journal up to now, partition by partition in order of offsets.

    Raises Failure for a missing topic or broker.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        client_id="churnwatch-journal-dump",
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        fetch_max_wait_ms=POLL_MS,
    )
    topic = prefix + JOURNAL
    async with started(consumer, bootstrap):
        cluster = await consumer._client.fetch_all_metadata()
        numbers = sorted(cluster.partitions_for_topic(topic) or ())
        if not numbers:
            raise missing_topics([topic], prefix)
        for number in numbers:
            async for line in _partition(consumer, TopicPartition(topic, number)):
                yield line


async def _partition(consumer: AIOKafkaConsumer, tp: TopicPartition) -> AsyncIterator[JournalLine]:
    consumer.assign([tp])
    await consumer.seek_to_beginning(tp)
    end = (await consumer.end_offsets([tp]))[tp]
    while await consumer.position(tp) < end:
        for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
            for r in records:
                if r.offset < end:
                    yield journal_line(tp.partition, JournalRecord(r.offset, r.key, r.value, r.timestamp, r.headers))
        stable = consumer.last_stable_offset(tp)
        if stable is not None and stable >= 0 and await consumer.position(tp) >= stable:
            return  # what is behind belongs to a transaction that is still open
