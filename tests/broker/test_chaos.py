"""What goes wrong around workers, each with its promise: nothing lost and nothing doubled, or a stop with a clear word.

Kills, long sleeps, restarts of the broker and compaction are in the files beside this one; `make soak` mixes all of it.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import CoordinationType
from aiokafka.protocol.admin import DeleteGroupsRequest

from schemas.journal import encode_tick
from schemas.topics import ALERTS, DEAD_LETTERS, JOURNAL
from tests.broker.harness import Feeder, Trial, together
from tests.broker.starved import no_room
from tests.broker.traffic import journal_items

HOUR_S = 3_600


async def _one_three_one(trial: Trial) -> None:
    await trial.create(churn_journal=4)
    try:
        async with Feeder(trial.bootstrap) as feeder:
            items = journal_items(11, 15_000, partitions=4)
            feeding = asyncio.create_task(feeder.feed(trial.named(JOURNAL), items, per_s=3_000))
            one = trial.start("one")
            await one.ready()
            no_room(one.process.pid)
            others = [trial.start("two"), trial.start("three")]
            await together(*(worker.ready() for worker in others))
            for worker in others:
                await worker.stop()
            await feeding
            await trial.caught_up()
            await one.stop()
        await trial.assert_exact()
    finally:
        trial.end()


def test_from_one_worker_to_three_and_back_under_load_with_a_full_disk_nothing_is_lost_or_doubled(
    bootstrap: str, tmp_path: Path
) -> None:
    asyncio.run(_one_three_one(Trial(bootstrap, tmp_path)))


async def _one_name_for_two(trial: Trial) -> None:
    await trial.create(churn_journal=4)
    try:
        async with Feeder(trial.bootstrap) as feeder:
            feed = feeder.feed(trial.named(JOURNAL), journal_items(12, 9_000, partitions=4), per_s=2_500)
            feeding = asyncio.create_task(feed)
            one = trial.start("one", CHURNWATCH_INSTANCE_ID="w")
            await one.ready()
            two = trial.start("two", CHURNWATCH_INSTANCE_ID="w")
            await two.ready()
            await feeding
            await two.stop()
            await one.until(lambda: one.said("ready") >= 2, 30.0)
            await trial.caught_up()
            await one.stop()
        await trial.assert_exact()
    finally:
        trial.end()


async def _poison_only(trial: Trial) -> None:
    """Whole fetches with nothing that can be used, between two that are well."""
    await trial.create(churn_journal=4)
    try:
        async with Feeder(trial.bootstrap) as feeder:
            items = journal_items(13, 2_000, partitions=4)
            poison = [
                (number % 4, (b"c-%d" % (number % 7), value))
                for number, value in enumerate([b"", b"{", b"[]", b"\xff\xfe", b'{"specversion":"1.0"}'] * 200)
            ]
            worker = trial.start()
            await worker.ready()
            for part in (items[:1_000], poison, items[1_000:]):
                await feeder.feed(trial.named(JOURNAL), part)
                await trial.caught_up()
            await worker.stop()
        letters = await trial.read(trial.named(DEAD_LETTERS))
        assert sum(map(len, letters.values())) == len(poison)
        assert "Traceback" not in worker.text()
        await trial.assert_exact()
    finally:
        trial.end()


async def _worked(trial: Trial, seed: int) -> None:
    """Topics, some records, and a worker that has taken them in and left."""
    await trial.create(churn_journal=4)
    await _goes_on(trial, seed)


async def _goes_on(trial: Trial, seed: int) -> None:
    async with Feeder(trial.bootstrap) as feeder:
        await feeder.feed(trial.named(JOURNAL), journal_items(seed, 2_000, partitions=4))
    await trial.worked()


async def _anew(trial: Trial, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=trial.bootstrap)
    await admin.start()
    await admin.delete_topics([topic])
    for _ in range(100):  # a deleted topic's name is free a little later
        await asyncio.sleep(0.1)
        compact = {"cleanup.policy": "compact"} if topic == trial.changelog else {}
        made = await admin.create_topics([NewTopic(topic, 4, 1, topic_configs=compact)])
        if not made.topic_errors[0][1]:
            break
    await admin.close()


async def forget_offsets(trial: Trial) -> None:
    """Delete what the detectors' group has committed; nobody may be in it."""
    group = f"{trial.settings.app_id}-detector"
    admin = AIOKafkaAdminClient(bootstrap_servers=trial.bootstrap)
    await admin.start()
    node = await admin._client.coordinator_lookup(CoordinationType.GROUP, group)
    ((_, code),) = (await admin._client.send(node, DeleteGroupsRequest([group]))).results
    assert code == 0
    await admin.close()


