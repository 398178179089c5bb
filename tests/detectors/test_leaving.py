"""Who counts as gone, what stays in view of them, and who is worth winning back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from detectors.customer import Customer, load, read_header
from detectors.leaving import farewell_of, has_cancelled, has_left
from detectors.policy import ChurnPolicy, Policy
from detectors.policy_text import parse_policy
from detectors.profile import stage_of
from detectors.reading import scores_at
from detectors.records import SCORES
from detectors.signals import Moment
from detectors.win_back import potential, satisfaction
from schemas.alerts import AlertEvent, LifecycleStage
from schemas.scores import ScoreRow, decode_score
from tests.detectors.lives import (
    DAY_S,
    POLICY,
    START_S,
    alerts_of,
    customer_after,
    event,
    fold,
    new_policy,
    partition,
    records,
    tick,
)

FAILED = [event("billing.payment.failed", 1 + i / 100, invoice_id="i", attempt=1) for i in range(3)]
CANCELLED = event("billing.subscription.cancelled", 2)
STARTED = event("billing.subscription.started", 0, plan="p", mrr=10.0)


def shop(last_day: int, every_d: int = 10) -> list[bytes]:
    """A customer known by its orders alone, who orders till that day and no more."""
    return [event("billing.order.placed", d, order_id=str(d), amount=20.0) for d in range(0, last_day + 1, every_d)]


def others(days: range) -> list[bytes]:
    """The feeds' heartbeat: somebody else uses something, another one orders, and the clock ticks."""
    out = []
    for day in days:
        out += [event("usage.session.started", day + 0.1, customer="c-9")]
        out += [event("billing.order.placed", day + 0.1, customer="c-8", order_id=str(day), amount=5.0)]
        out += [tick(day + 0.5)]
    return out


def of(found: list[AlertEvent], customer: str = "c-1") -> list[AlertEvent]:
    return [alert for alert in found if alert.data.customer_id == customer]


def rows(values: list[bytes], policy: Policy = POLICY, customer: str = "c-1") -> list[ScoreRow]:
    """The score rows that went out."""
    written = fold(values, policy)[1].writes.get(SCORES, ())
    return [decode_score(value) for key, value, _ in written if value is not None and key == customer.encode()]


def said(alert: AlertEvent) -> tuple[Any, ...]:
    a = alert.data
    return (
        a.churn_type,
        a.win_back_potential,
        a.churn_probability,
        [(r.code, r.contribution, r.text) for r in a.reasons],
    )


# -- stages --------------------------------------------------------------------------------------------------------

LIFE = [
    event("engagement.lead.registered", 0),
    event("billing.subscription.started", 10, plan="p", mrr=0.0, trial=True),
    event("billing.subscription.started", 24, plan="p", mrr=10.0, term_months=24),
    event("billing.subscription.cancelled", 740),
    event("billing.subscription.started", 800, plan="p", mrr=10.0),
]


@pytest.mark.parametrize(
    ("events", "day", "expected"),
    [
        (1, 5, "lead"),
        (2, 12, "trial"),
        (3, 53.9, "onboarding"),
        (3, 54, "active"),
        (3, 24 + 364.9, "active"),
        (3, 24 + 365, "mature"),
        (3, 24 + 730.5 - 60.1, "mature"),
        (3, 24 + 730.5 - 59.9, "at_renewal"),
        (3, 24 + 731, "mature"),
        (4, 741, "churned"),
        (5, 801, "mature"),
    ],
)
def test_a_life_goes_through_its_stages(events: int, day: float, expected: LifecycleStage) -> None:
    c = customer_after(LIFE[:events])
    assert stage_of(c, round(START_S + day * DAY_S), POLICY) == expected


def test_the_first_month_is_onboarding_also_where_the_contract_is_short() -> None:
    c = customer_after([event("billing.subscription.started", 0, plan="p", mrr=1.0, term_months=1)])
    assert [stage_of(c, START_S + day * DAY_S, POLICY) for day in (5, 30)] == ["onboarding", "at_renewal"]


