"""What a worker tells of its partitions, and stops telling when they are another's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from faust.types import TP

from detectors.customer import VERSION, Customer, dump
from detectors.stored import AT
from schemas.topics import JOURNAL
from streams import metrics
from streams.app import Topics
from streams.detector import Detector, start_of
from streams.engine.errors import Refusal
from streams.engine.store import Copies
from streams.settings import Settings
from streams.worker import default_fold
from tests.detectors.lives import records, tick


async def nothing_stored(partitions: set[int]) -> Mapping[int, int]:
    return dict.fromkeys(partitions, 0)


async def nothing_written(partitions: set[int]) -> Mapping[int, tuple[int, int]]:
    return dict.fromkeys(partitions, (0, 0))


def shown(name: str, number: int) -> float | None:
    return metrics.REGISTRY.get_sample_value(name, {"partition": str(number)})


def test_the_gauges_of_a_partition_go_when_it_is_given_away() -> None:
    settings = Settings()
    topics = Topics(settings, {JOURNAL: 100})
    copies = Copies()
    copies.own({97: 0})
    detector = Detector(topics, copies, default_fold(settings), nothing_stored, nothing_written)
    tp = TP(JOURNAL, 97)
    asyncio.run(detector.prepare({tp: 0}))
    detector.apply(tp, records([tick(1)]), 1)
    list(detector.collect())
    names = ("churn_checkpoint_age_seconds", "churn_alert_budget_used_ratio")
    assert all(shown(name, 97) is not None for name in names)
    detector.release()
    assert [shown(name, 97) for name in names] == [None, None]


def test_states_of_a_release_that_is_not_known_are_refused_and_left_as_they_are() -> None:
    """Reading them wrongly, or writing over them, would lose customers; a worker that goes back a release must not."""
    settings, copies = Settings(), Copies()
    copies.own({98: 0})
    state = dump(Customer(fence=7))
    newer = state[:AT] + bytes([VERSION + 1]) + state[AT + 1 :]
    copies.states(98).update({b"c-1": state, b"c-2": newer})
    detector = Detector(
        Topics(settings, {JOURNAL: 100}), copies, default_fold(settings), nothing_stored, nothing_written
    )
    with pytest.raises(Refusal, match=f"states of version {VERSION + 1}, and this release writes version {VERSION}"):
        asyncio.run(detector.prepare({TP(JOURNAL, 98): 0}))
    assert copies.states(98) == {b"c-1": state, b"c-2": newer}


@pytest.mark.parametrize(
    ("offset", "position", "span", "start"),
    [
        (0, None, (0, 0), 0),  # nothing at all
        (30, None, (30, 90), 30),  # never committed, and the journal begins there
        (50, 50, (0, 90), 50),
        (52, 50, (0, 90), 50),  # markers lie between
        (0, 50, (0, 90), 50),  # the offset has expired
        (80, 50, (0, 90), 50),  # the changelog is of an older backup: what came after it is done again
        (52, 50, (52, 90), 52),  # what lay before has been deleted meanwhile
        (5, 0, (0, 90), 0),  # only markers so far
    ],
)
def test_a_partition_goes_on_where_its_state_says(
    offset: int, position: int | None, span: tuple[int, int], start: int
) -> None:
    assert start_of(TP(JOURNAL, 3), offset, position, span) == start


@pytest.mark.parametrize(
    ("offset", "position", "span", "said"),
    [
        (50, None, (0, 90), "holds no state of churn.journal\\[3\\], which was read up to 50"),
        (50, 50, (0, 20), "ends at 20, and was read up to 50"),
        (0, 50, (0, 20), "ends at 20, and was read up to 50"),
    ],
)
def test_states_offsets_and_a_journal_that_cannot_belong_together_are_refused(
    offset: int, position: int | None, span: tuple[int, int], said: str
) -> None:
    with pytest.raises(Refusal, match=said):
        start_of(TP(JOURNAL, 3), offset, position, span)
