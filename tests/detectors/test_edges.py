"""Histories at the edge: each was wrong once, or would be easy to get wrong."""

from __future__ import annotations

from detectors.assess import Reason
from detectors.customer import load, read_header
from detectors.policy import Policy
from detectors.profile import churn_type_of
from detectors.records import ALERTS, DEAD
from detectors.signals import Because
from schemas.alerts import decode_alert
from tests.detectors.lives import (
    DAY_S,
    START_S,
    alerts_of,
    at,
    customer_after,
    event,
    fold,
    partition,
    read,
    records,
    tick,
)

FAILED = [event("billing.payment.failed", 1 + i / 100, invoice_id="i", attempt=1) for i in range(3)]


def test_an_absurd_but_valid_amount_is_remembered_within_bounds() -> None:
    p, snapshot = fold(
        [
            event("billing.invoice.issued", 1, invoice_id="i", amount=1e14, quoted_amount=1e-300),
            event("usage.quota.reported", 1, used=1e15, included=1e-300),
            event("billing.discount.ending", 1, ends_at=at(9), old_mrr=1e-300, new_mrr=1e15),
            tick(2),
        ]
    )
    assert DEAD not in snapshot.writes
    assert b"c-1" in p.states


def test_erasure_after_the_reason_is_gone_says_what_holds_now_also_after_a_restart() -> None:
    history = [
        event("support.ticket.opened", 1, ticket_id="t1"),
        event("support.ticket.reopened", 2, ticket_id="t1"),
        event("support.ticket.resolved", 3, ticket_id="t1", resolution="solved"),
        event("support.ticket.rated", 4, ticket_id="t1", csat=5),
        *[event("billing.payment.failed", 5 + i / 100, invoice_id="i", attempt=1) for i in range(3)],
        event("usage.cancel_page.viewed", 5.1),
        event("billing.auto_renew.disabled", 5.2),
        tick(6),
    ]
    late = [
        event("support.ticket.reopened", 6.1, ticket_id="t1"),
        event("privacy.erasure.requested", 6.2, request_id="r"),
    ]
    whole = alerts_of(fold([*history, *late])[1])
    assert whole[-1].data.status == "resolved"
    p, first = fold(history)
    again = partition(dict(p.states))
    again.feed(records(late, first_offset=len(history)))
    assert [*alerts_of(first), *alerts_of(again.snapshot())] == whole


def test_a_snooze_that_was_over_when_it_came_wakes_at_the_next_tick() -> None:
    opened = [*FAILED, tick(1.1)]
    name = alerts_of(fold(opened)[1])[0].data.alert_id
    snooze = event("retention.alert.snoozed", 1.2, alert_id=name, until=at(2), by="ann")
    found = alerts_of(fold([*opened, tick(3), snooze, tick(3.1)])[1])
    assert [a.data.status for a in found] == ["open", "snoozed", "open"]


def test_what_the_team_closed_rests_for_the_cooldown_and_then_opens_without_an_event() -> None:
    leaving = [
        event("usage.data.exported", 1),
        event("usage.cancel_page.viewed", 1),
        event("billing.auto_renew.disabled", 1),
    ]
    opened = [*FAILED, *leaving, tick(1.1)]
    name = alerts_of(fold(opened)[1])[-1].data.alert_id
    closed = [*opened, event("retention.alert.resolved", 1.2, alert_id=name, outcome="saved", by="ann")]
    refund = [event("billing.refund.issued", 2, amount=1.0), tick(2.1)]
    found = alerts_of(fold([*closed, *refund, tick(8), tick(8.4)])[1])
    assert [a.data.status for a in found[-2:]] == ["resolved", "open"]
    assert found[-1].data.as_of == at(8.4)


def test_forty_of_forty_abandoned_calls_are_all_of_them() -> None:
    calls = [event("support.call.abandoned", 1 + i / 100, call_id=str(i), wait_s=90.0) for i in range(40)]
    strength, because = read("service.call_abandoned", calls, 3)
    assert strength == 1.0
    assert because is not None
    assert because.text.startswith("Gave up 40 of 40 calls")


def test_the_end_of_a_trial_is_no_price_increase() -> None:
    history = [
        event("billing.subscription.started", 1, plan="pro", mrr=1.0, trial=True),
        event("billing.subscription.started", 15, plan="pro", mrr=50.0),
    ]
    assert read("price.increase", history, 16) == (0.0, None)
    risen = [*history, event("billing.price.changed", 20, old_mrr=50.0, new_mrr=75.0, effective_at=at(40))]
    assert read("price.increase", risen, 41)[0] == 1.0


def test_a_contract_of_a_former_life_is_over() -> None:
    history = [
        event("billing.subscription.started", 0, plan="pro", mrr=9.0, contract_ends_at=at(100)),
        event("billing.auto_renew.disabled", 50),
        event("billing.subscription.cancelled", 100),
        event("billing.subscription.started", 210, plan="pro", mrr=9.0),
    ]
    assert read("exit.contract_window", history, 300) == (None, None)


def test_an_error_burst_is_read_again_at_midnight() -> None:
    burst = [
        event("app.error.raised", 40.9, code="E", fatal=False, count=40),
        event("app.error.raised", 39.1, code="E", fatal=False, count=400),
    ]
    p, _ = fold([*burst, tick(40.95)])
    assert read_header(p.states[b"c-1"])[1] <= START_S + 41 * DAY_S


def test_currency_is_that_of_the_newest_start_in_whatever_order_they_come() -> None:
    first = event("billing.subscription.started", 1, plan="p", mrr=1.0, currency="EUR", id="1")
    second = event("billing.subscription.started", 2, plan="p", mrr=1.0, currency="USD", id="2")
    assert customer_after([first, second]).currency == customer_after([second, first]).currency == "USD"


def test_a_state_whose_bytes_cannot_be_made_costs_only_the_event_that_spoiled_it() -> None:
    from detectors.history import HANDLERS
    from schemas.usage import FeatureUsed

    def spoil(c: object, d: FeatureUsed, time_s: int, event_id: str) -> None:
        c.gap_s = 2**70  # type: ignore[attr-defined]

    p = partition(handlers={**HANDLERS, FeatureUsed: spoil})
    p.feed(records([*FAILED, event("usage.feature.used", 1.05, feature="f"), tick(1.1)]))
    snapshot = p.snapshot()
    assert [value for _, value, _ in snapshot.writes[DEAD]] == [event("usage.feature.used", 1.05, feature="f")]
    assert len(snapshot.writes[ALERTS]) == 1
    assert load(p.states[b"c-1"]).gap_s == 0
    assert decode_alert(snapshot.writes[ALERTS][0][1] or b"").data.customer_id == "c-1"


def test_what_should_protect_and_was_learned_to_harm_is_a_reason_and_no_kind_of_leaving() -> None:
    protects = Reason(50, "protect.recovered", 0.9, Because("", ()))
    late = Reason(3, "service.slow_resolution", 0.4, Because("", ()))
    assert churn_type_of([protects], Policy()) == "drifting"
    assert churn_type_of([protects, late], Policy()) == "service"
