"""From an event on an input topic to its alert at a read_committed reader, through the whole worker, at one rate."""

from __future__ import annotations

import asyncio
import contextlib
import random
import tempfile
import time
from statistics import quantiles
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.cluster import Setup, Worker, fresh_topics
from benchmarks.events import MIX, Cast, customer_id, encode, rfc3339
from benchmarks.report import Row, at_most
from schemas.events import TOPIC_OF_TYPE
from schemas.topics import ALERTS

RATE_PER_S = 2_000
STEP_S = 0.01
CUSTOMERS = 20_000
PROBES_PER_S = 40
LAST_ALERTS_S = 3.0
SETTLE_S = 4.0  # what leads up to the probes is sent, and applied, before the first of them

Event = tuple[str, str, str]
"""Event type, customer, data as JSON text."""


class Probe(NamedTuple):
    """A customer whose last event opens an alert, and whether policy has that event looked at at once."""

    customer: str
    before: tuple[Event, ...]
    last: Event
    urgent: bool


def probe(number: int) -> Probe:
    """Every second probe is a look at the cancel page, which is urgent; the others are a payment that fails again."""
    who = f"probe{number:05d}"
    steps: tuple[Event, ...]
    if number % 2:
        steps = (
            ("usage.data.exported", who, "{}"),
            ("billing.auto_renew.disabled", who, "{}"),
            ("usage.cancel_page.viewed", who, "{}"),
        )
    else:
        steps = tuple(
            ("billing.payment.failed", who, f'{{"invoice_id":"{who}-{each}","attempt":1}}') for each in range(3)
        )
    return Probe(who, steps[:-1], steps[-1], bool(number % 2))


UNRATIONED = "[budget]\nper_day_per_1000 = 1000.0\nburst = 10000\n"  # every probe is to be answered at once


class Latencies(NamedTuple):
    """Seconds from send to receipt of the alerts that came, and how many did not."""

    urgent: list[float]
    ticked: list[float]
    missing: int
    sent_per_s: float


async def traffic(setup: Setup, seconds: float) -> Latencies:
    """Send background events and probes at the rate, and time the alerts."""
    producer = AIOKafkaProducer(bootstrap_servers=setup.bootstrap, acks="all", linger_ms=0)
    consumer = AIOKafkaConsumer(
        setup.named(ALERTS),
        bootstrap_servers=setup.bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
    )
    await producer.start()
    await consumer.start()
    sent_at: dict[str, float] = {}
    heard_at: dict[str, float] = {}
    probes = [probe(number) for number in range(int(seconds * PROBES_PER_S))]
    listening = asyncio.create_task(_listen(consumer, heard_at))
    try:
        started_s = time.perf_counter()
        count = await _send(setup, producer, probes, seconds, sent_at)
        took_s = time.perf_counter() - started_s
        await asyncio.sleep(LAST_ALERTS_S)
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
        await consumer.stop()
        await producer.stop()
    urgent = [heard_at[p.customer] - sent_at[p.customer] for p in probes if p.urgent and p.customer in heard_at]
    ticked = [heard_at[p.customer] - sent_at[p.customer] for p in probes if not p.urgent and p.customer in heard_at]
    return Latencies(urgent, ticked, len(probes) - len(urgent) - len(ticked), count / took_s)


async def _listen(consumer: Any, heard_at: dict[str, float]) -> None:
    async for record in consumer:
        heard_at.setdefault(record.key.decode(), time.perf_counter())


async def _send(setup: Setup, producer: Any, probes: list[Probe], seconds: float, sent_at: dict[str, float]) -> int:
    """Everything that is sent, a hundred times a second; the probes are spread evenly after the settling time."""
    rng = random.Random(11)
    cast, kinds, weights = Cast(rng), list(MIX), list(MIX.values())
    before = [event for each in probes for event in each.before]
    per_step, before_per_step = round(RATE_PER_S * STEP_S), -(-len(before) // int((SETTLE_S - 1.5) / STEP_S))
    waiting = list(reversed(probes))
    futures: list[asyncio.Future[Any]] = []
    count, started_s = 0, time.perf_counter()
    for step in range(int((SETTLE_S + seconds) / STEP_S) + 1):
        await asyncio.sleep(max(0.0, started_s + step * STEP_S - time.perf_counter()))
        events = before[:before_per_step]
        del before[:before_per_step]
        due = int((step * STEP_S - SETTLE_S) * PROBES_PER_S)
        while waiting and len(probes) - len(waiting) < due:
            events.append(waiting.pop().last)
        for number in rng.choices(range(CUSTOMERS), k=max(0, per_step - len(events))):
            kind, data = cast.next(number, rng.choices(kinds, weights)[0])
            events.append((kind, customer_id(number), data))
        when = rfc3339(time.time())
        for kind, who, data in events:
            value = encode(kind, f"l{count:011d}", who, when, data)
            count += 1
            sent_at[who] = time.perf_counter()  # the newest event of a probe is the one that opens its alert
            futures.append(await producer.send(setup.named(TOPIC_OF_TYPE[kind]), value, key=who.encode()))
    await asyncio.gather(*futures)
    return count


def measure(bootstrap: str, *, seconds: float = 25.0) -> list[Row]:
    """Percentiles of the time from an event to its alert."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as policy:
        policy.write(UNRATIONED)
        policy.flush()
        with (
            fresh_topics(bootstrap) as setup,
            Worker(setup, "intake,detector", "wall", CHURNWATCH_POLICY=policy.name) as worker,
        ):
            worker.await_said("ready", "detector")
            worker.await_said("ready", "intake")
            found = asyncio.run(traffic(setup, seconds))
    everything = sorted(found.urgent + found.ticked)
    total = len(everything) + found.missing
    rate = f"{found.sent_per_s:,.0f} ev/s sent"
    return [
        at_most(f"event → alert, p99, {rate}", _percentile(everything, 99), 600, "ms"),
        at_most("event → alert, p50", _percentile(everything, 50), None, "ms"),
        at_most("of events that policy marks urgent, p99", _percentile(found.urgent, 99), None, "ms"),
        at_most("of events that wait for a tick, p99", _percentile(found.ticked, 99), None, "ms"),
        Row("alerts that did not come", f"{found.missing} of {total}", "0", not found.missing),
    ]


def _percentile(seconds: list[float], percent: int) -> float:
    """A percentile in milliseconds; infinite where there is nothing to tell it from."""
    return 1000 * quantiles(seconds, n=100)[percent - 1] if len(seconds) > 1 else float("inf")