# -- definitions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("definition", "kind", "expected"),
    [
        ("auto", "shop", "churned"),
        ("auto", "subscriber", "active"),
        ("explicit", "shop", "active"),
        ("inactivity", "shop", "churned"),
        ("inactivity", "subscriber", "churned"),
    ],
)
def test_silence_is_leaving_where_the_definition_says_so(definition: str, kind: str, expected: str) -> None:
    policy = parse_policy(f'[churn]\ndefinition = "{definition}"')
    before = [STARTED] if kind == "subscriber" else []
    c = customer_after([*before, *shop(30)])
    assert stage_of(c, START_S + 121 * DAY_S, policy) == expected
    assert stage_of(c, START_S + 120 * DAY_S, policy) == "active"


def test_who_orders_seldom_has_longer() -> None:
    c = customer_after(shop(200, every_d=40))
    stages = [stage_of(c, START_S + (200 + days) * DAY_S, POLICY) for days in (91, 120, 121)]
    assert stages == ["active", "active", "churned"]


def test_a_cancellation_counts_whatever_the_definition_until_the_customer_is_back() -> None:
    gone = Customer(subscribed_s=1, churned_s=9)
    assert all(has_cancelled(gone, ChurnPolicy(definition=d)) for d in ("auto", "explicit", "inactivity"))
    assert has_cancelled(Customer(churned_s=9, ordered_s=9), ChurnPolicy())
    assert not has_cancelled(Customer(churned_s=9, ordered_s=10), ChurnPolicy())
    assert has_cancelled(Customer(subscribed_s=1, churned_s=9, ordered_s=10), ChurnPolicy())


def test_who_lapses_is_gone_at_the_deadline_by_tick_and_back_by_the_next_order() -> None:
    lapsing = [*shop(30), *others(range(31, 130))]
    found = rows(lapsing)
    gone = [row for row in found if row.lifecycle_stage == "churned"]
    assert [row.as_of for row in gone] == ["2026-05-01T12:00:00Z"]  # 90 days after the last order, at the next tick
    assert gone[0] == found[-1]
    assert gone[0].churn_type == "drifting"
    assert gone[0].win_back_potential is not None
    alerts = of(alerts_of(fold(lapsing)[1]))
    assert [a.data.status for a in alerts][-1] == "resolved"
    assert alerts[-1].data.outcome == "churned"
    assert alerts[-1].data.lifecycle_stage == "churned"
    back = [*lapsing, event("billing.order.placed", 130, order_id="back", amount=20.0), *others(range(130, 132))]
    assert [row.lifecycle_stage for row in rows(back)][-1] == "active"
    assert not load(fold(back)[0].states[b"c-1"]).left_s


def test_who_comes_back_and_leaves_again_between_two_looks_has_left_twice() -> None:
    calm = msgspec.structs.replace(POLICY, urgent=())
    once = [STARTED, event("billing.subscription.cancelled", 2), tick(2.5)]
    again = [
        event("billing.subscription.started", 3, plan="p", mrr=10.0),
        event("billing.subscription.cancelled", 4, reason="again"),
        tick(4.5),
    ]
    c = load(fold([*once, *again], calm)[0].states[b"c-1"])
    assert c.left_s == START_S + 4 * DAY_S
    assert c.left_s == load(fold([*once, *again, tick(9)], calm)[0].states[b"c-1"]).left_s


def test_nobody_lapses_while_the_feed_is_silent_for_everybody() -> None:
    silent = [*shop(30), *others(range(31, 60)), *[tick(day) for day in range(60, 400, 5)]]
    assert [row.lifecycle_stage for row in rows(silent)].count("churned") == 0
    heard = [*silent, *others(range(400, 402))]
    assert rows(heard)[-1].lifecycle_stage != "churned"  # of the time between nothing is known
    assert rows([*heard, *others(range(402, 470))])[-1].lifecycle_stage == "churned"


