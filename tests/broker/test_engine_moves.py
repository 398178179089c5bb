"""Partitions move between workers, and a worker that slept through it is refused."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from schemas.topics import JOURNAL
from tests.broker.harness import Feeder, Trial, journal_items, together


async def _joins_is_killed_comes_back(trial: Trial, seed: int) -> None:
    await trial.create(churn_journal=4, churn_alerts=4)
    try:
        async with Feeder(trial.bootstrap) as feeder:
            items = journal_items(seed, 40_000, partitions=4)
            feeding = asyncio.create_task(feeder.feed(trial.named(JOURNAL), items, per_s=2_200))
            one = trial.start("one")
            await one.ready()
            two = trial.start("two")
            await two.ready()
            await one.ready(2)
            await asyncio.sleep(0.5)
            two.kill()  # its partitions come to `one` when its session is over
            await one.ready(3)
            back = trial.start("back")
            await back.ready()
            await one.ready(4)
            await one.stop()
            await back.ready(2)
            await feeding
            await trial.caught_up()
            await back.stop()
        await trial.assert_exact()
    finally:
        trial.end()


async def _sleeps_past_its_session(trial: Trial, seed: int) -> None:
    await trial.create()
    try:
        async with Feeder(trial.bootstrap) as feeder:
            feed = feeder.feed(trial.named(JOURNAL), journal_items(seed, 30_000), per_s=2_000)
            feeding = asyncio.create_task(feed)
            sleeper = trial.start("sleeper")
            await sleeper.ready()
            await asyncio.sleep(0.7)
            sleeper.process.send_signal(signal.SIGSTOP)
            other = trial.start("other")
            await other.ready()  # takes everything over once the sleeper's session has passed
            await asyncio.sleep(0.5)
            sleeper.process.send_signal(signal.SIGCONT)
            await sleeper.ready(2)
            await other.ready(2)
            await feeding
            await trial.caught_up()
            await together(*(_stop(worker) for worker in (sleeper, other)))
        await trial.assert_exact()
    finally:
        trial.end()


async def _stop(worker: object) -> None:
    await worker.stop()  # type: ignore[attr-defined]


def test_two_workers_one_killed_and_later_back(bootstrap: str, tmp_path: Path) -> None:
    trials = [Trial(bootstrap, tmp_path) for _ in range(2)]
    asyncio.run(together(*(_joins_is_killed_comes_back(trial, i) for i, trial in enumerate(trials))))


def test_a_worker_stopped_past_its_session_rejoins_clean(bootstrap: str, tmp_path: Path) -> None:
    trials = [Trial(bootstrap, tmp_path) for _ in range(2)]
    asyncio.run(together(*(_sleeps_past_its_session(trial, i) for i, trial in enumerate(trials))))
