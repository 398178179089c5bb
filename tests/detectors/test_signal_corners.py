"""Corners of single signals: what is near to raising one and does not, and what ends one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from detectors.customer import load
from detectors.policy import Policy
from detectors.signals import CATALOGUE, Moment
from tests.detectors.lives import DAY_S, START_S, at, customer_after, event, fold, read, tick
from tests.detectors.raised.relationship import SILENCE
from tests.detectors.raised.shape import History, sessions

BOUGHT = event("billing.subscription.started", 0, plan="pro", mrr=100.0)
TRIAL = event("billing.subscription.started", 0, plan="pro", mrr=0.0, trial=True)
FAILED = event("support.promise.broken", 334, promise_id="p1")


def strength(code: str, history: History, day: float) -> float | None:
    return read(code, history, day)[0]


def value(code: str, history: History, day: float, policy: Policy | None = None, feed: float | None = None) -> Any:
    """The value itself, with a policy of one's own, and the feed alive until then unless said otherwise."""
    policy = policy or Policy()
    moment = Moment(policy, round(START_S + day * DAY_S), round(START_S + (day if feed is None else feed) * DAY_S))
    moment.row = policy.signals[code]
    return CATALOGUE[code].measure(customer_after(history), moment)


def test_a_failure_counts_only_in_a_billed_silence_and_a_gift_ends_both() -> None:
    code = "relationship.moment_of_truth_failed"
    assert strength(code, [*SILENCE, event("support.promise.kept", 334, promise_id="p1")], 340) == 0
    assert strength(code, [*SILENCE[:6], FAILED], 340) == 0  # six invoices are no silence yet
    assert strength(code, [FAILED], 340) is None  # nobody bills
    assert strength(code, SILENCE, 340) is None  # nobody reports failures
    alone = strength(code, [*SILENCE, FAILED], 340)
    assert alone is not None
    assert alone > 0.4
    assert strength(code, [*SILENCE, FAILED, event("engagement.benefit.granted", 336, kind="credit")], 340) == 0
    assert strength(code, [*SILENCE, FAILED], 425) == 0  # forgotten after the window


def test_the_first_failure_of_a_silence_is_the_one_that_counts() -> None:
    history = [*SILENCE, event("support.promise.broken", 250, promise_id="p0"), FAILED]
    first, both = (read("relationship.moment_of_truth_failed", h, 336) for h in (history[:-1], history))
    assert both == first
    assert first[1] is not None
    assert "After 9 invoices" in first[1].text


def test_a_burst_of_crashes_is_a_failure_and_a_single_crash_is_not() -> None:
    code = "relationship.moment_of_truth_failed"
    burst = [event("app.error.raised", 336 + i / 100, code="SEGV", fatal=True) for i in range(3)]
    assert strength(code, [*SILENCE, *burst], 340) == pytest.approx(0.5)
    assert strength(code, [*SILENCE, burst[0]], 340) == 0


def test_a_ticket_and_a_promise_fail_when_their_time_runs_out_without_an_event() -> None:
    late = [
        event("support.ticket.opened", 1, ticket_id="t1"),
        event("support.promise.made", 1, promise_id="p1", due_at=at(3)),
    ]
    assert value("relationship.giving_balance", late, 2.9) is None
    assert value("relationship.giving_balance", late, 3.1) == -2
    p, _ = fold([*late, tick(1.5)])
    assert load(p.states[b"c-1"]).dues[46] == START_S + 3 * DAY_S


@pytest.mark.parametrize(
    ("response", "counts"), [("none", 1.0), ("deferred", 0.5), ("alternative", 0.3), ("partner", 0.2)]
)
def test_what_is_done_about_an_unavailable_item_weighs(response: str, counts: float) -> None:
    item = event("fulfilment.item.unavailable", 1, item="oat milk", response=response)
    assert value("availability.turned_away", [item], 2) == counts


def test_a_delay_counts_until_the_customer_is_told_or_the_window_is_over() -> None:
    code = "availability.uninformed_delay"
    delayed = event("fulfilment.order.delayed", 1, order_id="a", promised_at=at(2), informed=False)
    assert value(code, [delayed], 1.5) == 0  # not late yet
    assert value(code, [delayed], 6) == 4
    told = event("fulfilment.order.delayed", 3, order_id="a", promised_at=at(2), informed=True)
    assert value(code, [delayed, told], 6) == 0
    came = event("fulfilment.order.fulfilled", 5, order_id="a", promised_at=at(2), fulfilled_at=at(5))
    assert value(code, [delayed, came], 6) == value(code, [came, delayed], 30) == 3
    assert value(code, [delayed, came], 65) == 0