def test_whoever_orders_does_not_lapse_while_orders_are_silent_whatever_else_is_heard() -> None:
    orders_silent = [*shop(30), *others(range(31, 60))]
    for day in range(60, 200):
        orders_silent += [event("usage.session.started", day, customer="c-9"), tick(day + 0.5)]
    assert [row.lifecycle_stage for row in rows(orders_silent)].count("churned") == 0


def test_who_counts_as_gone_stays_so_when_a_feed_turns_out_to_have_been_dead() -> None:
    c = Customer(ordered_s=DAY_S, active_s=DAY_S, gap_s=20 * DAY_S)
    assert not has_left(c, 95 * DAY_S, POLICY, lost_s=5 * DAY_S)
    c.left_s = 91 * DAY_S
    assert has_left(c, 95 * DAY_S, POLICY, lost_s=5 * DAY_S)


def test_a_lapsed_customer_still_gets_a_row_of_its_risk_and_a_cancelled_one_does_not() -> None:
    p, _ = fold([*shop(30), *others(range(31, 130)), event("billing.subscription.cancelled", 129, customer="c-9")])
    found = list(scores_at(p, START_S + 130 * DAY_S))
    stages = {row.customer_id: row.lifecycle_stage for row in found}
    assert stages.keys() == {"c-1", "c-8"}
    assert stages["c-1"] == "churned"


# -- frozen --------------------------------------------------------------------------------------------------------


def test_what_was_known_at_leaving_stays_whatever_comes_later() -> None:
    gone = [STARTED, *FAILED, tick(1.1), CANCELLED]
    later = [
        event("billing.invoice.paid", 2.5, invoice_id="i", amount=1.0),
        event("support.ticket.opened", 3, ticket_id="t", topic="x"),
        event("engagement.market_price.seen", 4, competitor="x", mrr=1.0),
        *[tick(day) for day in range(3, 60)],
    ]
    resolved = of(alerts_of(fold(gone)[1]))[-1]
    assert resolved.data.outcome == "churned"
    found = of(alerts_of(fold([*gone, *later])[1]))
    assert found[-1].data.revision == 1
    assert said(found[-1]) == said(resolved)
    assert rows([*gone, *later]) == rows(gone)


def test_the_churned_stay_in_view_with_their_type_and_potential() -> None:
    row = rows([STARTED, *FAILED, tick(1.1), CANCELLED])[-1]
    assert (row.lifecycle_stage, row.churn_type) == ("churned", "involuntary")
    assert row.win_back_potential == pytest.approx(0.8, abs=0.01)
    assert [reason.code for reason in row.reasons] == ["billing.payment_trouble"]


def test_involuntary_churn_is_kept_apart_whatever_else_there_was() -> None:
    calls = [event("support.call.abandoned", 1 + i / 100, call_id=str(i), wait_s=90.0) for i in range(4)]
    types = [
        rows([STARTED, *calls, tick(1.1), event("billing.subscription.cancelled", 2, voluntary=v)])[-1].churn_type
        for v in (True, False)
    ]
    assert types == ["service", "involuntary"]


def test_of_two_groups_that_weigh_the_same_the_first_reason_s_gives_the_type() -> None:
    sessions = [event("usage.session.started", d) for d in range(0, 28, 2)]
    failed = [event("billing.payment.failed", 70 + i / 100, invoice_id="i", attempt=1) for i in range(3)]
    beat = [event("usage.session.started", 70.01, customer="c-9")]
    found = of(alerts_of(fold([*sessions, *beat, *failed, tick(70.1)])[1]))[-1].data
    assert found.reasons[0].contribution == found.reasons[1].contribution
    assert (found.reasons[0].code, found.churn_type) == ("billing.payment_trouble", "involuntary")


