"""The journal as a file: `churnwatch journal dump`."""

from __future__ import annotations

from collections.abc import AsyncIterator

from schemas.journal_dump import JournalLine, journal_line
from schemas.topics import JOURNAL
from streams.topic_reader import committed_records, partitions_of, reading


async def dump(bootstrap: str, prefix: str = "") -> AsyncIterator[JournalLine]:
    """Every committed record of the journal up to now, partition by partition in order of offsets.

    Raises Failure for a missing topic or broker.
    """
    topic = prefix + JOURNAL
    async with reading(bootstrap, "churnwatch-journal-dump") as consumer:
        for number in await partitions_of(consumer, topic, prefix):
            async for record in committed_records(consumer, topic, number):
                yield journal_line(number, record)
