"""From input topics to the journal: nothing lost, nothing doubled, whatever comes and whenever the worker dies."""

from __future__ import annotations

import asyncio
import itertools
import random
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from schemas.deadletters import read_dead_letter
from schemas.topics import DEAD_LETTERS, INPUT_TOPICS
from tests.broker.harness import Feeder, Trial, together
from tests.broker.traffic import START_S, Item, event, input_topic

CODECS = (None, "gzip", "snappy", "lz4", "zstd")
POISON: tuple[bytes | None, ...] = (
    None,
    b"",
    b"\xff\xfe\x00",
    b"{",
    b"[]",
    b"[" * 5_000,
    b'{"specversion":"1.0"}',
    b'{"specversion":"1.0","id":"1","source":"/s","type":"no.such.type","subject":"c","time":"2026-01-01T00:00:00Z"}',
    b'{"specversion":"1.0","id":"1","source":"/s","type":"usage.feature.used","subject":"c",'
    b'"time":"2026-01-01T00:00:00Z","data":{"feature":7}}',
    b'{"specversion":"1.0","id":"1","source":"/s","type":"usage.cancel_page.viewed","subject":"c",'
    b'"time":"9026-01-01T00:00:00Z","data":{}}',
    b"x" * 300_000,
)


def inputs(seed: int, count: int, partitions: int) -> dict[str, list[tuple[int, Item]]]:
    """Events by topic, each source partition in order of time; keys that say nothing of the customer."""
    rng = random.Random(seed)
    found: dict[str, list[tuple[int, Item]]] = {}
    for number in range(count):
        value = event(rng, number, f"c-{rng.randrange(300)}")
        found.setdefault(input_topic(value), []).append((rng.randrange(partitions), (b"invoice-%d" % number, value)))
    return found


async def _feed_all(trial: Trial, feeder: Feeder, by_topic: dict[str, list[tuple[int, Item]]], per_s: float) -> None:
    for topic, items in by_topic.items():
        await feeder.feed(trial.named(topic), items, chunk=500, per_s=per_s)


async def _killed(trial: Trial, seed: int) -> None:
    rng = random.Random(seed)
    await trial.create(usage_events=2, billing_events=1, churn_journal=4)
    try:
        async with Feeder(trial.bootstrap) as feeder:
            feeding = asyncio.create_task(_feed_all(trial, feeder, inputs(seed, 20_000, 1), 2_500))
            for _ in range(3):
                worker = trial.start(CHURNWATCH_INSTANCE_ID="w")
                await worker.ready()
                await asyncio.sleep(rng.uniform(0.1, 1.0))
                worker.kill()
            last = trial.start(CHURNWATCH_INSTANCE_ID="w")
            await last.ready()
            await feeding
            await trial.caught_up("intake")
            await last.stop()
        await trial.assert_taken_in()
    finally:
        trial.end()


async def _two_share(trial: Trial, seed: int) -> None:
    """Input partitions move between two workers, and back after a kill."""
    await trial.create()
    try:
        async with Feeder(trial.bootstrap) as feeder:
            feeding = asyncio.create_task(_feed_all(trial, feeder, inputs(seed, 24_000, 3), 1_600))
            one = trial.start("one")
            await one.ready()
            two = trial.start("two")
            await two.ready()
            await one.ready(2)
            await asyncio.sleep(0.5)
            one.kill()
            await two.ready(2)
            await feeding
            await trial.caught_up("intake")
            await two.stop()
        await trial.assert_taken_in()
    finally:
        trial.end()


async def _codecs_and_poison(trial: Trial) -> None:
    """Each codec on each topic, with what no event is in between; original bytes and headers arrive in the dlq."""
    await trial.create()
    try:
        rng, numbers = random.Random(11), itertools.count(1)
        worker = trial.start()
        sent: dict[tuple[bytes, bytes | None], list[tuple[str, bytes]]] = {}
        for codec in CODECS:
            producer = AIOKafkaProducer(
                bootstrap_servers=trial.bootstrap, compression_type=codec, enable_idempotence=True
            )
            await producer.start()
            for topic in INPUT_TOPICS:
                batch = producer.create_batch()
                for number, value in enumerate(
                    (event(rng, next(numbers), "c-1"), *POISON, event(rng, next(numbers), "c-2"))
                ):
                    key = f"{codec}-{topic}-{number}".encode()
                    headers = [("trace", b"\x00\xff"), ("n", b"%d" % number)]
                    if value is None or not value.startswith(b'{"specversion":"1.0","id":"e'):
                        sent[key, value] = headers
                    if batch.append(key=key, value=value, timestamp=START_S * 1000, headers=headers) is None:
                        await producer.send_batch(batch, trial.named(topic), partition=1)
                        batch = producer.create_batch()
                        batch.append(key=key, value=value, timestamp=START_S * 1000, headers=headers)
                await producer.send_batch(batch, trial.named(topic), partition=1)
            await producer.stop()
        await worker.ready()
        await trial.caught_up("intake")
        await worker.stop()
        await trial.assert_taken_in()
        letters = [r for records in (await trial.read(trial.named(DEAD_LETTERS))).values() for r in records]
        assert len(letters) == len(sent) == len(CODECS) * len(INPUT_TOPICS) * len(POISON)
        for letter in letters:
            assert list(letter.headers)[:2] == sent[letter.key, letter.value]
            said = read_dead_letter(letter.headers)
            assert said is not None
            assert said.origin.topic.encode() in trial.named(letter.key.split(b"-", 1)[1].decode()).encode()
            assert said.origin.timestamp_ms == START_S * 1000
    finally:
        trial.end()


