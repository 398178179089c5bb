"""Survival curves against published data, with late entries and censoring, and what a group is compared with."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.learning.survival import (
    WEEK_D,
    WEEKS,
    LifeTable,
    curve,
    expected_ends,
    median_of,
    times_others,
)

# Weeks of remission of 42 children (Freireich et al., Blood, 1963), and whether it ended: treated, and not.
TREATED = [(6, 1), (6, 1), (6, 1), (6, 0), (7, 1), (9, 0), (10, 1), (10, 0), (11, 0), (13, 1), (16, 1), (17, 0),
           (19, 0), (20, 0), (22, 1), (23, 1), (25, 0), (32, 0), (32, 0), (34, 0), (35, 0)]  # fmt: skip
UNTREATED = [(weeks, 1) for weeks in (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)]
# The curve of the treated as textbooks print it (Klein & Moeschberger, Survival Analysis, 2003, table 4.1), and the
# intervals of log(-log S) that R's survfit and Stata give.
PRINTED = {
    6: (0.857, 0.620, 0.952),
    7: (0.807, 0.563, 0.923),
    10: (0.753, 0.503, 0.889),
    13: (0.690, 0.432, 0.849),
    16: (0.627, 0.368, 0.805),
    22: (0.538, 0.268, 0.747),
    23: (0.448, 0.188, 0.680),
}
# lifelines 0.30.3, KaplanMeierFitter().fit(T, E, entry=L), of `watched(300)` at ages 5, 10, 20 and 30.
LIFELINES = {
    5: (0.802459, 0.741417, 0.850544),
    10: (0.657554, 0.587240, 0.718806),
    20: (0.403887, 0.334658, 0.471946),
    30: (0.243618, 0.186672, 0.304787),
}


def counts(lives: list[tuple[int, int, int]]) -> tuple[list[float], list[int]]:
    """At risk and left at each age, of lives that were watched from an age to an age, and ended there or not."""
    ages = range(1, max(age for _, age, _ in lives) + 1)
    at_risk = [float(sum(entry < w <= age for entry, age, _ in lives)) for w in ages]
    return at_risk, [sum(age == w and ended for _, age, ended in lives) for w in ages]


def watched(n: int) -> list[tuple[int, int, int]]:
    """Lives that are seen late, and not always to their end: weeks of entry and of exit, and whether it is an end."""
    rng, found = random.Random(5), []
    for _ in range(n):
        entry = rng.choice([0, 0, rng.randrange(0, 40)])
        age, seen = entry + 1 + int(rng.expovariate(1 / 25)), entry + 1 + rng.randrange(0, 60)
        found.append((entry, min(age, seen), int(age <= seen)))
    return found


def table(lives: list[tuple[int, int, int]], step: int = 1) -> LifeTable:
    """The same lives told in stretches of so many weeks, as landmarks tell them."""
    made = LifeTable()
    for entry, age, ended in lives:
        for at in range(entry, age, step):
            until = min(at + step, age)
            is_end = ended and until == age
            made.add(at * WEEK_D, (until - at) * WEEK_D, (until - 1 - at) * WEEK_D + 3 if is_end else None)
    return made


def test_the_curve_of_a_textbook_with_its_intervals() -> None:
    points = {point.age: point for point in curve(*counts([(0, *life) for life in TREATED]))}
    for age, (share, low, high) in PRINTED.items():
        found = points[age]
        assert (found.share, found.low, found.high) == pytest.approx((share, low, high), abs=6e-4)
    median = median_of(list(points.values()))
    assert median is not None
    assert (median.age, median.low, median.high) == (23, 13, None)


def test_late_entries_are_at_risk_from_then_on_as_in_a_library_of_its_own() -> None:
    points = {point.age: point for point in curve(*counts(watched(300)))}
    for age, expected in LIFELINES.items():
        found = points[age]
        assert (found.share, found.low, found.high) == pytest.approx(expected, abs=1e-6)
    median = median_of(list(points.values()))
    assert median is not None
    assert tuple(median) == (17, 14, 20)


@pytest.mark.parametrize("step", [1, 4])
def test_a_life_in_stretches_is_the_life_in_one_piece(step: int) -> None:
    lives = watched(300)
    at_risk, left = counts(lives)
    made = table(lives, step)
    assert [days / WEEK_D for days in made.days] == at_risk
    assert made.left == left
    assert made.curve(1.0) == curve(at_risk, left)


stretches = st.lists(
    st.tuples(st.integers(0, 2_000), st.integers(1, 30), st.integers(0, 29) | st.none()).map(
        lambda s: (s[0], s[1], None if s[2] is None else min(s[2], s[1] - 1))
    ),
    max_size=60,
)


@given(stretches, st.integers(1, 5))
def test_a_curve_only_falls_within_its_interval_and_a_table_is_bounded(
    told: list[tuple[int, int, int | None]], least: int
) -> None:
    made = LifeTable()
    for stretch in told:
        made.add(*stretch)
    assert len(made.days) == len(made.left) <= WEEKS
    assert made.ends <= sum(gone is not None for _, _, gone in told)
    share = 1.0
    for point in made.curve(least):
        assert 0.0 <= point.low <= point.share <= point.high <= 1.0
        assert point.share <= share
        share = point.share


@given(stretches)
def test_stretches_in_any_order_give_the_same_table(told: list[tuple[int, int, int | None]]) -> None:
    first, second = LifeTable(), LifeTable()
    for stretch in told:
        first.add(*stretch)
    for stretch in reversed(told):
        second.add(*stretch)
    assert first == second


def test_where_too_few_were_watched_young_the_curve_is_of_those_who_have_reached_the_age() -> None:
    lives = [(0, 2, 1), *[(5, 12, int(i < 5)) for i in range(20)]]
    points = table(lives).curve(10.0)
    assert [point.age for point in points] == list(range(6, 13))
    assert (points[0].share, points[-1].share) == (1.0, 0.75)


def test_nobody_has_left_is_no_certainty() -> None:
    (point,) = curve([20.0], [0])
    assert (point.share, point.high) == (1.0, 1.0)
    assert point.low == pytest.approx(0.8316, abs=1e-4)  # Clopper & Pearson of 0 of 20: 0 to 16.84 %


def test_a_group_is_compared_with_others_of_the_same_age() -> None:
    """The log-rank test's expected ends are 19.25 and 10.75 (Altman 1991, 13.4); the ratio is 0.24."""
    treated = table([(0, *life) for life in TREATED])
    everybody = table([(0, *life) for life in TREATED + UNTREATED])
    ends, expected, others, others_expected = expected_ends(treated, everybody, WEEKS)
    assert (ends, others) == (9, 21)
    assert (expected, others_expected) == pytest.approx((19.25, 10.75), abs=6e-3)
    ratio = times_others(ends, expected, others, others_expected)
    assert ratio is not None
    assert ratio.value == pytest.approx(0.239, abs=1e-3)
    assert ratio.high < 0.55


def test_a_younger_group_that_leaves_as_all_do_at_its_age_is_like_the_others() -> None:
    young = [(0, 4, int(i % 2 == 0)) for i in range(60)]
    old = [(0, 4, int(i % 2 == 0)) for i in range(60)] + [(4, 60, 0)] * 200
    ratio = times_others(*expected_ends(table(young), table(young + old), WEEKS))
    assert ratio is not None
    assert ratio.value == pytest.approx(1.0)
    assert ratio.low < 1.0 < ratio.high


def test_where_there_is_no_difference_the_interval_covers_one_as_often_as_it_says() -> None:
    rng, covered = random.Random(1), 0
    for _ in range(400):
        ends = sum(rng.random() < 0.2 for _ in range(60))
        others = sum(rng.random() < 0.2 for _ in range(240))
        ratio = times_others(ends, 12.0, others, 48.0)
        assert ratio is not None
        covered += ratio.low <= 1.0 <= ratio.high
    assert covered >= 376  # of 400; Poisson counts that are binomial vary a little less