# -- winning back --------------------------------------------------------------------------------------------------

GONE = [STARTED, *FAILED, tick(1.1), CANCELLED]


def test_an_alert_about_winning_back_opens_once_some_days_after_leaving_and_ends_in_time() -> None:
    days = [tick(day) for day in range(3, 120)]
    found = of(alerts_of(fold([*GONE, *days])[1]))[2:]
    opened, ended = (alert.data for alert in found)
    assert (opened.as_of, opened.status, opened.lifecycle_stage) == ("2026-01-10T00:00:00Z", "open", "churned")
    assert [action.code for action in opened.recommended_actions] == ["win_back_offer"]
    assert (opened.previous_probability, opened.trend) == (None, "steady")
    assert (ended.as_of, ended.status, ended.outcome) == ("2026-03-11T00:00:00Z", "resolved", "expired")
    assert ended.alert_id == opened.alert_id


def test_it_ends_when_the_customer_is_back_and_a_new_leaving_may_open_another() -> None:
    back = event("billing.subscription.started", 20, plan="p", mrr=10.0)
    paid = event("billing.invoice.paid", 19, invoice_id="i", amount=1.0)
    again = [event("billing.subscription.cancelled", 40, voluntary=False)]
    found = of(alerts_of(fold([*GONE, tick(10), paid, back, tick(21), *again, tick(48)])[1]))[2:]
    assert [(a.data.status, a.data.outcome) for a in found] == [
        ("open", None),
        ("resolved", "returned"),
        ("open", None),
    ]
    assert found[0].data.alert_id != found[2].data.alert_id
    assert found[1].data.lifecycle_stage != "churned"


def test_no_alert_for_a_low_potential_nor_where_the_policy_says_so_nor_long_after() -> None:
    drifting = [STARTED, event("usage.session.started", 1), tick(1.1), CANCELLED, *[tick(day) for day in range(3, 90)]]
    assert alerts_of(fold(drifting)[1]) == []
    off = parse_policy("[win_back]\nalerts = false")
    assert len(alerts_of(fold([*GONE, tick(20)], off)[1])) == 2
    assert len(alerts_of(fold([*GONE, tick(20)])[1])) == 3
    assert len(alerts_of(fold([*GONE, tick(90)])[1])) == 2


def test_the_team_can_work_on_it_as_on_any_other() -> None:
    opened = [*GONE, tick(10)]
    name = of(alerts_of(fold(opened)[1]))[-1].data.alert_id
    snooze = event("retention.alert.snoozed", 10.1, alert_id=name, until="2026-01-20T00:00:00Z", by="ann")
    close = event("retention.alert.resolved", 30, alert_id=name, outcome="saved", by="ann")
    found = of(alerts_of(fold([*opened, snooze, tick(15), tick(20), close, tick(31), tick(50)])[1]))[2:]
    assert [(a.data.status, a.data.outcome) for a in found] == [
        ("open", None),
        ("snoozed", None),
        ("open", None),
        ("resolved", "saved"),
    ]


def test_a_state_that_left_wakes_for_its_win_back_alert_and_for_nothing_else() -> None:
    p, _ = fold(GONE)
    assert read_header(p.states[b"c-1"])[1] == START_S + 9 * DAY_S
    p, _ = fold([STARTED, event("usage.session.started", 1), CANCELLED])
    assert read_header(p.states[b"c-1"])[1] > START_S + 10_000 * DAY_S


@pytest.mark.parametrize("kind", ["tenure", "ratings", "recovered"])
def test_tenure_satisfaction_and_recovered_failures_raise_the_potential(kind: str) -> None:
    at = Moment(POLICY, START_S + 400 * DAY_S)
    plain = customer_after([event("billing.subscription.started", 395, plan="p", mrr=1.0)])
    if kind == "tenure":
        better = customer_after([event("billing.subscription.started", 0, plan="p", mrr=1.0)])
    else:
        better = load(fold([event("billing.subscription.started", 395, plan="p", mrr=1.0)])[0].states[b"c-1"])
        if kind == "ratings":
            rated = [event("support.ticket.rated", 396, ticket_id="t", csat=5)]
            better = customer_after([event("billing.subscription.started", 395, plan="p", mrr=1.0), *rated])
        else:
            better.strengths[50] = 1.0
    assert potential(better, at, "price") > potential(plain, at, "price")


