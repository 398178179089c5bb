"""CHURNWATCH_CLOCK=events: history comes into the journal in one order, with its ticks, however often intake dies."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from schemas.intake import Accepted, read_event
from schemas.journal import DETECTOR_SOURCE, encode_heard, encode_tick
from schemas.topics import JOURNAL
from streams.engine.partitions import partition_of
from streams.heard import EVENTS_SPAN_S
from tests.broker.harness import Feeder, Trial, together
from tests.broker.traffic import Item, event, input_topic

TICK_S = 3_600
FAR_S = 4e9  # an intake clock that refuses nothing
Fed = dict[str, list[tuple[int, Item]]]


def history(seed: int, count: int, partitions: int) -> tuple[Fed, list[bytes]]:
    """Events by topic, each partition in order of time, three events of every time; and all values."""
    rng = random.Random(seed)
    by_topic: Fed = {}
    values = []
    for number in range(count):
        value = event(rng, number // 3, f"c-{rng.randrange(50)}")
        value = value.replace(b'"id":"e%d"' % (number // 3), b'"id":"e%d"' % number)
        by_topic.setdefault(input_topic(value), []).append((number % partitions, (None, value)))
        values.append(value)
    return by_topic, values


def expected_journal(values: list[bytes], partitions: int) -> dict[int, list[Item]]:
    """What the journal must hold, by partition: a tick T behind the events up to T, and one at the very end.

    Before the first event of an input topic in each new span every partition is told that the topic was heard.
    """
    found = []
    for value in values:
        verdict = read_event(value, (), FAR_S)
        assert isinstance(verdict, Accepted)
        seen = verdict.event
        found.append((seen.time.timestamp(), seen.source, seen.id, seen.subject.encode(), value))
    spans: dict[str, int] = {}
    found.sort()
    journal: dict[int, list[Item]] = {p: [] for p in range(partitions)}
    tick_s = -(-int(found[0][0]) // TICK_S) * TICK_S
    for time_s, _, _, key, value in found:
        while tick_s < time_s:
            for items in journal.values():
                items.append((None, encode_tick(tick_s)))
            tick_s += TICK_S
        topic, span = input_topic(value), int(time_s) // EVENTS_SPAN_S
        if span > spans.get(topic, -1):
            spans[topic] = span
            for items in journal.values():
                items.append((None, encode_heard(topic, int(time_s))))
        journal[partition_of(key, partitions)].append((key, value))
    for at_s in sorted({int(found[-1][0])} | ({tick_s} if tick_s <= found[-1][0] else set())):
        for items in journal.values():
            items.append((None, encode_tick(at_s)))
    return journal


async def _assert_journal(trial: Trial, values: list[bytes]) -> None:
    journal = await trial.read(trial.named(JOURNAL))
    for number, items in expected_journal(values, len(journal)).items():
        left = [
            (r.key, r.value) for r in journal[number] if r.key is not None or DETECTOR_SOURCE.encode() not in r.value
        ]
        assert len(left) == len(items)
        assert left == items


async def _killed(trial: Trial, seed: int, kills: int) -> None:
    rng = random.Random(seed)
    await trial.create()
    by_topic, values = history(seed, 9_000, 3)
    try:
        async with _Feeders(trial, by_topic) as feeding:
            for _ in range(kills):  # a worker gives nothing out before the unused partitions are idle
                worker = trial.start(CHURNWATCH_INSTANCE_ID="w")
                await worker.ready()
                await asyncio.sleep(rng.uniform(1.5, 3.5))
                worker.kill()
            last = trial.start(CHURNWATCH_INSTANCE_ID="w")
            await last.ready()
            await feeding
        await trial.caught_up("intake")
        if "detector" in trial.settings.roles:
            await trial.caught_up("detector")
        await last.stop()
        await _assert_journal(trial, values)
        if "detector" in trial.settings.roles:
            await trial.assert_exact()
    finally:
        trial.end()


class _Feeders:
    """One producer per topic, all at once, so that no partition is quiet for long before its end."""

    def __init__(self, trial: Trial, by_topic: Fed) -> None:
        self.trial, self.by_topic = trial, by_topic

    async def __aenter__(self) -> asyncio.Future[list[None]]:
        self._running = asyncio.gather(*(self._feed(topic, items) for topic, items in self.by_topic.items()))
        return self._running

    async def __aexit__(self, *_: object) -> None:
        if not self._running.done():
            self._running.cancel()

    async def _feed(self, topic: str, items: list[tuple[int, Item]]) -> None:
        async with Feeder(self.trial.bootstrap) as feeder:
            pace = len(items) / 10.0
            await feeder.feed(self.trial.named(topic), items, chunk=max(30, int(pace / 8)), per_s=pace)


def test_history_is_one_order_with_its_ticks_though_intake_is_killed(bootstrap: str, tmp_path: Path) -> None:
    alone = {"CHURNWATCH_ROLES": "intake", "CHURNWATCH_CLOCK": "events", "CHURNWATCH_IDLE_S": "2"}
    both = {**alone, "CHURNWATCH_ROLES": "intake,detector"}
    trials = [Trial(bootstrap, tmp_path, **alone), Trial(bootstrap, tmp_path, fold="detectors", **both)]
    asyncio.run(together(_killed(trials[0], 1, 3), _killed(trials[1], 2, 2)))


def test_a_second_worker_is_refused_when_time_comes_from_the_events(bootstrap: str, tmp_path: Path) -> None:
    async def refused(trial: Trial) -> None:
        await trial.create()
        try:
            one = trial.start("one")
            await one.ready()
            two = trial.start("two")
            for _ in range(300):
                if two.process.poll() is not None:
                    break
                await asyncio.sleep(0.1)
            assert two.process.returncode == 1
            assert "CHURNWATCH_CLOCK=events needs one worker" in two.text()
            assert "Traceback" not in two.text()
        finally:
            trial.end()

    asyncio.run(refused(Trial(bootstrap, tmp_path, CHURNWATCH_ROLES="intake", CHURNWATCH_CLOCK="events")))
