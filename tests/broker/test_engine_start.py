"""What a worker says when it must not, or cannot yet, run: a line that names it, and the right exit code."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.kafka.choose import LocalBroker
from deploy.kafka.client import Kafka
from deploy.kafka.kafka import Broker, free_port
from schemas.topics import ALERTS, DEAD_LETTERS, JOURNAL
from tests.broker.harness import Feeder, Trial, together
from tests.broker.starved import frozen, full, slow
from tests.broker.traffic import journal_items

SESSION_S = 6.0


async def _admin(trial: Trial, *, delete: str, create: tuple[str, int] | None = None) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=trial.bootstrap)
    await admin.start()
    await admin.delete_topics([delete])
    if create:
        for _ in range(50):  # a deleted topic's name is free a little later
            made = await admin.create_topics([NewTopic(create[0], create[1], 1)])
            if not made.topic_errors[0][1]:
                break
            await asyncio.sleep(0.1)
    await admin.close()


def test_a_missing_topic_is_named(bootstrap: str, tmp_path: Path) -> None:
    async def missing(trial: Trial) -> None:
        await trial.create()
        await _admin(trial, delete=trial.named(DEAD_LETTERS))
        try:
            said = await trial.start().refused()
            assert trial.named(DEAD_LETTERS) in said
            assert "missing" in said
        finally:
            trial.end()

    asyncio.run(missing(Trial(bootstrap, tmp_path)))


def test_a_changelog_that_has_not_the_journals_partitions_is_named(bootstrap: str, tmp_path: Path) -> None:
    async def wrong_count(trial: Trial) -> None:
        await trial.create()
        await _admin(trial, delete=trial.changelog, create=(trial.changelog, 2))
        try:
            said = await trial.start().refused()
            assert trial.changelog in said
            assert "2 partitions" in said
        finally:
            trial.end()

    async def missing_is_made(trial: Trial) -> None:
        await trial.create()
        await _admin(trial, delete=trial.changelog)
        try:
            async with Feeder(trial.bootstrap) as feeder:
                await feeder.feed(trial.named(JOURNAL), journal_items(1, 5_000))
            worker = await trial.worked()
            assert worker.said("made the changelog") == 1
            await trial.assert_exact()
        finally:
            trial.end()

    trials = [Trial(bootstrap, tmp_path) for _ in range(2)]
    asyncio.run(together(wrong_count(trials[0]), missing_is_made(trials[1])))


def test_a_broker_that_is_away_at_start_is_waited_for_with_one_line(tmp_path: Path) -> None:
    async def away(trial: Trial) -> None:
        worker = trial.start()
        try:
            await asyncio.sleep(5.0)
            assert worker.process.poll() is None
            lines = worker.text().strip().splitlines()
            assert len(lines) == 1, lines
            assert trial.bootstrap in lines[0]
            assert await worker.stop() < 10.0
        finally:
            trial.end()

    asyncio.run(away(Trial(f"127.0.0.1:{free_port()}", tmp_path)))


@pytest.mark.parametrize("topic", [ALERTS, "changelog", "intake"])
def test_a_denied_write_is_named(denying_broker: LocalBroker, tmp_path: Path, topic: str) -> None:
    roles = "intake" if topic == "intake" else "detector"
    trial = Trial(denying_broker.bootstrap, tmp_path, CHURNWATCH_ROLES=roles)
    denied = {"changelog": trial.changelog, "intake": trial.named(JOURNAL)}.get(topic) or trial.named(topic)

    async def fed() -> None:
        await trial.create()
        async with Feeder(trial.bootstrap) as feeder:
            items = [(p, item) for p, item in journal_items(1, 4_000) if item[0] is not None]
            await feeder.feed(trial.named("usage.events" if topic == "intake" else JOURNAL), items)

    async def refused() -> None:
        try:
            said = await trial.start().refused()
            assert denied in said
            assert "write" in said.lower()
        finally:
            trial.end()

    asyncio.run(fed())
    Kafka(denying_broker.bootstrap).deny("write", denied)
    asyncio.run(refused())


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a process is starved as Linux lets one")
def test_a_broker_that_is_slow_stands_still_or_has_a_full_disk_loses_and_doubles_nothing(tmp_path: Path) -> None:
    async def starved(trial: Trial, broker: Broker) -> None:
        await trial.create()
        try:
            items = journal_items(4, 12_000)
            worker = trial.start()
            await worker.ready()
            async with Feeder(trial.bootstrap) as feeder:
                feeding = asyncio.create_task(feeder.feed(trial.named(JOURNAL), items[:8_000], per_s=3_000))
                await slow(broker, 3.0)
                await frozen(broker, SESSION_S + 1.0)
                await feeding
                await feeder.feed(trial.named(JOURNAL), items[8_000:10_000], chunk=2_000)
                await full(broker)  # while they are worked on
                broker.start()  # room was made
            async with Feeder(trial.bootstrap) as feeder:
                await feeder.feed(trial.named(JOURNAL), items[10_000:])
            await trial.caught_up()
            await worker.stop()
            await trial.assert_exact()
        finally:
            trial.end()

    with Broker(tmp_path / "kafka") as broker:
        asyncio.run(starved(Trial(broker.bootstrap, tmp_path), broker))


def test_a_broker_restarted_killed_or_away_at_the_stop_loses_and_doubles_nothing(
    own_broker: LocalBroker, tmp_path: Path
) -> None:
    async def restarted(trial: Trial) -> None:
        await trial.create()
        try:
            items = journal_items(2, 24_000)
            worker = trial.start(CHURNWATCH_STOP_DEADLINE_S="3")
            await worker.ready()
            for part, kill in ((items[:8_000], True), (items[8_000:16_000], False)):
                async with Feeder(trial.bootstrap) as feeder:
                    await feeder.feed(trial.named(JOURNAL), part, per_s=8_000)
                own_broker.restart(kill=kill, down_s=1.0)  # blocks, and must: its thread is its life
            await trial.caught_up()
            async with Feeder(trial.bootstrap) as feeder:
                await feeder.feed(trial.named(JOURNAL), items[16_000:])
            own_broker.kill()
            assert await worker.stop() < 10.0
            own_broker.start()
            await trial.worked()
            await trial.assert_exact()
        finally:
            trial.end()

    asyncio.run(restarted(Trial(own_broker.bootstrap, tmp_path)))
