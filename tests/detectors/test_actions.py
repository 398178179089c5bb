"""What is recommended: by the strongest reason, as the stage has it, and only where there is something to do."""

from __future__ import annotations

import pytest

from detectors.actions import actions_for
from detectors.assess import Reason
from detectors.customer import Customer, load
from detectors.policy import Policy
from detectors.policy_text import check_policy
from detectors.signals import Because
from schemas.alerts import LifecycleStage
from tests.detectors.lives import event, fold

POLICY = Policy()
TICKET = event("support.ticket.opened", 9, ticket_id="T-1")
SUBSCRIBED = event("billing.subscription.started", 1, plan="pro", mrr=20.0)
TRIAL = event("billing.subscription.started", 1, plan="pro", mrr=20.0, trial=True)
NEWCOMERS = event("engagement.offer.sent", 8, offer_id="o", for_newcomers_only=True, mrr=9.0)


def customer(*events: bytes) -> Customer:
    return load(fold([*events])[0].states[b"c-1"])


def codes(c: Customer, *reasons: str, stage: LifecycleStage = "active", win_back: float = 0.8) -> list[str]:
    found = [Reason(i, code, 1.0 - i / 10, Because("", ())) for i, code in enumerate(reasons)]
    return [action.code for action in actions_for(c, found, stage, win_back, POLICY)]


def test_nobody_is_told_to_resolve_a_ticket_that_is_not_there() -> None:
    reason = "service.rude_treatment"
    assert "resolve_oldest_ticket" not in codes(customer(SUBSCRIBED), reason)
    assert "resolve_oldest_ticket" in codes(customer(SUBSCRIBED, TICKET), reason)


def test_newcomers_offers_are_matched_where_there_is_one() -> None:
    assert codes(customer(SUBSCRIBED), "price.increase") == ["right_size_plan", "explain_bill_and_fix_fee"]
    assert "match_newcomers_offer" in codes(customer(SUBSCRIBED, NEWCOMERS), "price.increase")


@pytest.mark.parametrize("stage", ["lead", "trial", "onboarding"])
def test_nobody_talks_about_a_renewal_at_the_beginning(stage: LifecycleStage) -> None:
    assert codes(customer(TRIAL), "exit.intent", stage=stage) == ["call_back_and_own_it", "show_fitting_feature"]


def test_who_buys_without_a_contract_has_nothing_to_renew_and_no_plan() -> None:
    shopper = customer(event("billing.order.placed", 2, order_id="o", amount=9.0))
    assert codes(shopper, "exit.competitor", "price.above_market") == [
        "call_back_and_own_it",
        "explain_bill_and_fix_fee",
    ]


def test_before_a_renewal_the_price_is_talked_about() -> None:
    c = customer(SUBSCRIBED)
    assert codes(c, "price.increase", stage="at_renewal")[0] == "renewal_talk"
    assert codes(c, "service.unresolved", stage="at_renewal")[0] == "call_back_and_own_it"  # the group's own


def test_a_signal_may_ask_for_something_else_than_its_group() -> None:
    c = customer(SUBSCRIBED, TICKET)
    assert codes(c, "relationship.billed_in_silence") == ["give_before_asking", "invite"]
    assert codes(c, "relationship.moment_of_truth_failed")[0] == "call_back_and_own_it"
    assert codes(c, "tech.unsupported")[0] == "resolve_oldest_ticket"


def test_what_adds_little_beside_the_strongest_reason_brings_no_playbook() -> None:
    told = [Reason(1, "billing.payment_trouble", 1.6, Because("", ())), Reason(2, "tech.outage", 0.3, Because("", ()))]
    found = [action.code for action in actions_for(Customer(), told, "active", 0.8, POLICY)]
    assert found == ["update_payment_method", "call_back_and_own_it"]


def test_of_one_who_has_left_there_is_one_thing_to_do() -> None:
    c = customer(SUBSCRIBED, TICKET)
    assert codes(c, "service.unresolved", stage="churned", win_back=0.8) == ["win_back_offer"]
    assert codes(c, "service.unresolved", stage="churned", win_back=0.2) == ["leave_in_peace"]


@pytest.mark.parametrize("reason", sorted(POLICY.signals))
@pytest.mark.parametrize("stage", ["lead", "trial", "onboarding", "active", "mature", "at_renewal"])
def test_there_is_always_something_to_do_about_what_harms(reason: str, stage: LifecycleStage) -> None:
    if POLICY.signals[reason].prior > 0:
        assert codes(Customer(), reason, stage=stage)


def test_a_stage_of_ones_own_is_merged_and_checked() -> None:
    checked = check_policy('[stage_playbooks.trial]\nexit = ["invite"]\n')
    assert checked.policy is not None
    assert checked.policy.stage_playbooks["trial"]["exit"] == ("invite",)
    assert checked.policy.stage_playbooks["trial"]["price"] == POLICY.stage_playbooks["trial"]["price"]
    wrong = check_policy('[stage_playbooks.trial]\nexit = ["no_such"]\n')
    assert [(f.line, "no_such" in str(f)) for f in wrong.problems] == [(2, True)]
    odd = check_policy('[stage_playbooks.trial]\nexits = ["invite"]\n')
    assert any("exit" in str(f) for f in odd.oddities)
