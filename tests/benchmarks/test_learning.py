"""The benchmark of what learning costs measures something, and the same something every time."""

from __future__ import annotations

import pytest

from benchmarks import learning
from benchmarks.lives import history
from detectors.model import Model
from detectors.policy import Policy

pytestmark = pytest.mark.whole


def test_its_lives_give_outcomes_of_both_kinds_and_a_model_that_decides() -> None:
    """As many leave as the probabilities say, and what is learned of that is handed over."""
    policy = Policy()
    found = learning.fold(history(60), policy, Model.prior(policy), examples=True).examples
    examples = learning.with_outcomes(found)
    assert examples == learning.with_outcomes(found)
    assert policy.learning.start_left <= sum(example.left for example in examples) < len(examples) / 4
    _, model = learning.learned(examples, policy)
    assert model.examples == len(examples)


def test_every_cost_is_a_row() -> None:
    """The learner and what it counts by group, the landmarks, and detecting by a learned model."""
    rows = learning.measure(lives=8, times=1)
    assert len(rows) == 6
    assert all(row.measured for row in rows)
