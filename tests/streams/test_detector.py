"""What a worker tells of its partitions, and stops telling when they are another's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from faust.types import TP

from schemas.topics import JOURNAL
from streams import metrics
from streams.app import Topics
from streams.detector import Detector
from streams.engine.store import Copies
from streams.settings import Settings
from streams.worker import default_fold
from tests.detectors.lives import records, tick


async def nothing_stored(partitions: set[int]) -> Mapping[int, int]:
    return dict.fromkeys(partitions, 0)


def shown(name: str, number: int) -> float | None:
    return metrics.REGISTRY.get_sample_value(name, {"partition": str(number)})


def test_the_gauges_of_a_partition_go_when_it_is_given_away() -> None:
    settings = Settings()
    topics = Topics(settings, {JOURNAL: 100})
    copies = Copies()
    copies.own({97: 0})
    detector = Detector(topics, copies, default_fold(settings), nothing_stored)
    tp = TP(JOURNAL, 97)
    asyncio.run(detector.prepare({tp: 0}))
    detector.apply(tp, records([tick(1)]), 1)
    list(detector.collect())
    names = ("churn_checkpoint_age_seconds", "churn_alert_budget_used_ratio")
    assert all(shown(name, 97) is not None for name in names)
    detector.release()
    assert [shown(name, 97) for name in names] == [None, None]
