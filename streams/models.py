"""What models there are, and what is asked of the learner: `churnwatch model`.

Rules: a command is a record of `churn.examples`, where the learner finds it in order with what it learns from; what
answers is the row `models` of `churn.insights`, which names the command; whoever waits stands at the end of that topic
before the command goes out. What is shown is what the learner said of itself, from Kafka or from a file of a replay.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.insights import Insight
from schemas.insights_models import MODELS_ID, CommandAnswer, Models
from schemas.model_commands import ModelCommand, encode_command
from schemas.topics import EXAMPLES, INSIGHTS
from streams.brokers import started
from streams.engine.partitions import partition_of
from streams.failures import Failure
from streams.insights import in_file
from streams.learner_state import newest_rows
from streams.publisher import Publisher, make_producer
from streams.topic_reader import POLL_MS, partitions_of, reading

CLIENT: Final = "churnwatch-model"
Row = TypeVar("Row", bound=Insight)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the learner's rows are: on a broker, or in a file that a replay wrote."""

    bootstrap: str
    prefix: str = ""
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What the learner said of a command, and the row that it said it in."""

    answer: CommandAnswer
    row: Models


async def row_of(place: Place, insight_id: str, kind: type[Row]) -> Row:
    """The newest row of an id; raises Failure where there is none, or it cannot be read."""
    value = (
        next((row.value for row in in_file(place.file) if row.insight_id == insight_id), None)
        if place.file is not None
        else await _on_broker(place, insight_id)
    )
    if value is None:
        where = place.file if place.file is not None else place.prefix + INSIGHTS
        raise Failure(f"{where} has no row {insight_id}: it is written when a model is handed over for the first time")
    try:
        return msgspec.json.decode(value, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Failure(f"the row {insight_id} is not of this release: {error}") from None


async def _on_broker(place: Place, insight_id: str) -> bytes | None:
    key = insight_id.encode()
    async with reading(place.bootstrap, CLIENT) as consumer:
        rows = await newest_rows(consumer, await _insights(consumer, place.prefix, key), key, 1)
    return rows[0] if rows else None


async def _insights(consumer: AIOKafkaConsumer, prefix: str, key: bytes) -> TopicPartition:
    """The partition of `churn.insights` that has a key."""
    topic = prefix + INSIGHTS
    return TopicPartition(topic, partition_of(key, len(await partitions_of(consumer, topic, prefix))))


async def ask(place: Place, command: ModelCommand, wait_s: float) -> Answered | None:
    """Send a command and wait for its answer; None if none came in time. Raises Failure where it is not in Kafka."""
    key = MODELS_ID.encode()
    async with reading(place.bootstrap, CLIENT) as consumer:
        tp = await _insights(consumer, place.prefix, key)
        consumer.assign([tp])
        await consumer.seek_to_end(tp)
        await consumer.position(tp)  # now, and not when the first record is asked for
        await _send(place, command)
        until_s = asyncio.get_running_loop().time() + wait_s
        while asyncio.get_running_loop().time() < until_s:
            for record in (await consumer.getmany(tp, timeout_ms=POLL_MS)).get(tp, ()):
                found = _answer_in(record.value, command.id) if record.key == key else None
                if found is not None:
                    return found
    return None


async def _send(place: Place, command: ModelCommand) -> None:
    async with started(make_producer(place.bootstrap), place.bootstrap) as producer:
        publisher = Publisher(producer, place.prefix)
        await publisher.find_topics([EXAMPLES])
        await publisher.add(EXAMPLES, None, encode_command(command))
        await publisher.flush()
    if publisher.undelivered:
        raise Failure(f"the command is not in Kafka: {publisher.undelivered[0].reason}")


def _answer_in(value: bytes | None, command_id: str) -> Answered | None:
    if value is None:
        return None
    try:
        row = msgspec.json.decode(value, type=Models)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None  # of a later release, which says it again to those who can read it
    return next((Answered(answer, row) for answer in reversed(row.answers) if answer.id == command_id), None)
