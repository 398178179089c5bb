"""Quality figures against their definitions, computed the slow way."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from detectors.quality import Judged, average_precision, calibration_error, log_loss, roc_auc

ROWS = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.9, 1.0]), st.integers(0, 1)), min_size=1, max_size=30)


@given(ROWS)
def test_roc_auc_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[float, int]]) -> None:
    p, left = [q for q, _ in rows], [y for _, y in rows]
    pairs = list(itertools.product([q for q, y in rows if y], [q for q, y in rows if not y]))
    expected = sum((a > b) + 0.5 * (a == b) for a, b in pairs) / len(pairs) if pairs else None
    found = roc_auc(p, left)
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        assert abs(found - expected) < 1e-12


@given(ROWS)
def test_figures_stay_in_their_bounds(rows: list[tuple[float, int]]) -> None:
    p, left = [q for q, _ in rows], [y for _, y in rows]
    assert 0 <= (average_precision(p, left) or 0) <= 1
    assert 0 <= (calibration_error(p, left) or 0) <= 1
    loss = log_loss(p, left)
    assert loss is not None
    assert 0 <= loss < 28


def test_a_perfect_order_is_perfect_within_each_landmark() -> None:
    judged = Judged(budget_share=0.5)
    judged.landmark([0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1])
    judged.landmark([0.6, 0.9], [0, 1])
    found = judged.quality()
    assert (found.rows, found.left) == (6, 3)
    assert found.roc_auc_within_landmarks == found.precision_at_budget == 1.0
    assert found.roc_auc is not None
    assert found.roc_auc < 1.0


def test_one_outcome_alone_has_no_order() -> None:
    judged = Judged(budget_share=0.1)
    judged.landmark([0.2, 0.3], [0, 0])
    assert judged.quality().roc_auc is None
    assert judged.quality().average_precision is None
