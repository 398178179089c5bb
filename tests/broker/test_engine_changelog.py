"""Recovery from changelogs as Kafka leaves them: empty, really compacted, trimmed at the start."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.errors import PolicyViolationError
from aiokafka.structs import TopicPartition

from schemas.topics import JOURNAL
from tests.broker.harness import Feeder, Trial, Worker, together
from tests.broker.traffic import journal_items

COMPACT_AT_ONCE = {
    "cleanup.policy": "compact",
    "segment.bytes": "1048576",
    "segment.ms": "1000",
    "min.cleanable.dirty.ratio": "0.001",
    "max.compaction.lag.ms": "1000",
    "delete.retention.ms": "100",
}


async def _killed_and_recovered(trial: Trial, worker: Worker) -> None:
    """Kill a worker, and let one recover all that there is."""
    worker.kill()
    await trial.worked(CHURNWATCH_INSTANCE_ID="w")


async def _compacted(trial: Trial) -> None:
    await trial.create()
    try:
        await _configure(trial, COMPACT_AT_ONCE)
        async with Feeder(trial.bootstrap) as feeder:
            items = journal_items(3, 20_000, customers=200)
            worker = trial.start(CHURNWATCH_INSTANCE_ID="w")
            await worker.ready()
            until_s, step = time.monotonic() + 40.0, 2_000
            for at in range(0, 16_000, step):
                await feeder.feed(trial.named(JOURNAL), items[at : at + step], per_s=4_000)
            while not await _was_compacted(trial):
                assert time.monotonic() < until_s, "the broker does not compact"
                # A segment is closed by a write that comes after its time.
                await feeder.feed(trial.named(JOURNAL), items[16_000:16_050])
                await asyncio.sleep(1.0)
            await feeder.feed(trial.named(JOURNAL), items[16_050:])
            await trial.caught_up()
            await _killed_and_recovered(trial, worker)
        await trial.assert_exact()
    finally:
        trial.end()


async def _configure(trial: Trial, configs: dict[str, str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=trial.bootstrap)
    await admin.start()
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, trial.changelog, configs=configs)])
    await admin.close()


async def _delete(trial: Trial, before: dict[TopicPartition, RecordsToDelete], deadline_s: float = 20.0) -> None:
    """Delete the records before these offsets, as soon as the broker has heard that it may."""
    admin = AIOKafkaAdminClient(bootstrap_servers=trial.bootstrap)
    await admin.start()
    try:
        until = time.monotonic() + deadline_s
        while True:
            try:
                await admin.delete_records(before)
                return
            except PolicyViolationError:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(0.1)
    finally:
        await admin.close()


async def _was_compacted(trial: Trial) -> bool:
    """Whether the changelog has lost records: fewer are left than half of its offsets."""
    parts = (await trial.read(trial.changelog)).values()
    return all(records and len(records) < 0.5 * (records[-1].offset + 1) for records in parts)


async def _trimmed(trial: Trial) -> None:
    """Records at the start of the changelog are gone, as far as each key has a newer one behind them."""
    await trial.create()
    try:
        async with Feeder(trial.bootstrap) as feeder:
            items = journal_items(4, 8_000, customers=20)
            worker = trial.start(CHURNWATCH_INSTANCE_ID="w")
            await worker.ready()
            await feeder.feed(trial.named(JOURNAL), items, per_s=6_000)
            await trial.caught_up()
            worker.kill()
            cut = {}
            for number, records in (await trial.read(trial.changelog)).items():
                newest = {record.key: record.offset for record in records}
                cut[TopicPartition(trial.changelog, number)] = RecordsToDelete(before_offset=min(newest.values()))
            assert all(record.before_offset > 5 for record in cut.values())
            await _configure(trial, {"cleanup.policy": "delete"})  # else the broker deletes nothing on request
            await _delete(trial, cut)
            await _configure(trial, {"cleanup.policy": "compact"})
            last = trial.start(CHURNWATCH_INSTANCE_ID="w")
            await last.ready()
            await feeder.feed(trial.named(JOURNAL), journal_items(5, 2_000, customers=20))
            await trial.caught_up()
            await last.stop()
        await trial.assert_exact()
    finally:
        trial.end()


async def _empty_partitions(trial: Trial) -> None:
    """All customers live in one of three partitions; the others have neither journal nor changelog."""
    await trial.create()
    try:
        async with Feeder(trial.bootstrap) as feeder:
            items = [item for item in journal_items(6, 9_000) if item[0] == 1]
            worker = trial.start(CHURNWATCH_INSTANCE_ID="w")
            await worker.ready()
            await feeder.feed(trial.named(JOURNAL), items[:2_000])
            await trial.caught_up()
            await feeder.feed(trial.named(JOURNAL), items[2_000:])
            await _killed_and_recovered(trial, worker)
        await trial.assert_exact()
    finally:
        trial.end()


async def _nothing_at_all(trial: Trial) -> None:
    await trial.create()
    try:
        for _ in range(2):
            worker = trial.start()
            await worker.ready()
            await worker.stop()
    finally:
        trial.end()


def test_a_really_compacted_changelog_recovers(bootstrap: str, tmp_path: Path) -> None:
    asyncio.run(_compacted(Trial(bootstrap, tmp_path)))


def test_trimmed_and_empty_changelogs_recover(bootstrap: str, tmp_path: Path) -> None:
    trials = [Trial(bootstrap, tmp_path) for _ in range(3)]
    asyncio.run(together(_trimmed(trials[0]), _empty_partitions(trials[1]), _nothing_at_all(trials[2])))
