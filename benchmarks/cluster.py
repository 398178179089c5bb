"""What the parts that need Kafka share: fresh topics, filling them fast, a worker as a process, and its progress."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.kafka.client import Kafka
from streams.topics import Layout, create

ROOT = Path(__file__).resolve().parent.parent
WORKER = [sys.executable, "-c", "from streams.cli import main; main(prog_name='churnwatch')", "worker"]
BATCH_BYTES = 256 * 1024
POLL_S = 0.1
READY_S = 90.0
STOP_S = 20.0

Item = tuple[str, int, bytes | None, bytes]
"""Topic, partition, key and value of one record to write."""


class BenchError(RuntimeError):
    """A part could not be measured; the message says what ended or did not come."""


class Setup(NamedTuple):
    """The topics of one measurement: a prefix and an application id that nothing else has."""

    bootstrap: str
    prefix: str
    app_id: str

    def named(self, topic: str) -> str:
        """A topic's name on the broker."""
        return self.prefix + topic


@contextmanager
def fresh_topics(bootstrap: str) -> Iterator[Setup]:
    """Topics of its own for one measurement, deleted after it."""
    tag = uuid4().hex[:8]
    setup = Setup(bootstrap, f"bench-{tag}.", f"bench-{tag}")
    asyncio.run(create(bootstrap, Layout(prefix=setup.prefix, app_id=setup.app_id), patience_s=60))
    try:
        yield setup
    finally:
        kafka = Kafka(bootstrap)
        kafka.delete(*(name for name in kafka.topics() if setup.app_id in name))


def fill(bootstrap: str, items: Iterable[Item]) -> int:
    """Write records as fast as they come, each to the partition it names; returns how many."""
    return asyncio.run(_fill(bootstrap, items))


async def _fill(bootstrap: str, items: Iterable[Item]) -> int:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=BATCH_BYTES, linger_ms=0
    )
    await producer.start()
    count = 0
    open_batches: dict[tuple[str, int], Any] = {}
    sent: list[asyncio.Future[Any]] = []
    try:
        for topic, partition, key, value in items:
            count += 1
            batch = open_batches.get((topic, partition))
            if batch is not None:
                if batch.append(key=key, value=value, timestamp=None) is not None:
                    continue
                sent.append(await producer.send_batch(batch, topic, partition=partition))
            batch = open_batches[topic, partition] = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None)
        for (topic, partition), batch in open_batches.items():
            sent.append(await producer.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*sent)
    finally:
        await producer.stop()
    return count


class Progress(NamedTuple):
    """How many records a consumer group had committed, and when (monotonic seconds)."""

    at_s: float
    records: int


def follow(worker: Worker, group: str, topics: Iterable[str], total: int, *, deadline_s: float) -> list[Progress]:
    """Watch the committed offsets of a group until they add up to `total`; BenchError when they do not in time."""
    return asyncio.run(_follow(worker, group, set(topics), total, deadline_s))


async def _follow(worker: Worker, group: str, topics: set[str], total: int, deadline_s: float) -> list[Progress]:
    admin = AIOKafkaAdminClient(bootstrap_servers=worker.setup.bootstrap)
    await admin.start()
    seen: list[Progress] = []
    until_s = time.monotonic() + deadline_s
    try:
        while time.monotonic() < until_s:
            worker.check()
            try:
                offsets = await admin.list_consumer_group_offsets(group)
            except KafkaError:  # the group's coordinator is still starting
                await asyncio.sleep(POLL_S)
                continue
            records = sum(meta.offset for tp, meta in offsets.items() if tp.topic in topics and meta.offset > 0)
            if not seen or records > seen[-1].records:
                seen.append(Progress(time.monotonic(), records))
            if records >= total:
                return seen
            await asyncio.sleep(POLL_S)
    finally:
        await admin.close()
    raise BenchError(
        f"{group} committed {seen[-1].records if seen else 0:,} of {total:,} records in {deadline_s:.0f} s"
    )


def steady_per_s(seen: list[Progress], *, after: float = 0.25) -> float:
    """Records a second, from the first commit past `after` of all records to the last one.

    >>> steady_per_s([Progress(0.0, 0), Progress(2.0, 30), Progress(3.0, 60), Progress(4.0, 100)])
    35.0
    """
    start = next((each for each in seen if each.records >= after * seen[-1].records), seen[0])
    end = seen[-1]
    if end.at_s <= start.at_s:
        start = seen[0]
    return (end.records - start.records) / max(end.at_s - start.at_s, 1e-3)


class Worker:
    """`churnwatch worker` as a process of its own; a context manager that stops it with SIGTERM."""

    def __init__(self, setup: Setup, roles: str, clock: str, **settings: str) -> None:
        self.setup = setup
        self.folder = tempfile.TemporaryDirectory(prefix="churnwatch-bench-")
        self.log = Path(self.folder.name) / "worker.log"
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("CHURNWATCH_")} | {
            "KAFKA_BOOTSTRAP": setup.bootstrap,
            "PYTHONPATH": str(ROOT),
            "CHURNWATCH_APP_ID": setup.app_id,
            "CHURNWATCH_TOPIC_PREFIX": setup.prefix,
            "CHURNWATCH_ROLES": roles,
            "CHURNWATCH_CLOCK": clock,
            "CHURNWATCH_DATA_DIR": f"{self.folder.name}/data",
            "CHURNWATCH_OPS": "off",
            "CHURNWATCH_LOG_FORMAT": "json",
            **settings,
        }
        self.stopped_in_s = 0.0

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self.started_s = time.time()
            self.process = subprocess.Popen(
                WORKER, cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
        self.folder.cleanup()

    def stop(self) -> None:
        """Stop it as an operator would, and kill it if that takes too long."""
        if self.process.poll() is None:
            began_s = time.monotonic()
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.stopped_in_s = time.monotonic() - began_s

    def check(self) -> None:
        """Raise BenchError, with its last words, if it has ended."""
        if self.process.poll() is not None:
            words = "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])
            raise BenchError(f"the worker ended (exit {self.process.returncode}):\n{words}")

    def said(self) -> Iterator[dict[str, Any]]:
        """What it has logged so far."""
        for line in self.log.read_text(errors="replace").splitlines():
            if line.startswith("{") and line.endswith("}"):
                yield json.loads(line)

    def await_said(self, event: str, role: str, *, deadline_s: float = READY_S) -> float:
        """Wait until a role has logged an event; when it did, in epoch seconds."""
        until_s = time.monotonic() + deadline_s
        while time.monotonic() < until_s:
            for line in self.said():
                if line.get("event") == event and str(line.get("role", "")).endswith(role):
                    return datetime.fromisoformat(line["timestamp"]).timestamp()
            self.check()
            time.sleep(0.05)
        raise BenchError(f"the {role} did not say {event!r} within {deadline_s:.0f} s")


def ends(bootstrap: str, topic: str) -> Mapping[int, int]:
    """The offset that comes next, per partition."""
    return Kafka(bootstrap).end_offsets(topic)
