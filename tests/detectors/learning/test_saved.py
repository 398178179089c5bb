"""Saved revenue: what counts, what does not, and what is said before enough is known."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from detectors.learning.alerted import AlertOutcome
from detectors.learning.learner import Learner
from detectors.learning.saved import COMPARED_MAX, CURRENCIES, DONE_MAX, Saved
from detectors.learning.saved_shown import saved_rows
from detectors.learning.uplift import Arm
from detectors.policy import Policy
from schemas.insights_value import SavedRevenue

NOW_S = 1_772_600_767


def outcome(number: int, *, held_out: bool = False, left: bool = False, **said: Any) -> AlertOutcome:
    known: dict[str, Any] = {
        "customer_id": f"c-{number}",
        "alert_id": f"a-{number}",
        "opened_s": 1_000_000 + number,
        "probability": 0.2,
        "delivery": "hold_out" if held_out else "deliver",
        "lot": 7,
        "share": 2_000,
        "first": True,
        "reason": "value.silence",
        "recommended": "invite",
        "mrr": 50.0,
        "mrr_kept": 0.0 if left else 50.0,
        "currency": "EUR",
        "left": left,
    }
    return AlertOutcome(**{**known, **said})


def world(n: int, saves: float, seed: int = 1) -> list[AlertOutcome]:
    """Alerts of two reasons; calling saves some of those who would leave by silence, and nobody by price."""
    rng, found = random.Random(seed), []
    for i in range(n):
        held_out, silent = rng.random() < 0.25, rng.random() < 0.5
        called = "invite" if not held_out and rng.random() < 0.7 else ""
        p = 0.4 - (saves if silent and called else 0.0)
        reason, playbook = ("value.silence", "invite") if silent else ("price.increase", "right_size_plan")
        found.append(outcome(i, held_out=held_out, left=rng.random() < p, contacted=called, reason=reason,
                             recommended=playbook))  # fmt: skip
    return found


def added(outcomes: list[AlertOutcome]) -> Saved:
    saved = Saved()
    for each in outcomes:
        assert saved.add(each) is None
    return saved


def rows(saved: Saved, needed: int = 50) -> dict[str, SavedRevenue]:
    return {row.insight_id: row for row in saved_rows(saved, needed, NOW_S)}


def test_until_enough_is_known_it_says_how_much_is() -> None:
    saved = added([outcome(i, held_out=i < 12, left=i % 3 == 0) for i in range(72)])
    (row,) = (row for row in saved_rows(saved, 50, NOW_S) if row.comparison == "all")
    assert row.text == "12 of 50 control alerts have an outcome: too few to tell what acting achieves."
    later = next(saved_rows(saved, 70, NOW_S))
    assert later.text.startswith("12 of 70 control alerts and 60 of 70 delivered alerts have an outcome")
    assert row.saved is None
    assert row.revenue[0].saved is None
    assert (row.control.alerts, row.control.left, row.delivered.alerts) == (12, 4, 60)


def test_of_groups_that_no_share_has_drawn_together_it_says_so() -> None:
    control = [outcome(i, held_out=True, share=10_000) for i in range(60)]
    saved = added([*control, *(outcome(i) for i in range(60, 120))])
    row = rows(saved)["saved_revenue/all"]
    assert row.saved is None
    assert row.text == "The two groups were never drawn by the same share: what acting achieves cannot be told."


def test_what_is_saved_is_found_where_it_is_and_not_where_it_is_not() -> None:
    found = rows(added(world(4_000, saves=0.3)))
    for name in ("all", "reason/value.silence", "group/value", "recommended/invite"):
        row = found[f"saved_revenue/{name}"]
        assert row.saved is not None
        assert row.saved.low > 0.0
        assert row.randomised
    at_price = found["saved_revenue/reason/price.increase"].saved
    assert at_price is not None
    assert at_price.low < 0.0 < at_price.high
    silence = found["saved_revenue/reason/value.silence"].saved
    assert silence is not None
    assert silence.low < 0.7 * 0.3 < silence.high  # by intention to treat: 30 points, of the 70 % who were called
    money = found["saved_revenue/all"].revenue[0]
    assert money.saved is not None
    assert money.saved.low < 0.5 * 0.7 * 0.3 * money.delivered < money.saved.high
    assert "of 100 alerted" in found["saved_revenue/all"].text
    assert "chance" not in found["saved_revenue/all"].text


@pytest.mark.parametrize("seed", range(5))
def test_where_calling_does_nothing_zero_is_in_the_interval(seed: int) -> None:
    row = rows(added(world(1_200, saves=0.0, seed=seed)))["saved_revenue/all"]
    assert row.saved is not None
    assert row.saved.low < 0.0 < row.saved.high
    assert "which may be chance" in row.text


def test_who_was_called_is_compared_with_the_whole_control_group_and_says_that_no_lot_was_drawn() -> None:
    found = rows(added(world(4_000, saves=0.3)))
    row, everybody = found["saved_revenue/done/invite"], found["saved_revenue/all"]
    assert not row.randomised
    assert "nobody drew by lot" in row.text
    assert row.control == everybody.control
    assert row.delivered.alerts == row.delivered.contacted == everybody.delivered.contacted


def test_only_a_customers_first_alert_since_a_group_was_drawn_counts() -> None:
    saved = added([outcome(1), outcome(2, first=False), outcome(4, lot=0, first=False)])
    assert saved.arms("all").delivered.alerts == 1
    assert (saved.again, saved.undrawn) == (1, Arm(1, 0, 0))


def test_another_salt_begins_anew_and_stragglers_of_the_former_group_are_refused() -> None:
    saved = added([outcome(i) for i in range(10)])
    assert saved.add(outcome(50, lot=8)) is None
    assert saved.arms("all").delivered.alerts == 1
    assert saved.add(outcome(11)) == "of a former control group"
    assert (saved.lot, saved.since_s, saved.arms("all").delivered.alerts) == (8, 1_000_050, 1)


def test_another_share_goes_on_beside_the_one_before() -> None:
    saved = added([outcome(i, share=500 if i < 5 else 1_000) for i in range(10)])
    assert [pair.delivered.alerts for pair in saved.strata("all")] == [5, 5]
    assert saved.arms("all").delivered.alerts == 10


def test_names_and_currencies_without_end_do_not_make_the_state_grow() -> None:
    saved = added([outcome(i, contacted=f"by hand {i}", currency=f"X{i}", reason=f"r{i}.x") for i in range(2_000)])
    assert len(saved.pairs) == COMPARED_MAX
    assert sum(name.startswith("done/") for name in saved.pairs) == DONE_MAX
    assert len(saved.arms("all").delivered.money) == CURRENCIES
    assert saved.arms("all").delivered.alerts == 2_000
    assert len(msgspec.json.encode(saved)) < 100_000


def test_a_restart_goes_on_bit_for_bit_and_no_model_learns_from_alerts() -> None:
    outcomes = world(300, saves=0.2)
    whole, first, second = Learner(Policy()), Learner(Policy()), Learner(Policy())
    assert {whole.note(each) for each in outcomes} == {None}
    for each in outcomes[:150]:
        first.note(each)
    second.restore(first.snapshot())
    for each in outcomes[150:]:
        second.note(each)
    assert second.snapshot() == whole.snapshot()
    assert whole.learned == 0
    assert whole.model() == Learner(Policy()).model()


def test_a_second_label_for_one_alert_is_refused() -> None:
    learner = Learner(Policy())
    assert learner.note(outcome(1)) is None
    before = learner.saved.arms("all")
    assert learner.note(outcome(1, left=True)) == "a second label"
    assert learner.saved.arms("all") == before
    assert learner.refused == {"a second label": 1}


def test_a_state_from_before_alerts_were_followed_is_read() -> None:
    learner = Learner(Policy())
    learner.note(outcome(1))
    stored = msgspec.json.decode(learner.snapshot())
    del stored["saved"]
    learner.restore(msgspec.json.encode(stored))
    assert learner.saved == Saved()
