"""Whether workers wrote what the same fold gives offline over the journal, read in pieces: a soak's journal is long.

Kept of what was written are digests, in order: 16 bytes for each alert, score or dead letter.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from aiokafka.structs import TopicPartition

from schemas.topics import JOURNAL
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
    """Records of the journal, customers, and a line for each thing that is not as the fold says."""
    make_fold, found = trial.make_fold(), []
    records = customers = 0
    for number in range(partitions):
        expected: dict[bytes, bytes] = {}
        fold, wrote = make_fold(number, expected), {topic: list[bytes]() for topic in COMPARED}
        async for piece in pieces(trial.bootstrap, trial.named(JOURNAL), number):
            records += len(piece)
            fold.feed(piece)
            for topic, items in fold.snapshot().writes.items():
                if topic in wrote:
                    wrote[topic] += [digest(*item) for item in items]
        if fold.stats["fence_skips"]:
            found.append(f"[{number}]: the fold itself skipped {fold.stats['fence_skips']} records")
        states: dict[bytes, bytes | None] = {}
        async for piece in pieces(trial.bootstrap, trial.changelog, number):
            states.update((record.key or b"", record.value) for record in piece)
        there = {key: state for key, state in states.items() if state is not None}
        wrong = [key for key in expected.keys() | there.keys() if expected.get(key) != there.get(key)]
        customers += len(expected)
        if wrong:
            found.append(f"[{number}]: {len(wrong)} of {len(expected)} states are wrong")
        for topic, want in wrote.items():
            left = [
                digest(record.key, record.value, record.headers)
                async for piece in pieces(trial.bootstrap, trial.named(topic), number)
                for record in piece
            ]
            # A compacted topic has lost what was overwritten; what is left of it comes in the same order.
            if left != want and not (topic in ("churn.alerts.current", "churn.scores") and _in_order(left, want)):
                found.append(f"{topic}[{number}]: {len(left)} records for {len(want)}")
    return records, customers, found


def _in_order(left: list[bytes], want: list[bytes]) -> bool:
    """Whether all of `left` is in `want`, in its order, and the last of them is the last."""
    rest = iter(want)
    return all(each in rest for each in left) and left[-1:] == want[-1:]
