"""Seeded draws."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.simulation.dice import Dice

NAMES = st.text(max_size=20)


def test_the_first_draws_of_a_name_never_change() -> None:
    """A file that was simulated last year can be simulated again."""
    dice = Dice("churnwatch")
    assert [dice.whole(1, 1_000) for _ in range(5)] == [953, 826, 675, 652, 682]


@given(NAMES, st.integers(-50, 50), st.integers(0, 100))
def test_whole_numbers_stay_within_their_bounds(name: str, low: int, width: int) -> None:
    dice = Dice(name)
    assert all(low <= dice.whole(low, low + width) <= low + width for _ in range(20))


@given(NAMES)
def test_a_branch_does_not_depend_on_what_was_drawn_before(name: str) -> None:
    drawn, fresh = Dice(name), Dice(name)
    drawn.between(0.0, 1.0)
    assert drawn.branch("x").between(0.0, 1.0) == fresh.branch("x").between(0.0, 1.0)


@given(NAMES, st.lists(st.integers(), max_size=30))
def test_shuffling_loses_and_adds_nothing(name: str, items: list[int]) -> None:
    assert sorted(Dice(name).shuffled(items)) == sorted(items)


def test_draws_are_spread_evenly() -> None:
    dice = Dice("evenly")
    tenths = [0] * 10
    for _ in range(10_000):
        tenths[int(dice.between(0.0, 10.0))] += 1
    assert all(850 < count < 1_150 for count in tenths)


def test_gaps_have_the_mean_that_was_asked_for() -> None:
    dice = Dice("gaps")
    assert 9.5 < sum(dice.gap(10.0) for _ in range(10_000)) / 10_000 < 10.5


def test_weights_decide_how_often_an_item_is_picked() -> None:
    dice = Dice("weights")
    picked = [dice.weighted(("often", "seldom"), (0.9, 0.1)) for _ in range(5_000)]
    assert 0.88 < picked.count("often") / 5_000 < 0.92
