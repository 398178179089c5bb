"""The contest of models that bend: it finds a gain where there is one, and none where the world is straight."""

from __future__ import annotations

import random

import pytest

from benchmarks.benders import BENDERS, contest
from detectors.learning.examples import Example
from detectors.model import probability
from tests.detectors.learning.test_learner import POLICY, SILENCE, example

OVERLAP = 30 / 7


def crowd(*, is_bent: bool, n: int = 2_400) -> list[Example]:
    """Customers who leave the sooner the more silent they are; or in the middle alone, which no line can say."""
    rng, found = random.Random(1), []
    for i in range(n):
        silence = rng.random()
        z = (4.0 * (abs(silence - 0.5) < 0.25) - 2.0) if is_bent else 3.0 * silence - 1.5
        found.append(example(i, left=rng.random() < probability(z), values={SILENCE: max(1, round(silence * 1_000))}))
    return found


def gain(examples: list[Example]) -> tuple[float, float]:
    """What bends gain over the straight model: mean, and lower end of the interval."""
    seats, _ = contest(examples, POLICY, {})
    found = seats["linear with bends"].alone.over(OVERLAP)
    assert found is not None
    return found.mean, found.low


def test_a_bend_that_is_there_is_found() -> None:
    mean, low = gain(crowd(is_bent=True))
    assert mean > 0.02
    assert low > 0.0


def test_in_a_straight_world_bends_gain_nothing() -> None:
    mean, low = gain(crowd(is_bent=False))
    assert mean < 0.01
    assert low < 0.0


@pytest.mark.parametrize("name", BENDERS)
def test_every_bender_sits_alone_and_beside_the_linear_model(name: str) -> None:
    seats, own = contest(crowd(is_bent=True, n=90), POLICY, {name: BENDERS[name]})
    assert seats.keys() == {name, "linear with bends"}
    assert own.asked == seats[name].alone.asked == seats[name].both.asked == 60
