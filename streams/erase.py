"""Requests to erase customers, and the receipts for them: `churnwatch erase`.

Rules: a request is an event like any other, on `retention.feedback`, keyed by the customer; what answers is a row of
`churn.insights` whose key is made of the request's own `source` and `id`, so nobody else's receipt can be taken for
it; whoever waits stands at the end of that topic before the request goes out.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from aiokafka import TopicPartition

from schemas.erasure import Erased, receipt_key, receipt_of
from schemas.events import decode_event
from schemas.times import rfc3339
from schemas.topics import INSIGHTS
from streams.brokers import started
from streams.failures import Failure, WrongUsage
from streams.publisher import Publisher, make_producer
from streams.topic_reader import POLL_MS, partitions_of, reading

FEEDBACK: Final = "retention.feedback"
SOURCE: Final = "churnwatch/erase"
CLIENT: Final = "churnwatch-erase"
decode_receipt: Final = msgspec.json.Decoder(Erased).decode


@dataclass(frozen=True, slots=True)
class EraseOptions:
    """Whom to erase, on which broker, and how long to wait for the receipts."""

    bootstrap: str
    customers: tuple[str, ...]
    prefix: str = ""
    request_id: str = ""
    """What the requests are called elsewhere; empty: a new name. It is not in the receipt."""
    wait_s: float | None = None
    """None: do not wait."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of the requests: the number of each receipt in the order of the customers, and those that came."""

    receipts: tuple[str, ...]
    arrived: dict[str, Erased]

    @property
    def missing(self) -> int:
        """How many receipts have not come."""
        return len(self.receipts) - len(self.arrived)


def request(customer: str, request_id: str, event_id: str, now_s: float) -> bytes:
    """The event that asks for an erasure; raises WrongUsage for what cannot be a customer's id."""
    value = msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": SOURCE,
            "type": "privacy.erasure.requested",
            "subject": customer,
            "time": rfc3339(int(now_s)),
            "data": {"request_id": request_id},
        }
    )
    try:
        decode_event(value)
    except msgspec.MsgspecError as error:
        raise WrongUsage(f"this cannot be asked for: {error}") from None
    return value


async def erase(options: EraseOptions) -> Asked:
    """Ask, and wait if that is wanted; raises Failure where a request is not in Kafka, or Kafka cannot be reached."""
    ids = [uuid.uuid4().hex for _ in options.customers]
    name, now_s = options.request_id or uuid.uuid4().hex, time.time()
    values = [request(who, name, one, now_s) for who, one in zip(options.customers, ids, strict=True)]
    receipts = tuple(receipt_of(SOURCE, one) for one in ids)
    if options.wait_s is None:
        await _ask(options, values)
        return Asked(receipts, {})
    async with reading(options.bootstrap, CLIENT) as consumer:
        topic = options.prefix + INSIGHTS
        tps = [TopicPartition(topic, number) for number in await partitions_of(consumer, topic, options.prefix)]
        consumer.assign(tps)
        await consumer.seek_to_end(*tps)
        for tp in tps:
            await consumer.position(tp)  # now, and not when the first record is asked for
        await _ask(options, values)
        return Asked(receipts, await _await_all(consumer, receipts, options.wait_s))


async def _ask(options: EraseOptions, values: list[bytes]) -> None:
    async with started(make_producer(options.bootstrap), options.bootstrap) as producer:
        publisher = Publisher(producer, options.prefix)
        await publisher.find_topics([FEEDBACK])
        for customer, value in zip(options.customers, values, strict=True):
            await publisher.add(FEEDBACK, customer.encode(), value)
        await publisher.flush()
    if publisher.undelivered:
        raise Failure(f"{publisher.undelivered_records} requests are not in Kafka: {publisher.undelivered[0].reason}")


async def _await_all(consumer: Any, receipts: tuple[str, ...], wait_s: float) -> dict[str, Erased]:
    """The receipts that come in time."""
    wanted = {receipt_key(receipt).encode() for receipt in receipts}
    arrived: dict[str, Erased] = {}
    until_s = asyncio.get_running_loop().time() + wait_s
    while len(arrived) < len(wanted) and asyncio.get_running_loop().time() < until_s:
        for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
            for record in records:
                if record.key in wanted and record.value is not None:
                    receipt = decode_receipt(record.value)
                    arrived[receipt.receipt] = receipt
    return arrived
