"""What the learner left of itself in `churn.insights`, newest first.

Rules: only what was committed is read, from the end backwards in growing windows, since the topic may hold many old
rows that are not compacted yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

WINDOW: Final = 16  # records looked at first: states are large, and every other offset is the mark of a transaction
GROWTH: Final = 4  # each further look is at so many times as many
FETCH_WAIT_MS: Final = 50


class Saved(NamedTuple):
    """The rows that there are of a key, the newest first, and where the learner's source ends."""

    rows: list[bytes]
    end: int


async def saved(
    options: Mapping[str, Any], insights: TopicPartition, key: bytes, examples: TopicPartition, wanted: int
) -> Saved:
    """Read the newest `wanted` rows of a key, or as many as there are; raises what the broker says."""
    consumer = AIOKafkaConsumer(
        **options,
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        fetch_max_wait_ms=FETCH_WAIT_MS,
    )
    await consumer.start()
    try:
        end = (await consumer.end_offsets([examples]))[examples]
        return Saved(await newest_rows(consumer, insights, key, wanted), end)
    finally:
        await consumer.stop()


async def newest_rows(consumer: AIOKafkaConsumer, tp: TopicPartition, key: bytes, wanted: int) -> list[bytes]:
    """The newest rows of a key, the newest first: as many as wanted, or as there are; it reads what was committed."""
    consumer.assign([tp])
    first, end = (await consumer.beginning_offsets([tp]))[tp], (await consumer.end_offsets([tp]))[tp]
    window = WINDOW
    while True:
        start = max(first, end - window)
        rows = await _rows(consumer, tp, key, start, end)
        if len(rows) >= wanted or start == first:
            return rows[::-1]
        window *= GROWTH


async def _rows(consumer: AIOKafkaConsumer, tp: TopicPartition, key: bytes, start: int, end: int) -> list[bytes]:
    consumer.seek(tp, start)
    rows = []
    while await consumer.position(tp) < end:
        found = await consumer.getmany(tp, timeout_ms=FETCH_WAIT_MS)
        rows += [r.value for r in found.get(tp, ()) if r.key == key and r.value is not None]
        stable = consumer.last_stable_offset(tp)
        if not found and stable is not None and 0 <= stable <= await consumer.position(tp):
            break  # what is behind belongs to a transaction that is still open
    return rows
