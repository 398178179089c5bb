"""Dead letters sent again: `churnwatch dlq replay`.

Rules: key, value and headers go out as they first came: from intake to the topic they were read from, from the
detector to the input topic of their type. What was sent is remembered beside the committed offsets of a group of its
own, in the transaction that sends it, so a run that is killed has sent and remembered the same letters, and the next
one skips them. Only input topics are written to, whatever a letter's headers say.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaError,
    NotCoordinatorForGroupError,
)
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from schemas.deadletters import Header, original_headers, read_dead_letter
from schemas.topics import DEAD_LETTERS, INPUT_TOPICS
from streams.brokers import administering, client_options, explained, no_topics, started
from streams.dead_letters import Filters, Found
from streams.failures import Failure
from streams.publish import PACE_S, Pace
from streams.replayed import NOTE_BYTES_MAX, Runs
from streams.routing import Route, route
from streams.topic_reader import committed_records, partitions_of, reading

STEP_LETTERS: Final = 500
"""So many letters go out in one transaction."""
COORDINATOR_S: Final = 15.0
TRANSACTION_TIMEOUT_MS: Final = 15_000
RECORD_BYTES_MAX: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReplayLetters:
    """What to send again, and how."""

    bootstrap: str
    app_id: str
    filters: Filters
    count: int | None = None
    """Stop after so many."""
    rate_per_s: float | None = None
    dry_run: bool = False
    again: bool = False
    """Also those that were sent before."""

    @property
    def group(self) -> str:
        """The group whose committed offsets remember; the transactional id too, so that two runs exclude each other."""
        return f"{self.app_id}-dlq-replay"


@dataclass(slots=True)
class Replayed:
    """What became of the letters that passed the filters."""

    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(topic, reason) → how many."""
    before: int = 0
    homeless: int = 0
    """Letters that no input topic takes."""


