"""Alerts as they come: `churnwatch alerts tail`. Reads without a group, commits nothing, disturbs nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, get_args

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.alerts import AlertEvent, RiskLevel, decode_alert
from schemas.topics import ALERTS
from streams.topic_reader import POLL_MS, partitions_of, reading

LEVELS: Final[tuple[RiskLevel, ...]] = get_args(RiskLevel)


@dataclass(frozen=True, slots=True)
class TailOptions:
    """Which alerts, from where, and when to stop."""

    bootstrap: str
    prefix: str = ""
    from_beginning: bool = False
    level: RiskLevel | None = None
    """Only alerts of this level or above."""
    customer: str | None = None
    count: int | None = None
    """Stop after so many."""
    timeout_s: float | None = None
    """Stop after so many seconds."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One alert revision: its bytes as they are on the topic, and the same decoded."""

    value: bytes
    event: AlertEvent


def is_wanted(event: AlertEvent, options: TailOptions) -> bool:
    """Whether an alert passes the filters."""
    if options.customer is not None and event.data.customer_id != options.customer:
        return False
    return options.level is None or LEVELS.index(event.data.risk_level) >= LEVELS.index(options.level)


async def tail(options: TailOptions) -> AsyncGenerator[Seen, None]:
    """The wanted alerts in the order of their partitions, until count or timeout; only those that were committed.

    Raises Failure for a missing topic or broker. What is on the topic and is no alert is passed over.
    """
    async with (
        reading(options.bootstrap, "churnwatch-tail") as consumer,
        aclosing(_read(consumer, options)) as alerts,
    ):
        async for seen in alerts:
            yield seen


async def _read(consumer: AIOKafkaConsumer, options: TailOptions) -> AsyncGenerator[Seen, None]:
    loop = asyncio.get_running_loop()
    ends_s = None if options.timeout_s is None else loop.time() + options.timeout_s
    await _assign(consumer, options)
    left = options.count
    while left is None or left > 0:
        if ends_s is not None and loop.time() >= ends_s:
            return
        for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
            for record in records:
                seen = _decoded(record.value)
                if seen is None or not is_wanted(seen.event, options):
                    continue
                yield seen
                left = None if left is None else left - 1
                if left == 0:
                    return


async def _assign(consumer: AIOKafkaConsumer, options: TailOptions) -> None:
    topic = options.prefix + ALERTS
    partitions = [TopicPartition(topic, number) for number in await partitions_of(consumer, topic, options.prefix)]
    consumer.assign(partitions)
    if options.from_beginning:
        await consumer.seek_to_beginning(*partitions)
    else:
        await consumer.seek_to_end(*partitions)


def _decoded(value: bytes | None) -> Seen | None:
    if value is None:
        return None
    try:
        return Seen(value, decode_alert(value))
    except msgspec.MsgspecError:
        return None
