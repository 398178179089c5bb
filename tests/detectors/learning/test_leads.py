"""How early alerts came: counted whatever their order, told of those who said that they leave."""

from __future__ import annotations

import random
from statistics import median
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from detectors.customer import DAY_S
from detectors.learning.alerted import AlertOutcome, decode_outcome, encode_outcome
from detectors.learning.grades import PERIOD_S, PERIODS
from detectors.learning.leads import Leads
from detectors.learning.learner import Learner
from detectors.policy import Policy
from tests.detectors.learning.test_learner import example


def outcome(number: int, **said: Any) -> AlertOutcome:
    known: dict[str, Any] = {
        "customer_id": "c", "alert_id": f"a-{number}", "opened_s": 1_000_000_000, "probability": 0.3,
        "delivery": "deliver", "lot": 0, "share": 0, "first": True, "left": False,
    }  # fmt: skip
    return AlertOutcome(**{**known, **said})


OUTCOMES = st.lists(
    st.builds(
        lambda number, period, days: outcome(
            number, opened_s=period * PERIOD_S, left=days is not None, lead_s=None if days is None else days * DAY_S
        ),
        st.integers(),
        st.integers(0, 2 * PERIODS),
        st.none() | st.integers(0, 30),
    ),
    max_size=30,
)


@given(OUTCOMES, st.randoms(use_true_random=False))
def test_the_order_of_outcomes_makes_no_difference_and_the_newest_year_counts(
    outcomes: list[AlertOutcome], dice: random.Random
) -> None:
    first, second = Leads(), Leads()
    for each in outcomes:
        first.add(each, ["plan:a"])
    for each in dice.sample(outcomes, len(outcomes)):
        second.add(each, ["plan:a"])
    assert first == second
    newest = max((each.opened_s // PERIOD_S for each in outcomes), default=0)
    kept = [each for each in outcomes if each.opened_s // PERIOD_S > newest - PERIODS]
    days = [each.lead_s // DAY_S for each in kept if each.lead_s is not None]
    assert sum(lead.alerts for lead in first.by_period("plan:a").values()) == len(kept)
    assert first.lead("plan:a") == (len(kept), len(days), median(days) if days else None)


def test_a_learner_tells_the_groups_that_it_knows_and_goes_on_after_a_restart() -> None:
    learner = Learner(Policy())
    learner.learn(example(1, left=True, segments=("plan:pro",)))
    groups = ("all", "plan:pro", "plan:never_met", "stage:active")
    for number in range(3):
        told = outcome(number, left=True, lead_s=(number + 4) * DAY_S, groups=groups)
        assert learner.note(decode_outcome(encode_outcome(told))) is None
    assert learner.leads.groups.keys() == {"all", "plan:pro", "stage:active"}
    assert learner.leads.lead("all") == learner.leads.lead("plan:pro") == (3, 3, 5.0)
    again = Learner(Policy())
    again.restore(learner.snapshot())
    assert again.leads == learner.leads
    assert again.snapshot() == learner.snapshot()


def test_an_outcome_from_before_groups_were_written_down_counts_for_everybody() -> None:
    leads = Leads()
    leads.add(outcome(1, left=True), [])
    assert leads.lead("all") == (1, 1, None)
    assert leads.lead("plan:pro") == (0, 0, None)