def test_outages_that_overlap_are_counted_once_and_an_open_one_grows() -> None:
    def outage(name: str, start: float, minutes: float) -> History:
        return [
            event("app.outage.started", start, outage_id=name, service=name),
            event("app.outage.ended", start + minutes / 1440, outage_id=name),
        ]

    two = [*outage("a", 1, 60), *outage("b", 1 + 30 / 1440, 60)]
    assert value("tech.outage", two, 2) == 90
    assert value("tech.outage", two, 31) == 0
    open_one = two[:2] + two[2:3]
    assert value("tech.outage", open_one, 1 + 45 / 1440) == 45
    assert value("tech.outage", open_one, 1 + 145 / 1440) == 145
    assert value("tech.outage", two[1:2], 2) == 0  # an end without a beginning


@pytest.mark.parametrize(("error", "counts"), [(2.99, 0), (3.01, 1), (4.99, 1), (5.01, 0)])
def test_an_error_and_a_contact_belong_together_for_two_days(error: float, counts: int) -> None:
    history = [
        event("app.error.raised", error, code="E1", fatal=False),
        event("support.ticket.opened", 5, ticket_id="t1"),
    ]
    assert value("tech.unsupported", history, 6) == value("tech.unsupported", history[::-1], 6) == counts
    solved = event("support.ticket.resolved", 5.5, ticket_id="t1", resolution="solved")
    assert value("tech.unsupported", [*history, solved], 6) == 0


def test_breadth_is_unknown_of_who_does_not_come_and_compared_over_as_many_days_of_whoever_comes_seldom() -> None:
    names = ("board", "export", "sync", "tags")
    used = [event("usage.feature.used", 10 + i, feature=name) for i, name in enumerate(names)]
    assert value("value.shallow_use", used, 60) is None
    once = [*used, event("usage.feature.used", 45, feature="board")]
    assert value("value.shallow_use", once, 46) == 0  # one on a day, as before
    sessions_only = [*used, *[event("usage.session.started", day) for day in range(40, 44)]]
    assert value("value.shallow_use", sessions_only, 46) == -1


def test_use_is_measured_against_the_plan_where_the_policy_knows_it() -> None:
    history = [BOUGHT, event("usage.feature.used", 5, feature="board")]
    assert value("value.shallow_use", history, 10) is None
    known = msgspec.structs.replace(Policy().value, plan_features={"pro": 4})
    policy = msgspec.structs.replace(Policy(), value=known)
    assert value("value.shallow_use", history, 10, policy) == -0.75


def test_a_release_is_not_ignored_before_there_was_time_to_meet_it() -> None:
    news = [event("usage.feature.released", d, feature=f) for d, f in ((1, "tags"), (20, "chat"))]
    assert value("value.no_news_used", news, 30) is None
    assert value("value.no_news_used", news, 34) == 1
    later = [*news, *[event("usage.feature.used", d, feature="tags") for d in (0, 2)], *sessions(range(3, 90, 9))]
    assert value("value.no_news_used", later, 80) == 0.5  # used before the nine weeks that are remembered by day


def test_an_offer_is_ignored_only_after_a_while() -> None:
    offers = [event("engagement.offer.sent", d, offer_id=f"o{d}") for d in (1, 2, 3)]
    assert value("marketing.irrelevant", offers, 14) is None
    assert value("marketing.irrelevant", offers, 18) == 1
    assert value("marketing.irrelevant", offers, 92) is None


def test_feedback_of_half_a_year_ago_is_no_longer_waiting() -> None:
    said = event("engagement.survey.answered", 1, kind="feedback")
    assert value("marketing.unheard", [said], 150) == 149
    assert value("marketing.unheard", [said], 190) == 0


def test_a_newcomers_offer_counts_more_the_cheaper_it_is() -> None:
    def of(mrr: float) -> Any:
        offer = event("engagement.offer.sent", 200, offer_id="o", for_newcomers_only=True, mrr=mrr)
        return value("loyalty.newcomer_deal", [BOUGHT, offer], 201)

    assert [of(mrr) for mrr in (120.0, 100.0, 85.0, 70.0, 10.0)] == pytest.approx([1, 1, 2, 3, 3])


