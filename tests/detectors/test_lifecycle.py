"""The life of an alert: the whole product of statuses and verdicts, and the hysteresis around it."""

from __future__ import annotations

import itertools

import orjson
import pytest

from detectors.lifecycle import STATUSES, TRANSITIONS, VERDICTS
from detectors.policy_text import parse_policy
from detectors.records import DEAD
from schemas.intake import Rejected, read_event
from tests.detectors.lives import START_S, alerts_of, at, customer_after, event, fold, partition, records, tick

NEVER_WORSE = parse_policy("[alerts]\nband_critical = 0.99")

TROUBLE = [event("billing.payment.failed", 1 + i / 100, invoice_id="i1", attempt=i) for i in range(1, 4)]
LEAVING = [
    event("usage.cancel_page.viewed", 1.2),
    event("usage.data.exported", 1.21),
    event("billing.auto_renew.disabled", 1.22),
]
PAID = event("billing.invoice.paid", 2, invoice_id="i1", amount=10.0)


@pytest.mark.parametrize(("status", "verdict"), list(itertools.product(STATUSES, VERDICTS)))
def test_every_pair_is_a_transition_or_changes_nothing(status: str, verdict: str) -> None:
    step = TRANSITIONS.get((status, verdict))
    live = status in ("open", "acknowledged", "snoozed")
    if verdict == "same":
        assert step is None
    elif verdict in ("risen", "win_back"):
        assert (step == ("open", "opened")) is not live
    elif not live:
        assert step is None
    elif verdict in ("calm", "churned", "closed", "returned", "expired"):
        assert step == ("resolved", "resolved")
    elif verdict == "worse":
        assert step is not None
        assert step[1] == "escalated"
    elif verdict == "contacted":
        assert step == (status, "updated")
    elif verdict == "awake":
        assert step == (("open", "updated") if status == "snoozed" else None)


def changes(values: list[bytes]) -> list[tuple[str, int, str]]:
    """What was announced: change, revision, status."""
    return [(a.type.split(".")[2], a.data.revision, a.data.status) for a in alerts_of(fold(values)[1])]


def test_opens_once_and_says_nothing_while_nothing_changes() -> None:
    assert changes([*TROUBLE, tick(1.1), tick(1.2), tick(3)]) == [("opened", 1, "open")]


def test_escalates_when_the_level_rises_and_at_once_after_an_urgent_event() -> None:
    found = changes([*TROUBLE, tick(1.1), *LEAVING])
    assert found[0] == ("opened", 1, "open")
    assert found[-1][0] == "escalated"


def test_ends_by_itself_only_after_the_dwell() -> None:
    calm = [*TROUBLE, tick(1.1), PAID, tick(2.1)]
    assert [c for c, _, _ in changes(calm)] == ["opened", "updated"]
    assert changes([*calm, tick(3.0)])[-1][0] == "updated"
    assert changes([*calm, tick(3.2)])[-1] == ("resolved", 3, "resolved")


def test_rests_after_an_end_unless_it_becomes_critical() -> None:
    ended = [*TROUBLE, tick(1.1), PAID, tick(2.1), tick(3.2)]
    again = [event("billing.payment.failed", 4 + i / 100, invoice_id="i2", attempt=i) for i in range(1, 4)]
    assert changes([*ended, *again, tick(4.1)])[-1][0] == "resolved"
    assert changes([*ended, *again, tick(4.1), tick(10.3)])[-1] == ("opened", 1, "open")
    looks = [event("usage.cancel_page.viewed", 4.2), event("usage.data.exported", 4.21)]
    leaving = [*looks, event("billing.auto_renew.disabled", 4.3), tick(4.4)]
    assert changes([*ended, *again, *leaving])[-1] == ("opened", 1, "open")


def test_frozen_at_churn_until_the_customer_comes_back() -> None:
    gone = [*TROUBLE, tick(1.1), event("billing.subscription.cancelled", 2)]
    assert changes(gone)[-1] == ("resolved", 2, "resolved")
    assert changes([*gone, *LEAVING, tick(3)]) == changes(gone)
    back = [event("billing.subscription.started", 20, plan="p", mrr=1.0), tick(20.1)]
    assert changes([*gone, *back])[-1] == ("opened", 1, "open")


def alert_id(values: list[bytes]) -> str:
    return alerts_of(fold(values)[1])[-1].data.alert_id


def test_feedback_moves_the_alert_it_names() -> None:
    opened = [*TROUBLE, tick(1.1)]
    name = alert_id(opened)
    acknowledged = [*opened, event("retention.alert.acknowledged", 1.2, alert_id=name, by="ann")]
    assert changes(acknowledged)[-1] == ("updated", 2, "acknowledged")
    closed = [*acknowledged, event("retention.alert.resolved", 1.3, alert_id=name, outcome="saved", by="ann")]
    assert changes(closed)[-1] == ("resolved", 3, "resolved")


