"""Quality by group and over time: what is summed, and that the figures are those of the rows themselves."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import quality
from detectors.learning.grades import CELLS_PER_LOG_ODD, PERIOD_S, PERIODS, TABLE_ROWS, Grades, cell_of, reliability
from detectors.learning.groups import ALL
from detectors.model import probability

Outcome = tuple[int, float, list[str], int, bool]
OUTCOMES = st.lists(
    st.tuples(
        st.integers(0, 20).map(lambda period: period * PERIOD_S + 5),
        st.floats(0.0, 1.0).map(lambda p: round(p, 6)),
        st.lists(st.sampled_from(["plan:a", "stage:active"]), unique=True),
        st.sampled_from([1, 4]),
        st.booleans(),
    ),
    max_size=40,
)


def graded(outcomes: list[Outcome]) -> Grades:
    grades = Grades()
    for outcome in outcomes:
        grades.add(*outcome)
    return grades


def drawn(n: int, seed: int, scale: float = 1.0) -> list[Outcome]:
    """Outcomes as probable as given, or `scale` times as probable."""
    rng = random.Random(seed)
    given = [round(probability(rng.gauss(-2.0, 1.2)), 6) for _ in range(n)]
    return [
        (i // 100 * 7 * 86_400, p, ["plan:a"] if i % 3 else ["plan:b"], 1, rng.random() < p * scale)
        for i, p in enumerate(given)
    ]


@given(OUTCOMES, st.randoms(use_true_random=False))
def test_the_order_of_outcomes_makes_no_difference(outcomes: list[Outcome], dice: random.Random) -> None:
    first, second = graded(outcomes), graded(dice.sample(outcomes, len(outcomes)))
    assert first == second
    assert all(len(periods) <= PERIODS for periods in first.groups.values())


@given(OUTCOMES)
def test_what_is_kept_survives_storage(outcomes: list[Outcome]) -> None:
    grades = graded(outcomes)
    assert msgspec.json.decode(msgspec.json.encode(grades), type=Grades) == grades


@pytest.mark.parametrize("seed", range(3))
def test_figures_are_those_of_the_rows_within_the_width_of_a_cell(seed: int) -> None:
    outcomes = drawn(4_000, seed)
    grade = graded(outcomes).grade(ALL, 1.0, 0.1)
    p, left = [o[1] for o in outcomes], [int(o[4]) for o in outcomes]
    assert (grade.outcomes, grade.left) == (len(p), sum(left))
    assert grade.log_loss == pytest.approx(quality.log_loss(p, left), abs=1e-6)
    assert grade.average_precision == pytest.approx(quality.average_precision(p, left), abs=0.01)
    assert grade.calibration_error == pytest.approx(quality.calibration_error(p, left), abs=0.01)
    periods: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        periods.setdefault(outcome[0] // PERIOD_S, []).append(outcome)
    aucs = [quality.roc_auc([o[1] for o in of], [int(o[4]) for o in of]) or 0.5 for of in periods.values()]
    assert grade.auc == pytest.approx(sum(aucs) / len(aucs), abs=0.01)
    best = [sorted(of, key=lambda o: -o[1])[: len(of) // 10] for of in periods.values()]
    hits = sum(o[4] for of in best for o in of) / sum(map(len, best))
    assert grade.precision_at_budget == pytest.approx(hits, abs=0.03)


def test_a_group_has_its_own_figures_and_groups_add_up() -> None:
    grades = graded(drawn(2_000, 1))
    whole, a, b = (grades.grade(name, 1.0, 0.1) for name in (ALL, "plan:a", "plan:b"))
    assert (a.outcomes + b.outcomes, a.left + b.left) == (whole.outcomes, whole.left)
    assert a.auc not in (None, whole.auc)
    by_period = grades.by_period(ALL, 1.0, 0.1)
    assert list(by_period) == sorted(by_period)
    assert sum(of.outcomes for of in by_period.values()) == whole.outcomes


def test_the_reliability_table_covers_what_is_calibrated_and_shows_what_is_not() -> None:
    table = graded(drawn(4_000, 2)).table(ALL, 1.0)
    assert len(table) == TABLE_ROWS
    assert sum(row.outcomes for row in table) == 4_000
    assert [row.given for row in table] == sorted(row.given for row in table)
    assert sum(row.observed_low <= row.given <= row.observed_high for row in table) >= 8
    half = graded(drawn(4_000, 2, scale=0.5)).table(ALL, 1.0)
    assert sum(row.given > row.observed_high for row in half) >= 6


def test_too_few_outcomes_have_no_skill_and_none_have_no_figures() -> None:
    grades = graded(drawn(60, 1))
    assert grades.grade(ALL, 30 / 7, 0.1).auc is None
    assert grades.grade(ALL, 30 / 7, 0.1).log_loss is not None
    assert grades.grade("plan:none", 1.0, 0.1) == (0, 0, None, None, None, None, None, None, None)
    assert reliability({}, 1.0) == []


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_cell_is_in_the_order_of_its_probabilities_and_a_tenth_of_a_log_odd_wide(p: float, q: float) -> None:
    assert (cell_of(p) <= cell_of(q)) or p > q
    at = cell_of(p)
    if abs(at) < 70:
        assert cell_of(probability(at / CELLS_PER_LOG_ODD)) == at
