"""Gauges of a partition go when the partition goes: its next owner tells of it, and two would contradict each other."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from faust.types import TP

from streams import metrics
from streams.detector import Detector
from streams.engine.store import Copies
from streams.health import Stall
from streams.worker import Role

HERE, THERE = TP("gauges", 0), TP("gauges", 1)


@dataclass
class Reader:
    """When the last record of a partition was appended."""

    newest_ms: dict[TP, int] = field(default_factory=dict)


@dataclass
class Topology:
    """A journal with two partitions."""

    changelog: str = "changelog"
    partitions: Mapping[str, int] = field(default_factory=lambda: {"churn.journal": 2})

    def named(self, topic: str) -> str:
        return topic


class Fold:
    """A partition that has seen nothing."""

    def __init__(self, *_: object) -> None:
        self.stats: Counter[str] = Counter()
        self.position = 0


def value(name: str, **labels: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(name, labels)


def test_lag_of_a_partition_that_went_is_not_told_any_more() -> None:
    role = Role("detector", cast(Any, None), cast(Any, Reader()), None, Stall(60))
    role._lag({HERE: 5, THERE: 5}, {HERE: 9, THERE: 5})
    assert value("churn_consumer_lag_records", topic="gauges", partition="0") == 4
    role._lag({THERE: 5}, {THERE: 6})
    assert value("churn_consumer_lag_records", topic="gauges", partition="0") is None
    assert value("churn_consumer_lag_seconds", topic="gauges", partition="0") is None
    assert value("churn_consumer_lag_records", topic="gauges", partition="1") == 1


def test_a_partition_of_which_nothing_was_read_yet_is_as_late_as_it_was_seen_to_wait() -> None:
    role = Role("detector", cast(Any, None), cast(Any, Reader()), None, Stall(60))
    role._lag({HERE: 5}, {HERE: 9})
    assert value("churn_consumer_lag_seconds", topic="gauges", partition="0") == 0
    role._seen_ms[HERE] -= 70_000
    role._lag({HERE: 5}, {HERE: 9})
    age_s = value("churn_consumer_lag_seconds", topic="gauges", partition="0")
    assert age_s is not None
    assert 70 <= age_s < 80


def test_age_of_a_checkpoint_goes_with_the_partition_and_starts_anew_when_it_comes_back() -> None:
    async def ends(_: set[int]) -> Mapping[int, int]:
        return {}

    async def spans(numbers: set[int]) -> Mapping[int, tuple[int, int]]:
        return dict.fromkeys(numbers, (0, 0))

    async def go() -> None:
        copies = Copies()
        copies.own({1: 0})
        detector = Detector(Topology(), copies, cast(Any, Fold), ends, spans)
        for _ in range(2):
            await detector.prepare({TP("churn.journal", 1): 0})
            age_s = value("churn_checkpoint_age_seconds", partition="1")
            assert age_s is not None
            assert age_s < 5
            detector.release()
            assert value("churn_checkpoint_age_seconds", partition="1") is None

    asyncio.run(go())