def test_loyalty_is_nobodys_concern_in_the_first_year() -> None:
    assert value("loyalty.unrecognised", [BOUGHT], 364) == 0
    assert value("loyalty.unrecognised", [BOUGHT], 366) > 12


def test_quality_needs_a_past_and_does_not_count_a_fault_or_two() -> None:
    errors = [event("app.error.raised", d, code="E1", fatal=False) for d in range(10)]
    assert value("quality.decline", errors, 10) is None
    assert value("quality.decline", [BOUGHT, *errors], 40) is None
    old = event("usage.session.started", -60)
    assert value("quality.decline", [old, *errors], 10) == 5
    assert value("quality.decline", [old, errors[0]], 10) == 0.5


def test_prices_of_the_market_alone_are_no_competitor_named() -> None:
    seen = [event("engagement.market_price.seen", d, competitor="Northwind", mrr=7.0) for d in range(8)]
    assert value("exit.competitor", seen, 10) == 1
    named = event("support.interaction.assessed", 9, interaction_id="i", competitor="Northwind")
    assert value("exit.competitor", [*seen, named], 10) == 2


def test_a_trial_is_stalled_by_ticks_alone_and_no_more_once_activated_or_bought() -> None:
    p, _ = fold([TRIAL, tick(0.1), *[tick(d) for d in range(1, 14)]])
    assert load(p.states[b"c-1"]).strengths[48] > 0.7
    assert value("lead.stalled", [TRIAL, *sessions(range(4))], 10) == 0
    two = [event("usage.feature.used", d, feature="board") for d in range(4)]
    assert value("lead.stalled", [TRIAL, *two], 10) > 0.7  # one feature is not the product
    bought = event("billing.subscription.started", 9, plan="pro", mrr=100.0)
    assert value("lead.stalled", [TRIAL, bought], 10) is None


def test_a_lead_and_a_trial_have_their_own_times() -> None:
    assert value("lead.stalled", [event("engagement.lead.registered", 0)], 15) == 0.5
    month = event("billing.subscription.started", 0, plan="pro", mrr=0.0, trial=True, contract_ends_at=at(20))
    assert value("lead.stalled", [month], 15) == 0.75
    _, because = read("lead.stalled", [event("engagement.lead.registered", 0)], 40)
    assert because is not None
    assert because.text == (
        "40 days after signing up as a lead, its time is over, and not activated: 0 days of use, 0 features."
    )


def test_second_thoughts_end_with_the_onboarding_and_do_not_come_of_a_dead_feed() -> None:
    code = "onboarding.second_thoughts"
    assert value(code, [BOUGHT], 3) == 0
    assert value(code, [BOUGHT], 8) == 2  # hardly used, and no word
    assert value(code, [BOUGHT], 8, feed=-1) == 1  # nobody's use is reported
    assert value(code, [event("billing.order.placed", 0, order_id="o", amount=9.0)], 8) == 1  # a shop
    assert value(code, [BOUGHT, event("billing.refund.issued", 4, amount=9.0)], 8) == 3
    assert value(code, [BOUGHT], 30) is None


def test_a_useful_life_is_that_of_the_plan() -> None:
    used = [BOUGHT, *sessions(range(0, 401, 100))]
    assert value("lifecycle.past_optimum", used, 500) == pytest.approx(400 / 1095)
    life = msgspec.structs.replace(Policy().life, useful_life_d_by_plan={"pro": 400.0})
    assert value("lifecycle.past_optimum", used, 500, msgspec.structs.replace(Policy(), life=life)) == 1


def test_giving_is_what_was_given_and_an_invitation_is_not() -> None:
    gave = [event("engagement.contact.made", d, purpose=p) for d, p in enumerate(("news", "apology", "invitation"), 1)]
    assert value("relationship.giving_balance", gave, 5) == 2
    assert value("relationship.giving_balance", gave[2:], 5) is None


def test_seats_are_compared_with_those_before_the_first_change_of_the_window() -> None:
    changes = [event("usage.seats.changed", d, old=a, new=b) for d, a, b in ((1, 10, 20), (50, 20, 16), (60, 16, 15))]
    assert value("value.seats_shrinking", changes, 70) == 0.5
    assert value("value.seats_shrinking", changes, 91) == -0.25
    assert value("value.seats_shrinking", changes, 200) == 0
