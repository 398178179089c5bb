"""Simulated traffic to a file, or live to Kafka: `churnwatch simulate`."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import orjson

from schemas.topics import INPUT_TOPICS
from streams.brokers import started
from streams.failures import Failure
from streams.lines import open_output
from streams.progress import Progress, Silent
from streams.publisher import Publisher, make_producer
from streams.simulation.desk import answers
from streams.simulation.dice import Dice
from streams.simulation.faults import Silence, broken_copy, with_faults, without_silent
from streams.simulation.happenings import DAY_S
from streams.simulation.live import LiveLives
from streams.simulation.people import make_world
from streams.simulation.population import LEAVING_SHARE, stories, told_in_order, truth
from streams.simulation.wire import Emission, Told, emission
from streams.tail import TailOptions, tail

PACE_S: Final = 0.05
"""Live traffic is handed over this often."""

USAGE: Final = "usage.events"


@dataclass(frozen=True, slots=True)
class SimulateOptions:
    """Who is simulated, from when, for how long, and where it goes; `-` is standard output."""

    customers: int
    days: float
    seed: int
    start_s: float
    out: str
    truth: str | None = None
    faults: bool = False
    leaving_share: float = LEAVING_SHARE
    """About so many of the customers leave."""
    storms_s: tuple[float, ...] = ()
    """When an outage begins that most customers meet, in seconds since the Unix epoch."""
    silences: tuple[Silence, ...] = ()
    progress: Progress = field(default_factory=Silent)
    """Told the number of days, and how many of them have been written."""


def simulate_to_file(options: SimulateOptions) -> int:
    """Write all events as JSON lines, and the truth about the customers; returns how many lines were written."""
    world = make_world(options.seed, options.start_s, options.start_s + options.days * DAY_S, options.storms_s)
    told = stories(world, options.customers, options.leaving_share)
    emissions: Iterator[Emission] = map(emission, told_in_order(told))
    if options.silences:
        emissions = without_silent(emissions, options.silences)
    if options.faults:
        emissions = with_faults(emissions, Dice(f"{options.seed}/faults"))
    options.progress.expect(round(options.days))
    lines = days = 0
    with open_output(options.out) as out:
        for one in emissions:
            out.write(one.value + b"\n")
            lines += 1
            passed = min(int((one.time_s - options.start_s) / DAY_S), round(options.days))
            if passed > days:
                options.progress.advance(passed - days)
                days = passed
    if options.truth is not None:
        with open_output(options.truth) as out:
            for story in told:
                out.write(orjson.dumps(truth(story)) + b"\n")
    return lines


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """Live traffic: how many customers with how long a past, how fast, to which broker, for how long."""

    customers: int
    history_days: float
    rate_per_s: float
    bootstrap: str
    prefix: str = ""
    seed: int | None = None
    """None takes one from the clock, so that a second run is not taken for duplicates of the first."""
    leaving_share: float = LEAVING_SHARE
    faults: bool = False
    lasts_s: float | None = None
    """Stop after so many seconds; None goes on until stopped."""


async def simulate_live(options: LiveOptions, progress: Progress | None = None) -> int:
    """Publish the past at once, then live traffic at the rate; returns how many records were delivered.

    Raises Failure for a missing topic or broker, and when the broker takes records no more.
    """
    now_s = time.time()
    seed = int(now_s) % 1_000_000 if options.seed is None else options.seed
    async with started(make_producer(options.bootstrap), options.bootstrap) as producer:
        live = _Live(options, Publisher(producer, options.prefix), Dice(f"{seed}/live"))
        await live.publisher.find_topics(INPUT_TOPICS)
        # Told twice, the bulk of it last: a worker then knows who its customers are before it sees what they use.
        who = (seed, options.customers, now_s, options.history_days, options.leaving_share)
        for_facts, lives = LiveLives(*who), LiveLives(*who)
        await live.tell_past(for_facts, progress or Silent(), usage=False)
        await live.tell_past(lives, progress or Silent(), usage=True)
        desk = asyncio.create_task(live.watch_alerts())
        try:
            await live.go_on(lives)
        finally:
            desk.cancel()
            await asyncio.gather(desk, return_exceptions=True)
        return live.publisher.delivered


class _Live:
    """Live traffic: what the customers do, and what the retention desk does about the alerts."""

    def __init__(self, options: LiveOptions, publisher: Publisher, dice: Dice) -> None:
        self.options, self.publisher, self.dice = options, publisher, dice
        self.answers: list[tuple[float, int, Told]] = []
        self.answered = self.broken = 0

    async def tell_past(self, lives: LiveLives, progress: Progress, *, usage: bool) -> None:
        """Publish what is past, either use or all else."""
        past = (one for one in map(emission, lives.past()) if (one.topic == USAGE) == usage)
        for one in with_faults(past, self.dice.branch(f"past {usage}")) if self.options.faults else past:
            await self._send(one)
            progress.advance(1)
        await self._flush()

    async def go_on(self, lives: LiveLives) -> None:
        """Live traffic from now on, evenly at the rate, until the time is over."""
        lasts_s = self.options.lasts_s
        began_s = time.monotonic()
        sent = 0
        while lasts_s is None or time.monotonic() - began_s < lasts_s:
            due = int((time.monotonic() - began_s) * self.options.rate_per_s)
            for _ in range(due - sent):
                await self._send(emission(lives.next_at(time.time())))
                await self._send_faults(lives)
            sent = max(sent, due)
            while self.answers and self.answers[0][0] <= time.time():
                await self._send(emission(heapq.heappop(self.answers)[2]))
            await self._flush()
            await asyncio.sleep(PACE_S)

    async def watch_alerts(self) -> None:
        """Let the desk answer alerts as they come; without the alerts' topic there is no desk."""
        with suppress(Failure):
            async for seen in tail(TailOptions(self.options.bootstrap, self.options.prefix)):
                for told in answers(seen.event, time.time(), self.dice.branch(seen.event.id)):
                    self.answered += 1
                    heapq.heappush(self.answers, (told.time_s, self.answered, told))

    async def _send_faults(self, lives: LiveLives) -> None:
        if not self.options.faults or not self.dice.chance(0.02):
            return
        one = emission(lives.next_at(time.time()))
        await self._send(one)
        await self._send(one)
        await self._send(broken_copy(one, self.broken))
        self.broken += 1

    async def _send(self, one: Emission) -> None:
        await self.publisher.add(one.topic, one.customer_id.encode(), one.value)

    async def _flush(self) -> None:
        await self.publisher.flush()
        if self.publisher.undelivered:
            reason = self.publisher.undelivered[0].reason
            raise Failure(f"the broker did not take {self.publisher.undelivered_records} records: {reason}")