def test_a_snooze_is_silent_until_it_ends_or_the_risk_gets_worse() -> None:
    opened = [*TROUBLE, tick(1.1)]
    snooze = event("retention.alert.snoozed", 1.2, alert_id=alert_id(opened), until="2026-01-06T00:00:00Z", by="ann")
    snoozed = [*opened, snooze]
    assert changes(snoozed)[-1] == ("updated", 2, "snoozed")
    assert changes([*snoozed, tick(2), tick(4.9)]) == changes(snoozed)
    assert changes([*snoozed, tick(5.1)])[-1] == ("updated", 3, "open")
    looks = [event("usage.cancel_page.viewed", 2), event("usage.data.exported", 2.01)]
    worse = [*looks, event("billing.auto_renew.disabled", 2.1), tick(2.2)]
    assert ("escalated", 3, "open") in changes([*snoozed, *worse])


@pytest.mark.parametrize(
    ("until", "alert"),
    [("2026-01-01T00:00:00Z", None), ("2026-02-01T00:00:00Z", "no-such-alert")],
    ids=["into the past", "of an unknown alert"],
)
def test_a_snooze_that_cannot_be_is_a_dead_letter_and_changes_nothing(until: str, alert: str | None) -> None:
    opened = [*TROUBLE, tick(1.1)]
    bad = event("retention.alert.snoozed", 1.2, alert_id=alert or alert_id(opened), until=until, by="ann")
    p = partition()
    p.feed(records([*opened]))
    before = dict(p.snapshot().states)
    p.feed(records([bad], first_offset=len(opened)))
    after = p.snapshot()
    assert [headers for headers in after.writes["churn.dlq"][0][2] if headers[0] == "churn_dlq-reason"] == [
        ("churn_dlq-reason", b"out_of_range")
    ]
    assert set(dict(after.states)) == {b""}
    assert p.states[b"c-1"] == before[b"c-1"]


def test_a_snooze_ends_when_it_gets_worse_within_its_level_by_the_policy_s_delta() -> None:
    policy = parse_policy("[alerts]\nband_critical = 0.99\nwake_delta = 0.15")
    opened = [*TROUBLE, tick(1.1)]
    name = alerts_of(fold(opened, policy)[1])[-1].data.alert_id
    snooze = event("retention.alert.snoozed", 1.2, alert_id=name, until="2026-02-06T00:00:00Z", by="ann")
    one = [event("usage.cancel_page.viewed", 2), event("usage.data.exported", 2.01), tick(2.1)]
    more = [event("billing.auto_renew.disabled", 2.2), tick(2.3)]
    found = [a.data for a in alerts_of(fold([*opened, snooze, *one, *more], policy)[1])]
    assert [(a.status, a.risk_level) for a in found[-2:]] == [("snoozed", "high"), ("open", "high")]
    assert found[-1].churn_probability >= found[-2].churn_probability + 0.15
    assert len(alerts_of(fold([*opened, snooze, *one[:1], tick(2.1)], policy)[1])) == 2


NO_RISK = "no_risk"


def closed_as(outcome: str) -> list[bytes]:
    """An alert that opened, was closed with this outcome, and has its cause still."""
    opened = [*TROUBLE, tick(1.1)]
    return [*opened, event("retention.alert.resolved", 1.2, alert_id=alert_id(opened), outcome=outcome, by="ann")]


@pytest.mark.parametrize(("outcome", "rests_d"), [("saved", 7), ("no_risk", 30)])
def test_what_the_team_closed_rests_and_longer_where_they_saw_no_risk(outcome: str, rests_d: int) -> None:
    more = [event("billing.payment.failed", d, invoice_id=f"i{d}", attempt=1) for d in range(2, 40, 4)]
    closed = closed_as(outcome)
    days = [tick(d + 0.5) for d in range(1, 40)]
    journal = [*closed, *sorted([*more, *days], key=lambda v: orjson.loads(v)["time"])]
    found = [a.data for a in alerts_of(fold(journal, NEVER_WORSE)[1])]
    assert (found[1].status, found[1].outcome) == ("resolved", outcome)
    assert found[2].opened_at == at(2 + rests_d - 0.5)


def test_what_the_team_closed_opens_again_at_once_when_it_is_worse_than_they_knew() -> None:
    found = [a.data for a in alerts_of(fold([*closed_as(NO_RISK), *LEAVING, tick(1.3)])[1])]
    assert [(a.status, a.risk_level) for a in found] == [("open", "high"), ("resolved", "high"), ("open", "critical")]
    assert len(alerts_of(fold([*closed_as(NO_RISK), LEAVING[0], tick(1.3)])[1])) == 2


