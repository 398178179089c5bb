"""What is committed in a topic up to now, for commands that look: no group, nothing committed, nobody disturbed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.journal_dump import JournalRecord
from streams.brokers import client_options, no_topics, started

POLL_MS: Final = 200


@asynccontextmanager
async def reading(bootstrap: str, client_id: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without a group that sees only what was committed; raises Failure if no broker answers."""
    consumer = AIOKafkaConsumer(
        **client_options(bootstrap, client_id),
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        fetch_max_wait_ms=POLL_MS,
    )
    async with started(consumer, bootstrap):
        yield consumer


async def partitions_of(consumer: AIOKafkaConsumer, topic: str, prefix: str) -> list[int]:
    """The partitions of a topic, given by its name with the prefix; raises Failure if there is no such topic."""
    cluster = await consumer._client.fetch_all_metadata()
    numbers = sorted(cluster.partitions_for_topic(topic) or ())
    if not numbers:
        raise await no_topics(consumer._client, [topic], prefix)
    return numbers


async def committed_records(
    consumer: AIOKafkaConsumer,
    topic: str,
    number: int,
    *,
    since_ms: int | None = None,
    offset: int | None = None,
    end: int | None = None,
) -> AsyncIterator[JournalRecord]:
    """Every committed record of one partition, from its beginning to where it ends now, in order of offsets.

    With `since_ms` it begins at the first record that was written then or later, with `offset` at that offset; with
    `end` it stops before that one.
    """
    tp = TopicPartition(topic, number)
    consumer.assign([tp])
    # At once: a consumer that is asked something else first begins where it would by itself, at the end.
    await consumer.seek_to_beginning(tp)
    first = await consumer.position(tp)
    if end is None:
        end = (await consumer.end_offsets([tp]))[tp]
    if since_ms is not None:
        found = (await consumer.offsets_for_times({tp: since_ms}))[tp]
        offset = end if found is None else found.offset
    if offset is not None:
        if offset >= end:
            return
        consumer.seek(tp, max(offset, first))
    while await consumer.position(tp) < end:
        for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
            for r in records:
                if r.offset < end:
                    yield JournalRecord(r.offset, r.key, r.value, r.timestamp, r.headers)
        stable = consumer.last_stable_offset(tp)
        if stable is not None and stable >= 0 and await consumer.position(tp) >= stable:
            return  # what is behind belongs to a transaction that is still open
