"""Champion against challengers: who takes over, when, and that what was long ago holds nobody back."""

from __future__ import annotations

import random

import pytest

from detectors.learning.contest import MEMORY, Score, better

AFTER, MARGIN, OVERLAP = 500, 0.005, 30 / 7


def contest(n: int, decides: float, other: float, share: float, score: Score | None = None, seed: int = 1) -> Score:
    """A challenger that says `other` where the model that decides says `decides`, and a share of the customers left."""
    score, rng = score or Score(), random.Random(seed)
    for _ in range(n):
        score.add(other, decides, rng.random() < share)
    return score


def who(score: Score) -> str | None:
    return better({"other": score}, AFTER, MARGIN, OVERLAP)


def test_one_that_is_better_takes_over_once_there_are_enough_outcomes() -> None:
    assert who(contest(AFTER - 1, 0.6, 0.2, 0.2)) is None
    assert who(contest(AFTER, 0.6, 0.2, 0.2)) == "other"


def test_one_that_is_better_by_less_than_the_margin_does_not() -> None:
    score = contest(4_000, 0.21, 0.2, 0.2)
    gain = score.over(OVERLAP)
    assert gain is not None
    assert gain.mean < MARGIN
    assert who(score) is None


@pytest.mark.parametrize("seed", range(20))
def test_chance_promotes_nobody(seed: int) -> None:
    """Two that are right equally often, and say it as loudly, for different customers."""
    rng, score = random.Random(seed), Score()
    for _ in range(AFTER):
        one = rng.choice((0.2, 0.8))
        score.add(1.0 - one, one, rng.random() < 0.5)
    assert who(score) is None


def test_what_was_long_ago_holds_back_nobody_who_is_better_now() -> None:
    score = contest(20_000, 0.2, 0.6, 0.2)
    assert who(score) is None
    contest(int(2 * MEMORY), 0.2, 0.6, 0.6, score)
    assert who(score) == "other"
    assert score.loss / score.asked > 0.7  # over all of it, it is worse


def test_a_comparison_that_begins_anew_knows_nothing() -> None:
    score = contest(1_000, 0.6, 0.2, 0.2)
    score.begin()
    assert score.over(OVERLAP) is None
    assert who(score) is None
    assert score.asked == 1_000


def test_the_best_of_several_takes_over() -> None:
    scores = {"good": contest(1_000, 0.6, 0.3, 0.2), "best": contest(1_000, 0.6, 0.2, 0.2), "same": Score()}
    assert better(scores, AFTER, MARGIN, OVERLAP) == "best"