async def _whole_chain_killed(trial: Trial, seed: int) -> None:
    """Both roles in one process, with the wall clock ticking into the journal."""
    rng = random.Random(seed)
    await trial.create()
    try:
        async with Feeder(trial.bootstrap) as feeder:
            feeding = asyncio.create_task(_feed_all(trial, feeder, inputs(seed, 16_000, 3), 2_000))
            for _ in range(3):
                worker = trial.start(CHURNWATCH_INSTANCE_ID="w")
                await worker.ready(2)
                await asyncio.sleep(rng.uniform(0.2, 1.2))
                worker.kill()
            last = trial.start(CHURNWATCH_INSTANCE_ID="w")
            await last.ready(2)
            await feeding
            await trial.caught_up("intake")
            await asyncio.sleep(0.7)  # one more tick
            assert await last.stop() < 10.0
            settling = trial.start(CHURNWATCH_ROLES="detector", CHURNWATCH_CLOCK="events")  # no more ticks
            await settling.ready()
            await trial.caught_up("detector")
            await settling.stop()
        await trial.assert_taken_in()
        await trial.assert_exact()
    finally:
        trial.end()


def test_kill_9_of_both_roles_loses_and_doubles_nothing(bootstrap: str, tmp_path: Path) -> None:
    env = {"CHURNWATCH_ROLES": "intake,detector", "CHURNWATCH_CLOCK": "wall"}
    trials = [Trial(bootstrap, tmp_path, fold="detectors", **env) for _ in range(2)]
    asyncio.run(together(*(_whole_chain_killed(trial, seed) for seed, trial in enumerate(trials))))


def test_kill_9_of_intake_loses_and_doubles_nothing(bootstrap: str, tmp_path: Path) -> None:
    trials = [Trial(bootstrap, tmp_path, CHURNWATCH_ROLES="intake", CHURNWATCH_CLOCK="wall") for _ in range(3)]
    runs = [_killed(trials[0], 1), _killed(trials[1], 2), _two_share(trials[2], 3)]
    asyncio.run(together(*runs))


async def _send(trial: Trial, values: dict[str, bytes]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=trial.bootstrap, max_request_size=2_000_000)
    await producer.start()
    for topic, value in values.items():
        await producer.send_and_wait(trial.named(topic), value, partition=0)
    await producer.stop()


async def _largest(trial: Trial) -> None:
    """The largest record that an input topic takes still fits into the dlq, with all that is said about it."""
    await trial.create()
    value = random.Random(5).randbytes(1_048_400)  # a few bytes below Kafka's default limit, and nothing to compress
    try:
        await _send(trial, dict.fromkeys(INPUT_TOPICS[:2], value))
        worker = trial.start()
        await worker.ready()
        await trial.caught_up("intake", wait_s=15.0)
        await worker.stop()
        letters = [r for records in (await trial.read(trial.named(DEAD_LETTERS))).values() for r in records]
        assert [letter.value == value for letter in letters] == [True, True]
        admin = AIOKafkaAdminClient(bootstrap_servers=trial.bootstrap)
        await admin.start()
        small = ConfigResource(
            ConfigResourceType.TOPIC, trial.named(DEAD_LETTERS), configs={"max.message.bytes": "9999"}
        )
        await admin.alter_configs([small])
        await admin.close()
        await _send(trial, {INPUT_TOPICS[0]: value[:500_000]})
        said = await trial.start().refused()
        assert trial.named(DEAD_LETTERS) in said
        assert "max.message.bytes" in said
    finally:
        trial.end()


def test_the_largest_record_becomes_a_dead_letter(bootstrap: str, tmp_path: Path) -> None:
    asyncio.run(_largest(Trial(bootstrap, tmp_path, CHURNWATCH_ROLES="intake", CHURNWATCH_CLOCK="wall")))


def test_each_codec_is_read_and_poison_becomes_dead_letters(bootstrap: str, tmp_path: Path) -> None:
    asyncio.run(_codecs_and_poison(Trial(bootstrap, tmp_path, CHURNWATCH_ROLES="intake", CHURNWATCH_CLOCK="wall")))
