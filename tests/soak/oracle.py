"""Whether workers wrote what the same fold gives offline over the journal, read in pieces: a soak's journal is long.

Kept of what was written are digests, in order: 16 bytes for each alert, score or dead letter.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, Final

from aiokafka.structs import TopicPartition

from schemas.topics import JOURNAL, state_changelog
from streams.settings import Settings
from streams.worker import default_fold
from tests.broker.harness import Trial, committed_reader

PIECE: Final = 5_000
COMPARED: Final = ("churn.alerts", "churn.alerts.current", "churn.scores", "churn.dlq")


def digest(key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> bytes:
    """A record in 16 bytes."""
    return hashlib.blake2b(repr((key, value, list(headers))).encode(), digest_size=16).digest()


async def pieces(bootstrap: str, topic: str, number: int) -> AsyncIterator[list[Any]]:
    """The committed records of a partition, up to where it ends now."""
    async with committed_reader(bootstrap) as consumer:
        tp = TopicPartition(topic, number)
        consumer.assign([tp])
        end = (await consumer.end_offsets([tp]))[tp]
        while await consumer.position(tp) < end:
            for records in (await consumer.getmany(tp, timeout_ms=200, max_records=PIECE)).values():
                yield records


async def differences(trial: Trial, partitions: int) -> tuple[int, int, list[str]]:
    """Records of the journal, customers, and a line for each thing that is not as the fold says; side by side."""
    loop, env = asyncio.get_running_loop(), dict(trial.env)
    with ProcessPoolExecutor(partitions, mp_context=get_context("spawn")) as pool:
        told = [loop.run_in_executor(pool, compare, env, number) for number in range(partitions)]
        parts = await asyncio.gather(*told)
    records, customers, found = zip(*parts, strict=True)
    return sum(records), sum(customers), [line for lines in found for line in lines]


def compare(env: Mapping[str, str], number: int) -> tuple[int, int, list[str]]:
    """The same of one partition, for a worker with these settings."""
    return asyncio.run(_compared(Settings.from_env(env), number))


async def _compared(settings: Settings, number: int) -> tuple[int, int, list[str]]:
    def named(topic: str) -> str:
        return settings.topic_prefix + topic

    expected: dict[bytes, bytes] = {}
    fold, wrote = default_fold(settings)(number, expected), {topic: list[bytes]() for topic in COMPARED}
    records, found = 0, []
    async for piece in pieces(settings.bootstrap, named(JOURNAL), number):
        records += len(piece)
        fold.feed(piece)
        for topic, items in fold.snapshot().writes.items():
            if topic in wrote:
                wrote[topic] += [digest(*item) for item in items]
    if fold.stats["fence_skips"]:
        found.append(f"[{number}]: the fold itself skipped {fold.stats['fence_skips']} records")
    states: dict[bytes, bytes | None] = {}
    changelog = state_changelog(settings.app_id).named(settings.topic_prefix)
    async for piece in pieces(settings.bootstrap, changelog, number):
        states.update((record.key or b"", record.value) for record in piece)
    there = {key: state for key, state in states.items() if state is not None}
    wrong = [key for key in expected.keys() | there.keys() if expected.get(key) != there.get(key)]
    if wrong:
        found.append(f"[{number}]: {len(wrong)} of {len(expected)} states are wrong")
    for topic, want in wrote.items():
        left = [
            digest(record.key, record.value, record.headers)
            async for piece in pieces(settings.bootstrap, named(topic), number)
            for record in piece
        ]
        # A compacted topic has lost what was overwritten; what is left of it comes in the same order.
        if left != want and not (topic in ("churn.alerts.current", "churn.scores") and _in_order(left, want)):
            found.append(f"{topic}[{number}]: {len(left)} records for {len(want)}")
    return records, len(expected), found


def _in_order(left: list[bytes], want: list[bytes]) -> bool:
    """Whether all of `left` is in `want`, in its order, and the last of them is the last."""
    rest = iter(want)
    return all(each in rest for each in left) and left[-1:] == want[-1:]
