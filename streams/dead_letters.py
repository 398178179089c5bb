"""Dead letters as they lie on their topic: found by filters, or by their place. Reads without a group.

Rules: only what was committed; a record of the topic that is no letter of ours is passed over.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.deadletters import DeadLetter, read_dead_letter
from schemas.journal_dump import JournalRecord
from schemas.topics import DEAD_LETTERS
from streams.failures import Failure
from streams.topic_reader import committed_records, partitions_of, reading


@dataclass(frozen=True, slots=True)
class Filters:
    """Which letters; what is not said admits all."""

    reasons: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    """Where they came from, with or without the prefix."""
    stage: str | None = None
    since_s: float | None = None
    until_s: float | None = None
    prefix: str = field(default="", kw_only=True)

    def admit(self, letter: DeadLetter, written_ms: int) -> bool:
        """Whether a letter, and when it was written, pass."""
        if self.reasons and letter.reason not in self.reasons:
            return False
        if self.topics and not {letter.origin.topic, letter.origin.topic.removeprefix(self.prefix)} & set(self.topics):
            return False
        if self.stage is not None and letter.stage != self.stage:
            return False
        if self.since_s is not None and written_ms < self.since_s * 1000:
            return False
        return self.until_s is None or written_ms <= self.until_s * 1000


class Found(NamedTuple):
    """A letter, the record that it is, and the partition where that lies."""

    partition: int
    record: JournalRecord
    letter: DeadLetter

    @property
    def place(self) -> str:
        """What `dlq show` takes."""
        return f"{self.partition}:{self.record.offset}"


async def find(bootstrap: str, filters: Filters) -> AsyncGenerator[Found, None]:
    """The letters that pass, partition by partition, the oldest first; raises Failure for a missing topic or broker."""
    topic = filters.prefix + DEAD_LETTERS
    since_ms = None if filters.since_s is None else int(filters.since_s * 1000)
    async with reading(bootstrap, "churnwatch-dlq") as consumer:
        for number in await partitions_of(consumer, topic, filters.prefix):
            async for record in committed_records(consumer, topic, number, since_ms=since_ms):
                letter = read_dead_letter(record.headers)
                if letter is not None and filters.admit(letter, record.timestamp):
                    yield Found(number, record, letter)


async def at(bootstrap: str, prefix: str, partition: int, offset: int) -> Found:
    """The letter at a place; raises Failure if there is none."""
    topic = prefix + DEAD_LETTERS
    async with reading(bootstrap, "churnwatch-dlq") as consumer:
        if partition in await partitions_of(consumer, topic, prefix):
            async for record in committed_records(consumer, topic, partition, offset=offset):
                letter = read_dead_letter(record.headers) if record.offset == offset else None
                if letter is None:
                    break
                return Found(partition, record, letter)
    raise Failure(f"{topic} has no dead letter at {partition}:{offset}")