def test_a_contact_is_seen_on_the_alert_and_counts_as_a_moment_of_giving() -> None:
    opened = [*TROUBLE, tick(1.1)]
    told = {"playbook": "update_payment_method", "by": "ann", "channel": "phone"}
    contact = event("retention.customer.contacted", 1.2, alert_id=alert_id(opened), **told)
    found = alerts_of(fold([*opened, contact, tick(1.3)])[1])[-1]
    assert (found.type, found.data.status) == ("churn.alert.updated.v1", "open")
    seen = found.data.last_contact
    assert seen is not None
    assert (seen.at, seen.playbook, seen.by) == (at(1.2), "update_payment_method", "ann")
    c = customer_after([*opened, contact])
    assert c.given_s == START_S + round(1.2 * 86_400)
    unnamed = event("retention.customer.contacted", 1.2, **told)
    assert changes([*opened, unnamed, tick(1.3)])[-1] == ("updated", 2, "open")
    assert changes([unnamed, tick(1.3)]) == []


@pytest.mark.parametrize("kind", ["acknowledged", "snoozed", "resolved", "contacted"])
@pytest.mark.parametrize("whose", ["nobody's", "another customer's"])
def test_feedback_on_an_alert_that_is_not_the_customer_s_is_a_dead_letter_and_changes_nothing(
    kind: str, whose: str
) -> None:
    mine = [*TROUBLE, tick(1.1)]
    theirs = [event("billing.payment.failed", 1 + i / 100, customer="c-2", invoice_id="i", attempt=i) for i in range(3)]
    opened = [*mine[:-1], *theirs, tick(1.1)]
    names = {a.data.customer_id: a.data.alert_id for a in alerts_of(fold(opened)[1])}
    data = {
        "acknowledged": {},
        "snoozed": {"until": at(9)},
        "resolved": {"outcome": "saved"},
        "contacted": {"playbook": "invite"},
    }[kind]
    name = "no-such-alert" if whose == "nobody's" else names["c-2"]
    type_ = f"retention.{'customer' if kind == 'contacted' else 'alert'}.{kind}"
    p = partition()
    p.feed(records(opened))
    before = dict(p.snapshot().states)
    p.feed(records([event(type_, 1.2, alert_id=name, by="ann", **data)], first_offset=len(opened)))
    after = p.snapshot()
    assert set(after.writes) == {"churn.dlq"}
    assert dict(after.writes["churn.dlq"][0][2])["churn_dlq-reason"] == b"out_of_range"
    assert set(dict(after.states)) == {b""}
    assert p.states[b"c-1"] == before[b"c-1"]


def test_a_snooze_without_an_offset_in_its_time_never_reaches_the_journal() -> None:
    bad = event("retention.alert.snoozed", 1, alert_id="a", until="2026-02-06T00:00:00", by="ann")
    refused = read_event(bad, (), START_S + 86_400.0)
    assert isinstance(refused, Rejected)
    assert refused.reason == "wrong_shape"
    assert "until" in refused.detail


def test_since_last_says_why_now() -> None:
    found = alerts_of(fold([*TROUBLE, tick(1.1), *LEAVING])[1])
    reasons = {reason.code: reason for reason in found[-1].data.reasons}
    assert reasons["exit.intent"].since_last > 0
    assert found[0].data.reasons[0].since_last == found[0].data.reasons[0].contribution
    assert found[-1].data.previous_probability == found[-2].data.churn_probability
    assert found[-1].data.trend == "rising"


@pytest.mark.parametrize("later", ["acknowledged", "snoozed", "resolved"])
def test_what_the_team_has_closed_stays_closed_whatever_is_said_before_the_next_tick(later: str) -> None:
    patient = parse_policy("urgent = []")
    opened = [*TROUBLE, tick(1.1)]
    alert_id = alerts_of(fold(opened, patient)[1])[0].data.alert_id
    said = {"acknowledged": {}, "snoozed": {"until": at(9)}, "resolved": {"outcome": "saved"}}[later]
    closing = event("retention.alert.resolved", 1.2, alert_id=alert_id, outcome="no_risk", by="ann", id="first")
    after = event(f"retention.alert.{later}", 1.21, alert_id=alert_id, by="bob", id="second", **said)
    _, snapshot = fold([*opened, closing, after, tick(1.3)], patient)
    assert [(a.data.status, a.data.outcome) for a in alerts_of(snapshot)] == [("open", None), ("resolved", "no_risk")]
    assert [value for _, value, _ in snapshot.writes[DEAD]] == [after]