def test_bad_ratings_lower_the_potential_and_middling_ones_say_nothing() -> None:
    at = Moment(POLICY, START_S + 10 * DAY_S)
    rated = [customer_after([event("support.ticket.rated", 1, ticket_id="t", csat=score)]) for score in (5, 3, 1)]
    assert [satisfaction(c, at) for c in rated] == [1.0, 0.0, -1.0]
    passive = customer_after([event("engagement.survey.answered", 1, kind="nps", score=8)])
    assert satisfaction(passive, at) == 0.0


EAGER = parse_policy("[win_back]\nthreshold = 0.1\ndelay_d = 1")
SMALL = [STARTED, event("usage.session.started", 1), tick(1.1), CANCELLED]
DEARER = parse_policy('[signals."billing.payment_trouble"]\nprior = 5.0\n[alerts]\nband_critical = 0.205')


def test_a_policy_alone_wins_nobody_back_and_changes_nothing_of_what_was_known() -> None:
    event_after = event("billing.invoice.paid", 10.5, invoice_id="i", amount=1.0)
    again = event("billing.invoice.paid", 20.5, invoice_id="j", amount=1.0)
    days = [tick(day) for day in range(11, 60)]
    changed = [*SMALL, tick(3), new_policy(10, EAGER), event_after, *days[:10], again, *days[10:]]
    assert alerts_of(fold(changed)[1]) == []
    assert len(alerts_of(fold(changed, EAGER)[1])) == 1  # of who left under it
    frozen = [
        *GONE,
        tick(3),
        new_policy(4, DEARER),
        event("billing.invoice.paid", 5, invoice_id="i", amount=1.0),
        tick(6),
    ]
    assert rows(frozen) == rows(GONE)
    assert said(of(alerts_of(fold([*frozen, tick(10)])[1]))[-1]) == said(of(alerts_of(fold(GONE)[1]))[-1])


def test_who_would_have_been_won_back_by_both_policies_is() -> None:
    found = of(alerts_of(fold([*GONE, tick(3), new_policy(4, EAGER), tick(10)])[1]))
    assert found[-1].data.lifecycle_stage == "churned"
    assert found[-1].data.status == "open"


# -- the team's word -----------------------------------------------------------------------------------------------


def test_an_alert_closed_as_churned_makes_the_customer_one_who_left() -> None:
    opened = [STARTED, *FAILED, tick(1.1)]
    name = alerts_of(fold(opened)[1])[-1].data.alert_id
    closed = [*opened, event("retention.alert.resolved", 1.2, alert_id=name, outcome="churned", by="ann")]
    found = alerts_of(fold(closed)[1])[-1].data
    assert (found.status, found.outcome, found.lifecycle_stage) == ("resolved", "churned", "churned")
    assert rows(closed)[-1].lifecycle_stage == "churned"
    p = partition()
    p.feed(records([*closed, tick(10)]))
    assert alerts_of(p.snapshot())[-1].data.lifecycle_stage == "churned"
    c = load(p.states[b"c-1"])
    farewell = farewell_of(c)
    assert farewell is not None
    assert farewell.churn_type == "involuntary"


def test_erasure_of_one_who_left_ends_its_alert_and_says_so() -> None:
    found = alerts_of(fold([*GONE, tick(10), event("privacy.erasure.requested", 11, request_id="r")])[1])
    assert (found[-1].data.status, found[-1].data.outcome) == ("resolved", "erased")