class Outgoing(NamedTuple):
    """A record to be sent, and the letter it comes from."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[Header]
    found: Found


def outgoing(found: Found, prefix: str) -> Outgoing | None:
    """Where a letter goes and what is sent there; None if no input topic takes it."""
    record, letter = found.record, found.letter
    topic: str | None = letter.origin.topic
    if letter.stage == "detector":
        routed = route(record.value or b"", "subject")
        topic = prefix + routed.topic if isinstance(routed, Route) else None
    if topic is None or topic not in {prefix + name for name in INPUT_TOPICS}:
        return None
    return Outgoing(topic, record.key, record.value, original_headers(record.headers), found)


class Memory:
    """What was sent again, by partition of the dead letters."""

    def __init__(self, topic: str, runs: dict[int, Runs]) -> None:
        self.topic, self.runs = topic, runs
        self._changed: set[int] = set()

    def has(self, number: int, offset: int, previous: int | None) -> bool:
        """Whether a letter was sent; joins its run with that of `previous`, the record before it."""
        runs = self.runs.get(number)
        if runs is None or offset not in runs:
            return False
        if previous is not None and previous in runs:
            runs.add(previous, offset)
        return True

    def add(self, number: int, offset: int, previous: int | None) -> None:
        """Note a letter; `previous` is the record before it in the partition, if that one was read."""
        runs = self.runs.setdefault(number, Runs())
        runs.add(previous if previous is not None and previous in runs else offset, offset)
        self._changed.add(number)

    def offsets(self) -> dict[TopicPartition, OffsetAndMetadata]:
        """What to commit since the last time; raises Failure if a broker would not take it."""
        found = {}
        for number in sorted(self._changed):
            note = self.runs[number].note()
            if len(note) > NOTE_BYTES_MAX:
                raise Failure(
                    f"which letters of {self.topic}[{number}] were sent no longer fits in {NOTE_BYTES_MAX} bytes; "
                    "this step was not sent. Leave fewer letters out between those that you send"
                )
            found[TopicPartition(self.topic, number)] = OffsetAndMetadata(self.runs[number].next_offset, note)
        self._changed.clear()
        return found


async def remembered(bootstrap: str, group: str, topic: str) -> Memory:
    """What earlier runs have sent; raises Failure if a note cannot be read."""
    async with administering(bootstrap, "churnwatch-dlq") as admin:
        offsets = await _committed(admin, group)
    runs = {}
    for tp, offset in offsets.items():
        if tp.topic == topic and offset.offset >= 0 and offset.metadata:
            try:
                runs[tp.partition] = Runs.read(offset.metadata)
            except ValueError as error:
                raise Failure(f"group {group} holds something else for {topic}[{tp.partition}]: {error}") from error
    return Memory(topic, runs)


async def _committed(admin: AIOKafkaAdminClient, group: str) -> Any:
    """What a group committed. A broker that never had a group makes the topic for them at the first question."""
    until_s = asyncio.get_running_loop().time() + COORDINATOR_S
    while True:
        try:
            return await admin.list_consumer_group_offsets(group)
        except (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError) as error:
            if asyncio.get_running_loop().time() > until_s:
                raise Failure(f"Kafka does not say what group {group} remembers: {explained(error)}") from error
            await asyncio.sleep(0.2)


async def replay(options: ReplayLetters) -> Replayed:
    """Send the letters that pass the filters; raises Failure for a missing topic or broker, or what Kafka refuses."""
    if options.dry_run:
        return await _run(options, None)
    producer = AIOKafkaProducer(
        **client_options(options.bootstrap, "churnwatch-dlq"),
        transactional_id=options.group,
        transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
        max_request_size=RECORD_BYTES_MAX,
        linger_ms=5,
    )
    try:
        async with started(producer, options.bootstrap):
            return await _run(options, producer)
    except KafkaError as error:
        raise Failure(f"Kafka refused a step, and nothing of it was sent: {explained(error)}") from error


async def _run(options: ReplayLetters, producer: AIOKafkaProducer | None) -> Replayed:
    filters = options.filters
    async with reading(options.bootstrap, "churnwatch-dlq") as consumer:
        # After the producer has started: that ends what a killed run left open.
        memory = await remembered(options.bootstrap, options.group, filters.prefix + DEAD_LETTERS)
        sender = Sender(options, producer, memory)
        await _find_inputs(consumer, filters.prefix)
        tps = [TopicPartition(memory.topic, n) for n in await partitions_of(consumer, memory.topic, filters.prefix)]
        # Before anything is sent: what is refused again comes back as a new letter, which is for the next run.
        ends = await consumer.end_offsets(tps)
        for tp in tps:
            if tp.partition in memory.runs:
                memory.runs[tp.partition].forget((await consumer.beginning_offsets([tp]))[tp])
            if not await _run_partition(options, consumer, tp.partition, ends[tp], sender):
                break
        await sender.step()
    return sender.done


async def _run_partition(options: ReplayLetters, consumer: Any, number: int, end: int, sender: Sender) -> bool:
    """Send what is to be sent of one partition, up to where it ended; False when enough was sent."""
    filters, memory, done = options.filters, sender.memory, sender.done
    since_ms = None if filters.since_s is None else int(filters.since_s * 1000)
    previous = None
    async for record in committed_records(consumer, memory.topic, number, since_ms=since_ms, end=end):
        letter = read_dead_letter(record.headers)
        if letter is not None and filters.admit(letter, record.timestamp):
            out = outgoing(Found(number, record, letter), filters.prefix)
            if out is None:
                done.homeless += 1
            elif memory.has(number, record.offset, previous) and not options.again:
                done.before += 1
            elif options.count is not None and done.sent.total() >= options.count:
                return False
            else:
                await sender.send(out, previous)
        previous = record.offset
    return True


class Sender:
    """Sends letters in transactions, with the memory of them; without a producer it only counts."""

    def __init__(self, options: ReplayLetters, producer: AIOKafkaProducer | None, memory: Memory) -> None:
        self.options, self.producer, self.memory = options, producer, memory
        self.done = Replayed()
        self._step: list[Outgoing] = []
        self._pace = None if options.rate_per_s is None or producer is None else Pace(options.rate_per_s)

    async def send(self, out: Outgoing, previous: int | None) -> None:
        """Put one letter into the step; hands the step over when it is full, or when the rate asks for a pause."""
        while self._pace is not None and not self._pace.room():
            await self.step()
            await asyncio.sleep(PACE_S)
        self._step.append(out)
        self.memory.add(out.found.partition, out.found.record.offset, previous)
        self.done.sent[out.topic, out.found.letter.reason] += 1
        if len(self._step) >= STEP_LETTERS:
            await self.step()

    async def step(self) -> None:
        """One transaction: the letters and the memory of them."""
        step, self._step = self._step, []
        if self.producer is None or not step:
            return
        offsets = self.memory.offsets()
        async with self.producer.transaction():
            sent = [await self.producer.send(o.topic, key=o.key, value=o.value, headers=o.headers) for o in step]
            await asyncio.gather(*sent)
            await self.producer.send_offsets_to_transaction(offsets, self.options.group)


async def _find_inputs(consumer: Any, prefix: str) -> None:
    cluster = await consumer._client.fetch_all_metadata()
    missing = [prefix + name for name in INPUT_TOPICS if not cluster.partitions_for_topic(prefix + name)]
    if missing:
        raise await no_topics(consumer._client, missing, prefix)
