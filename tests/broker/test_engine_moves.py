"""Partitions move between workers, and a worker that slept through it is refused."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from deploy.kafka.client import Kafka
from schemas.topics import JOURNAL
from streams.engine.errors import is_fenced
from streams.engine.transactions import Lanes, Transaction
from tests.broker.harness import Feeder, Trial, Worker, together
from tests.broker.traffic import journal_items


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
            sleeper = trial.start("sleeper", CHURNWATCH_CHECKPOINT_MS="3000")
            await sleeper.ready()
            await asyncio.sleep(1.5)  # it falls asleep with much applied and not committed
            sleeper.process.send_signal(signal.SIGSTOP)
            other = trial.start("other")
            await other.ready()  # takes everything over once the sleeper's session has passed
            await asyncio.sleep(0.5)
            sleeper.process.send_signal(signal.SIGCONT)
            await sleeper.ready(2)
            assert sleeper.said("another worker has taken over; dropping all state and joining again") == 1
            await other.ready(2)
            await feeding
            await trial.caught_up()
            await together(*(_stop(worker) for worker in (sleeper, other)))
        await trial.assert_exact()
    finally:
        trial.end()


async def _stop(worker: Worker) -> None:
    await worker.stop()


async def _fenced(app_id: str, bootstrap: str, topic: str) -> None:
    options = {"bootstrap_servers": bootstrap}
    old, new = Lanes(app_id, options), Lanes(app_id, options)
    await old.open({"0"})
    nothing = Transaction("0", {}, {TopicPartition(topic, 0): OffsetAndMetadata(1, "")})
    await old.commit(nothing)
    await new.open({"0"})
    with pytest.raises(Exception) as refused:  # noqa: PT011 - whichever of Kafka's two names for it
        await old.commit(nothing)
    assert is_fenced(refused.value)
    await new.commit(nothing)
    await old.close()
    await new.close()


def test_who_takes_a_lane_over_shuts_out_its_former_owner(bootstrap: str, app_id: str, prefix: str) -> None:
    topic = f"{prefix}lanes"
    Kafka(bootstrap).create(topic)
    asyncio.run(_fenced(app_id, bootstrap, topic))


def test_two_workers_one_killed_and_later_back(bootstrap: str, tmp_path: Path) -> None:
    trials = [Trial(bootstrap, tmp_path) for _ in range(2)]
    asyncio.run(together(*(_joins_is_killed_comes_back(trial, i) for i, trial in enumerate(trials))))


def test_a_worker_stopped_past_its_session_rejoins_clean(bootstrap: str, tmp_path: Path) -> None:
    trials = [Trial(bootstrap, tmp_path) for _ in range(2)]
    asyncio.run(together(*(_sleeps_past_its_session(trial, i) for i, trial in enumerate(trials))))
