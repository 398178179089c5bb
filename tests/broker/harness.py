"""Trials of the engine on a real broker: workers as processes, a journal or inputs, and what must hold at the end.

What must hold: every state in the changelog is byte for byte what the same fold gives offline over the journal, and
every record that left (alerts, dead letters, …) is there once, in order, for a `read_committed` reader.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import TopicPartition

from schemas.insights_learned import LEARNED_INSIGHTS
from schemas.intake import Accepted, read_event
from schemas.journal import DETECTOR_SOURCE, FeedHeard, decode_control
from schemas.topics import DEAD_LETTERS, EXAMPLES, INPUT_TOPICS, INSIGHTS, JOURNAL, state_changelog
from streams.detector import FoldFactory
from streams.settings import Settings
from streams.topics import Layout, create
from tests.broker.standin import StandIn
from tests.broker.traffic import Item

ROOT = Path(__file__).parents[2]
FOREVER_S = 60.0
LEARNED = tuple(kind.encode() for kind in LEARNED_INSIGHTS)  # the learner's own rows, and no fold's


class Worker:
    """One worker process and its log."""

    def __init__(self, trial: Trial, name: str, env: Mapping[str, str], fold: str) -> None:
        self.log = trial.folder / f"{name}-{uuid4().hex[:6]}.log"
        base = {key: value for key, value in os.environ.items() if not key.startswith(("CHURNWATCH_", "KAFKA_"))}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.broker.worker_main", fold],
                env={**base, **trial.env, **env, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
            )

    def text(self) -> str:
        """The log so far."""
        return self.log.read_text(errors="replace")

    def said(self, event: str, **fields: str) -> int:
        """How many log lines have this event and these fields."""
        lines = [line for line in self.text().splitlines() if f'"event": "{event}"' in line]
        return sum(all(f'"{name}": "{value}"' in line for name, value in fields.items()) for line in lines)

    async def until(self, what: Callable[[], bool], wait_s: float = FOREVER_S) -> None:
        """Wait for something, failing at once if the process has ended."""
        until_s = time.monotonic() + wait_s
        while not what():
            assert self.process.poll() is None, f"the worker ended: {self.text()[-3000:]}"
            assert time.monotonic() < until_s, f"waited for too long: {self.text()[-3000:]}"
            await asyncio.sleep(0.03)

    async def ready(self, times: int = 1, wait_s: float = FOREVER_S) -> None:
        """Wait until a role has said so many times that its partitions are its own."""
        await self.until(lambda: self.said("ready") >= times, wait_s)

    async def refused(self, wait_s: float = 30.0) -> str:
        """The last line of a worker that refuses to run: exit code 1, and no traceback."""
        until_s = time.monotonic() + wait_s
        while self.process.poll() is None:
            assert time.monotonic() < until_s, self.text()[-3000:]
            await asyncio.sleep(0.1)
        assert self.process.returncode == 1, self.text()[-3000:]
        assert "Traceback" not in self.text(), self.text()[-3000:]
        return self.text().strip().splitlines()[-1]

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()

    async def stop(self, wait_s: float = 10.0) -> float:
        """SIGTERM; how many seconds the clean stop took."""
        started_s = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        while self.process.poll() is None:
            assert time.monotonic() - started_s < wait_s, f"does not stop: {self.text()[-3000:]}"
            await asyncio.sleep(0.03)
        assert self.process.returncode == 0, str(self.process.returncode) + self.text()[-3000:]
        return time.monotonic() - started_s


class Trial:
    """Topics, an app id and a folder of its own on a shared broker."""

    def __init__(self, bootstrap: str, folder: Path, *, fold: str = "standin", **env: str) -> None:
        name = f"t{uuid4().hex[:8]}"
        self.bootstrap, self.folder, self.fold = bootstrap, folder / name, fold
        self.folder.mkdir(parents=True)
        self.workers: list[Worker] = []
        self.env = {
            "KAFKA_BOOTSTRAP": bootstrap,
            "CHURNWATCH_APP_ID": name,
            "CHURNWATCH_TOPIC_PREFIX": f"{name}.",
            "CHURNWATCH_ROLES": "detector",
            "CHURNWATCH_CLOCK": "events",  # no ticks but those that the trial writes itself
            "CHURNWATCH_CHECKPOINT_MS": "60",
            "CHURNWATCH_SESSION_TIMEOUT_MS": "6000",
            "CHURNWATCH_DATA_DIR": str(self.folder),
            "CHURNWATCH_LOG_FORMAT": "json",
            "CHURNWATCH_OPS": "off",
            **env,
        }
        self.settings = Settings.from_env(self.env)

    def named(self, topic: str) -> str:
        return self.settings.topic_prefix + topic

    @property
    def changelog(self) -> str:
        return state_changelog(self.settings.app_id).named(self.settings.topic_prefix)

    async def create(self, **partitions: int) -> None:
        """Make the topics; partition counts by name, `_` for `.` and `-`."""
        counts = {name: partitions.get(re.sub(r"[.-]", "_", name), 3) for name in (*INPUT_TOPICS, JOURNAL)}
        layout = Layout(prefix=self.settings.topic_prefix, app_id=self.settings.app_id, partitions=counts)
        await create(self.bootstrap, layout)

    def start(self, name: str = "w", **env: str) -> Worker:
        """Start a worker; one with a CHURNWATCH_INSTANCE_ID comes back at once after a kill."""
        worker = Worker(self, name, env, self.fold)
        self.workers.append(worker)
        return worker

    async def worked(self, **env: str) -> Worker:
        """Start a worker that takes in what is there, and leaves."""
        worker = self.start(**env)
        await worker.ready()
        await self.caught_up()
        await worker.stop()
        return worker

    def end(self) -> None:
        """Leave no process behind."""
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.process.send_signal(signal.SIGCONT)
                worker.kill()

    async def caught_up(self, role: str = "detector", wait_s: float = FOREVER_S) -> None:
        """Wait until the role's group has committed the end of all that it reads."""
        group = f"{self.settings.app_id}-{role}"
        read = {"detector": (JOURNAL,), "learner": (EXAMPLES,)}.get(role, INPUT_TOPICS)
        topics = [self.named(name) for name in read]
        until_s = time.monotonic() + wait_s
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            async with committed_reader(self.bootstrap) as consumer:
                while True:
                    tps = [TopicPartition(t, p) for t in topics for p in range(await _count(consumer, t))]
                    ends = await consumer.end_offsets(tps)
                    done = await admin.list_consumer_group_offsets(group)
                    behind = {
                        tp: (done[tp].offset if tp in done else 0, end)
                        for tp, end in ends.items()
                        if end > (done[tp].offset if tp in done else 0)
                    }
                    if not behind:
                        return
                    tails = "\n".join(worker.text()[-1500:] for worker in self.workers[-2:])
                    assert time.monotonic() < until_s, f"{role} stays behind: {behind}\n{tails}"
                    await asyncio.sleep(0.1)
        finally:
            await admin.close()

    async def read(self, topic: str, *, may_be_empty: bool = False) -> dict[int, list[Any]]:
        """All committed records of a topic, by partition."""
        async with committed_reader(self.bootstrap) as consumer:
            tps = [TopicPartition(topic, p) for p in range(await _count(consumer, topic))]
            consumer.assign(tps)
            ends = await consumer.end_offsets(tps)
            assert may_be_empty or any(ends.values()), f"{topic} is empty"
            records: dict[int, list[Any]] = {tp.partition: [] for tp in tps}
            while any([await consumer.position(tp) < ends[tp] for tp in tps]):
                for tp, found in (await consumer.getmany(*tps, timeout_ms=200)).items():
                    records[tp.partition] += found
            return records

    async def states(self) -> dict[int, dict[bytes, bytes]]:
        """The latest state of every key in the changelog."""
        parts: dict[int, dict[bytes, bytes]] = {}
        for number, records in (await self.read(self.changelog)).items():
            part = parts[number] = {}
            for record in records:
                if record.value is None:
                    part.pop(record.key, None)
                else:
                    part[record.key or b""] = record.value
        return parts

    def make_fold(self) -> FoldFactory:
        """The fold that the workers of this trial run."""
        if self.fold == "standin":
            return StandIn
        from streams.worker import default_fold

        return default_fold(self.settings)

    async def assert_exact(self) -> None:
        """Compare everything that the workers wrote with the offline fold over the journal."""
        make_fold = self.make_fold()
        journal = await self.read(self.named(JOURNAL))
        states = await self.states()
        wrote: dict[str, dict[int, list[Any]]] = {}
        for number, records in journal.items():
            expected: dict[bytes, bytes] = {}
            fold = make_fold(number, expected)
            fold.feed(records)
            snapshot = fold.snapshot()
            assert fold.stats["fence_skips"] == 0
            wrong = {k for k in expected.keys() | states[number].keys() if expected.get(k) != states[number].get(k)}
            wrong -= {b""} if not records else set()
            assert not wrong, f"[{number}]: {len(wrong)} of {len(expected)} states are wrong: {sorted(wrong)[:3]}"
            for topic, items in snapshot.writes.items():
                wrote.setdefault(topic, {})[number] = list(items)
        assert wrote, "the trial proves nothing: nothing was written"
        for topic, parts in wrote.items():
            if topic == JOURNAL:
                _assert_declared(journal, parts)
                continue
            real = await self.read(self.named(topic))
            if topic == INSIGHTS:
                want = Counter((key, value) for items in parts.values() for key, value, _ in items)
                shown = [(r.key, r.value) for records in real.values() for r in records]
                assert Counter(row for row in shown if not row[0].startswith(LEARNED)) == want
            if len(real) != len(journal):
                continue  # other placing; covered where it matters
            for number in real:
                left = [(r.key, r.value, list(r.headers)) for r in real[number]]
                assert left == parts.get(number, []), f"{topic}[{number}]: {len(left)} for {len(parts.get(number, []))}"
        assert not any("records that the state held already" in w.text() for w in self.workers), "fence skips"

    async def assert_taken_in(self) -> None:
        """Compare the journal and the dead letters with the inputs: all of it, once, in the order of each source."""
        want: Counter[bytes] = Counter()
        letters: Counter[tuple[bytes | None, bytes | None]] = Counter()
        orders: dict[tuple[str, int], dict[str, list[bytes]]] = {}
        alive: set[str] = set()
        for topic in INPUT_TOPICS:
            for number, records in (await self.read(self.named(topic), may_be_empty=True)).items():
                order = orders[topic, number] = {}
                for record in records:
                    verdict = read_event(record.value, record.headers, time.time())
                    if isinstance(verdict, Accepted):
                        want[verdict.value] += 1
                        alive.add(topic)
                        order.setdefault(verdict.event.subject, []).append(verdict.value)
                    else:
                        letters[record.key, record.value] += 1
        came: Counter[bytes] = Counter()
        places: dict[str, tuple[int, list[bytes]]] = {}
        for number, records in (await self.read(self.named(JOURNAL))).items():
            controls = [decode_control(record.value) for record in records if record.key is None]
            assert {c.data.topic for c in controls if isinstance(c, FeedHeard)} == alive, "feeds that nobody heard of"
            for record in records:
                if record.key is not None:
                    came[record.value] += 1
                    place = places.setdefault(record.key.decode(), (number, []))
                    assert place[0] == number, "one customer in two partitions"
                    place[1].append(record.value)
        assert want, "the trial proves nothing: no events"
        assert came == want, f"{len(want - came)} events are missing, {len(came - want)} are there too often"
        for order in orders.values():
            for customer, values in order.items():
                mine = set(values)
                assert [v for v in places[customer][1] if v in mine] == values, f"{customer} is out of order"
        dead = await self.read(self.named(DEAD_LETTERS), may_be_empty=not letters)
        left = Counter((r.key, r.value) for records in dead.values() for r in records)
        assert left == letters, f"{(letters - left).total()} letters are missing, {(left - letters).total()} too many"