async def _changelog_deleted(trial: Trial) -> None:
    try:
        await _worked(trial, 14)
        before = await trial.read(trial.named(ALERTS))
        await _anew(trial, trial.changelog)
        said = await trial.start().refused()
        assert f"The changelog holds no state of {trial.named(JOURNAL)}" in said
        assert "deleted, or cut" in said
        # As docs/recovery.md says: without offsets the states are made again from the journal. The alerts come once
        # more, the same ones, so that whoever reads them can tell.
        await forget_offsets(trial)
        await _goes_on(trial, 15)
        after = await trial.read(trial.named(ALERTS))
        for number, records in before.items():
            values = [record.value for record in records]
            assert [record.value for record in after[number]][len(values) : 2 * len(values)] == values
        states = await trial.states()
        for number, records in (await trial.read(trial.named(JOURNAL))).items():
            expected: dict[bytes, bytes] = {}
            fold = trial.make_fold()(number, expected)
            fold.feed(records)
            fold.snapshot()
            assert states[number] == expected
    finally:
        trial.end()


async def _offsets_deleted(trial: Trial) -> None:
    try:
        await _worked(trial, 16)
        await forget_offsets(trial)
        await _goes_on(trial, 17)
        await trial.assert_exact()
    finally:
        trial.end()


async def _journal_anew(trial: Trial) -> None:
    try:
        await _worked(trial, 18)
        await _anew(trial, trial.named(JOURNAL))
        said = await trial.start().refused()
        assert "ends at 0, and was read up to" in said
        assert "made anew, or cut" in said
    finally:
        trial.end()


async def _clock_ahead(trial: Trial) -> None:
    """Ticks of a former owner of the clock, which was an hour ahead, between those of one that is right."""
    await trial.create(churn_journal=4)
    try:
        worker = trial.start()
        await worker.ready()
        async with Feeder(trial.bootstrap) as feeder:
            for seed in (19, 20):
                early = [(number, (None, encode_tick(round(time.time()) + HOUR_S))) for number in range(4)]
                await feeder.feed(trial.named(JOURNAL), [*journal_items(seed, 1_500, partitions=4), *early])
        await asyncio.sleep(1.0)  # the right clock ticks on, and says less than what was said
        await worker.stop()
        await trial.worked(CHURNWATCH_CLOCK="events")  # makes no ticks: takes in the ones that nobody had read yet
        await trial.assert_exact()
    finally:
        trial.end()


async def _folder_refused(trial: Trial) -> None:
    await trial.create(churn_journal=4)
    file = trial.folder / "file"
    file.touch()
    try:
        said = await trial.start(CHURNWATCH_DATA_DIR=str(file)).refused()
        assert "CHURNWATCH_DATA_DIR" in said
        assert "Not a directory" in said
    finally:
        trial.end()


def test_one_name_for_two_a_clock_an_hour_ahead_and_a_fetch_of_poison_only_lose_and_double_nothing(
    bootstrap: str, tmp_path: Path
) -> None:
    twins, poisoned = Trial(bootstrap, tmp_path), Trial(bootstrap, tmp_path, fold="detectors")
    ahead = Trial(bootstrap, tmp_path, fold="detectors", CHURNWATCH_CLOCK="wall", CHURNWATCH_TICK_MS="100")
    asyncio.run(together(_one_name_for_two(twins), _poison_only(poisoned), _clock_ahead(ahead)))


def test_a_deleted_changelog_or_journal_and_a_bad_folder_are_refused_and_deleted_offsets_lose_and_double_nothing(
    bootstrap: str, tmp_path: Path
) -> None:
    changelog, offsets, journal, folder = (Trial(bootstrap, tmp_path) for _ in range(4))
    works = _changelog_deleted(changelog), _offsets_deleted(offsets), _journal_anew(journal), _folder_refused(folder)
    asyncio.run(together(*works))
