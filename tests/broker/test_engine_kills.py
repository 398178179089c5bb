"""Killed at any point, a worker loses nothing and doubles nothing."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from schemas.topics import JOURNAL
from tests.broker.harness import Feeder, Trial, together
from tests.broker.traffic import journal_items

SEEDS = (1, 2, 3)
KILLS = 4


async def _killed_at_random(trial: Trial, seed: int) -> None:
    rng = random.Random(seed)
    await trial.create()
    try:
        async with Feeder(trial.bootstrap) as feeder:
            feeding = asyncio.create_task(feeder.feed(trial.named(JOURNAL), journal_items(seed, 24_000), per_s=3_000))
            for _ in range(KILLS):
                worker = trial.start(CHURNWATCH_INSTANCE_ID="w")
                await worker.ready()
                await asyncio.sleep(rng.uniform(0.0, 1.0))
                worker.kill()
            last = trial.start(CHURNWATCH_INSTANCE_ID="w")
            await feeding
            await last.ready()
            await trial.caught_up()
            assert await last.stop() < 10.0
        await trial.assert_exact()
    finally:
        trial.end()


@pytest.mark.parametrize("fold", ["standin", "detectors"])
def test_kill_9_at_random_points_loses_and_doubles_nothing(bootstrap: str, tmp_path: Path, fold: str) -> None:
    trials = [Trial(bootstrap, tmp_path, fold=fold) for _ in SEEDS]
    asyncio.run(together(*(_killed_at_random(trial, seed) for trial, seed in zip(trials, SEEDS, strict=True))))


async def _killed_while_recovering(trial: Trial, seed: int) -> None:
    rng = random.Random(seed)
    await trial.create()
    try:
        async with Feeder(trial.bootstrap) as feeder:
            items = journal_items(seed, 20_000, customers=20_000)
            await feeder.feed(trial.named(JOURNAL), items[:15_000], chunk=5_000)
            first = trial.start(CHURNWATCH_INSTANCE_ID="w")
            await first.ready()
            await trial.caught_up()
            first.kill()
            await feeder.feed(trial.named(JOURNAL), items[15_000:], chunk=5_000)
            for _ in range(4):
                worker = trial.start(CHURNWATCH_INSTANCE_ID="w")
                await worker.until(lambda worker=worker: worker.said("took over") > 0)  # type: ignore[misc]
                await asyncio.sleep(rng.uniform(0.0, 0.3))  # recovery begins now, and takes about so long
                worker.kill()
            await trial.worked(CHURNWATCH_INSTANCE_ID="w")
        await trial.assert_exact()
    finally:
        trial.end()


def test_kill_9_during_recovery_loses_and_doubles_nothing(bootstrap: str, tmp_path: Path) -> None:
    trials = [Trial(bootstrap, tmp_path) for _ in SEEDS[:2]]
    asyncio.run(together(*(_killed_while_recovering(trial, i) for i, trial in enumerate(trials))))


def test_sigterm_under_load_stops_cleanly_within_ten_seconds(bootstrap: str, tmp_path: Path) -> None:
    async def stopped_and_started(trial: Trial, after_s: float) -> None:
        await trial.create()
        try:
            async with Feeder(trial.bootstrap) as feeder:
                feed = feeder.feed(trial.named(JOURNAL), journal_items(7, 12_000), per_s=4_000)
                feeding = asyncio.create_task(feed)
                first = trial.start()
                await first.ready()
                await asyncio.sleep(after_s)
                assert await first.stop() < 10.0
                last = trial.start()  # no static membership: the first one left the group by itself
                await feeding
                await last.until(lambda: last.said("ready") > 0, 20.0)  # before the session of the first would end
                await trial.caught_up()
                await last.stop()
            await trial.assert_exact()
        finally:
            trial.end()

    async def stopped_before_ready(trial: Trial) -> None:
        await trial.create()
        try:
            for wait_for in ("starting", "took over"):
                worker = trial.start()
                await worker.until(lambda worker=worker, said=wait_for: worker.said(said) > 0)  # type: ignore[misc]
                assert await worker.stop() < 10.0
        finally:
            trial.end()

    trials = [Trial(bootstrap, tmp_path, CHURNWATCH_SESSION_TIMEOUT_MS="40000") for _ in range(3)]
    runs = [stopped_and_started(trials[0], 0.2), stopped_and_started(trials[1], 0.9), stopped_before_ready(trials[2])]
    asyncio.run(together(*runs))


async def _nothing_follows(trial: Trial, seed: int) -> None:
    await trial.create()
    try:
        items = journal_items(seed, 1_200)
        async with Feeder(trial.bootstrap) as feeder:
            for at in range(0, 1_200, 300):
                await feeder.feed(trial.named(JOURNAL), items[at : at + 300])
                worker = trial.start()
                await worker.ready()
                await trial.caught_up(wait_s=10.0)
                await worker.stop()
        await trial.assert_exact()
    finally:
        trial.end()


def test_what_was_there_before_a_start_is_read_though_nothing_follows_it(bootstrap: str, tmp_path: Path) -> None:
    """Faust drops fetches around a start; with nothing behind them no gap would ever show it."""
    trials = [Trial(bootstrap, tmp_path) for _ in range(3)]
    asyncio.run(together(*(_nothing_follows(trial, seed) for seed, trial in enumerate(trials))))