def _assert_declared(journal: Mapping[int, Sequence[Any]], parts: Mapping[int, Sequence[Any]]) -> None:
    """What the folds said to all partitions stands in each of them, once."""
    said = Counter(value for items in parts.values() for _, value, _ in items)
    for number, records in journal.items():
        there = Counter(r.value for r in records if r.key is None and DETECTOR_SOURCE.encode() in r.value)
        assert there == said, f"{JOURNAL}[{number}]: {there.total()} for {said.total()}"


@asynccontextmanager
async def committed_reader(bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of what was committed, in no group."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=50,
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def _count(consumer: AIOKafkaConsumer, topic: str) -> int:
    for _ in range(50):
        await consumer._client._wait_on_metadata(topic)
        found = consumer.partitions_for_topic(topic)
        if found:
            return len(found)
        await asyncio.sleep(0.1)
    raise AssertionError(f"no topic {topic}")


async def together(*trials: Awaitable[None]) -> None:
    """Run trials side by side: most of each is waiting."""
    await asyncio.gather(*trials)


class Feeder:
    """Appends records in transactions, of which every ninth is aborted and sent again."""

    def __init__(self, bootstrap: str, compression: str | None = "lz4") -> None:
        self.producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, transactional_id=f"feeder-{uuid4().hex}", compression_type=compression
        )
        self.transactions = 0

    async def __aenter__(self) -> Feeder:
        await self.producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.producer.stop()

    async def feed(
        self, topic: str, items: Iterable[tuple[int, Item]], *, chunk: int = 1_000, per_s: float | None = None
    ) -> None:
        """Send (partition, record) pairs in order, `chunk` to a transaction, at most `per_s` records a second."""
        waiting = list(items)
        while waiting:
            now, waiting = waiting[:chunk], waiting[chunk:]
            started_s = time.monotonic()
            self.transactions += 1
            if self.transactions % 9 == 0:
                await self._send(topic, now, commit=False)
            await self._send(topic, now, commit=True)
            if per_s:
                await asyncio.sleep(max(0.0, len(now) / per_s - (time.monotonic() - started_s)))

    async def _send(self, topic: str, items: Sequence[tuple[int, Item]], *, commit: bool) -> None:
        await self.producer.begin_transaction()
        by_partition: dict[int, list[Item]] = {}
        for number, item in items:
            by_partition.setdefault(number, []).append(item)
        for number, records in by_partition.items():
            batch = self.producer.create_batch()
            for key, value in records:
                if batch.append(key=key, value=value, timestamp=None) is None:
                    await self.producer.send_batch(batch, topic, partition=number)
                    batch = self.producer.create_batch()
                    batch.append(key=key, value=value, timestamp=None)
            await self.producer.send_batch(batch, topic, partition=number)
        await self.producer.flush()
        await (self.producer.commit_transaction() if commit else self.producer.abort_transaction())
