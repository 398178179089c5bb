"""The fold: what must hold however records are cut, wherever a process dies, whatever fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.customer import Customer, dump, load, read_header
from detectors.history import HANDLERS
from detectors.model import Model
from detectors.partition import PARTITION_KEY, Partition
from detectors.policy import Policy
from detectors.policy_text import parse_policy
from detectors.reading import scores_at
from detectors.records import ALERTS, CURRENT, DEAD, SCORES, Write
from detectors.rules import RULES_KEY, is_customer
from schemas.journal import Incident, IncidentDeclared, encode_control, encode_heard
from schemas.journal_dump import JournalRecord
from schemas.times import utc
from schemas.usage import FeatureUsed, SessionStarted
from tests.detectors.lives import (
    DAY_S,
    START_S,
    alerts_of,
    at,
    content,
    event,
    fold,
    new_model,
    new_policy,
    partition,
    records,
    tick,
)

POLICIES = (
    Policy(),
    parse_policy("[budget]\nper_day_per_1000 = 30\nburst = 1\nwaiting_most = 1\n[win_back]\nthreshold = 0.1"),
    parse_policy(
        "[churn]\ndefinition = 'inactivity'\ninactivity_days = 20\n[hold_out]\nshare = 0.3\n"
        "[budget]\nper_day_per_1000 = 100\nburst = 1\ncritical_overdraws = true"
    ),
    parse_policy(
        "[incidents]\nat_least = 2\nshare = 0.01\nquiet_s = 3600\n[alerts]\nenter = 0.15\nexit = 0.1\n"
        "[hold_out]\nshare = 0.2\n[budget]\nper_day_per_1000 = 1000\nburst = 2"
    ),
)
CUSTOMERS = ("c-1", "c-2", "c-3")
KEEN = parse_policy(
    '[alerts]\nenter = 0.12\nexit = 0.08\n[signals."exit.intent"]\nprior = 3.0\n'
    '[stage_weights.onboarding]\n"exit.intent" = 0.5\n'
    '[[profiles]]\nmatch = {plan = "p"}\nweights = {"billing.payment_trouble" = 2.5}\n'
)
SLOW = parse_policy('[alerts]\nenter = 0.5\nband_critical = 0.7\n[signals."service.unresolved"]\nto = 9')
LEARNED = Model("m-1", -2.0, {"exit.intent": 0.3, "billing.payment_trouble": 2.0}, 9)
Change = Callable[[float], bytes]
CHANGES: tuple[Change, ...] = (
    lambda day: new_policy(day, KEEN),
    lambda day: new_policy(day, SLOW),
    lambda day: new_model(day, LEARNED),
    lambda day: new_policy(day, KEEN).replace(b"exit.intent", b"exit.intend"),
)

FEEDBACK: tuple[tuple[str, dict[str, Any]], ...] = (
    ("retention.alert.acknowledged", {}),
    ("retention.alert.snoozed", {"until": 3.0}),
    ("retention.alert.snoozed", {"until": -1.0}),
    ("retention.alert.resolved", {"outcome": "saved"}),
    ("retention.alert.resolved", {"outcome": "churned"}),
    ("retention.customer.contacted", {"playbook": "call"}),
)


def incident(cause: str, day: float, number: int) -> bytes:
    """What a partition says of an incident of that day."""
    said = Incident(
        incident_id=f"{cause}-{at(day)[:13]}Z",
        signal="tech.crashes",
        started_at=utc(START_S + day * DAY_S - 600),
        newest_at=utc(START_S + day * DAY_S),
        partition=number,
        customers=9,
    )
    return encode_control(IncidentDeclared(id=f"{said.incident_id}@{number}", time=said.newest_at, data=said))


@st.composite
def journals(draw: st.DrawFn, policy: Policy = POLICIES[0]) -> list[bytes]:
    """Some customers' events, shuffled a little, with all that a journal holds, and nonsense, in between."""
    values: list[bytes] = []
    alerts: list[tuple[str, str]] = []
    so_far = partition(policy=policy)
    day = 0.0
    for i in range(draw(st.integers(0, 60))):
        day += draw(st.sampled_from([0.0, 0.01, 0.5, 3.0, 50.0]))
        customer = draw(st.sampled_from(CUSTOMERS))
        late = day - draw(st.sampled_from([0.0, 0.0, 0.0, 2.0, 40.0]))
        kind, data = draw(
            st.sampled_from(
                [
                    ("usage.session.started", dict[str, Any]()),
                    ("usage.feature.used", {"feature": "f"}),
                    ("billing.payment.failed", {"invoice_id": f"i{i % 3}", "attempt": 1}),
                    ("billing.invoice.paid", {"invoice_id": f"i{i % 3}", "amount": 5.0}),
                    ("support.ticket.opened", {"ticket_id": f"t{i % 4}", "topic": "x"}),
                    ("support.ticket.resolved", {"ticket_id": f"t{i % 4}", "resolution": "none"}),
                    ("support.call.abandoned", {"call_id": f"c{i}", "wait_s": 40.0}),
                    ("billing.order.placed", {"order_id": f"o{i}", "amount": 5.0}),
                    ("usage.cancel_page.viewed", {}),
                    ("billing.auto_renew.disabled", {}),
                    ("app.error.raised", {"code": "E", "fatal": True, "count": 5}),
                    ("billing.subscription.cancelled", {"voluntary": i % 2 == 0}),
                    ("billing.order.placed", {"order_id": f"o{i}", "amount": 20.0}),
                    ("retention.customer.contacted", {"playbook": "invite", "by": "ann"}),
                    ("billing.subscription.started", {"plan": "p", "mrr": 9.5}),
                    ("privacy.erasure.requested", {"request_id": "r"}),
                ]
            )
        )
        values.append(event(kind, late, customer=customer, id=str(draw(st.integers(0, 40))), **data))
        if draw(st.integers(0, 3)) == 0:
            values.append(tick(day))
        if draw(st.integers(0, 5)) == 0:
            values.append(
                encode_heard(draw(st.sampled_from(["usage.events", "billing.events"])), START_S + day * DAY_S)
            )
        if draw(st.integers(0, 20)) == 0:
            values.append(b'{"subject":"c-1"}')
        if draw(st.integers(0, 12)) == 0:
            values.append(draw(st.sampled_from(CHANGES))(day))
        if draw(st.integers(0, 8)) == 0:
            values += [
                event("app.error.raised", day, customer=customer, id=f"storm {i}", code="E", fatal=True, count=9)
                for customer in CUSTOMERS
            ]
        if draw(st.integers(0, 12)) == 0:
            values.append(incident(draw(st.sampled_from(["technology", "availability"])), day, draw(st.integers(0, 2))))
        if draw(st.integers(0, 5)) == 0:
            so_far.feed(records(values[so_far.position :], so_far.position))
            alerts += [(a.data.customer_id, a.data.alert_id) for a in alerts_of(so_far.snapshot())]
            customer, alert_id = draw(st.sampled_from(alerts[-4:] or [("c-1", "no-such-alert")]))
            kind, said = draw(st.sampled_from(FEEDBACK))
            if "until" in said:
                said = {"until": at(day + said["until"])}
            values.append(event(kind, day, customer=customer, id=f"word {i}", alert_id=alert_id, by="ann", **said))
    return values


@st.composite
def policies_and_journals(draw: st.DrawFn) -> tuple[Policy, list[bytes]]:
    """A policy, and a journal in which the team speaks of the alerts that it gives."""
    policy = draw(st.sampled_from(POLICIES))
    return policy, draw(journals(policy))


def everything(p: Partition, writes: dict[str, list[Write]]) -> tuple[dict[bytes, bytes], dict[str, list[Write]]]:
    for topic, more in p.snapshot().writes.items():
        writes.setdefault(topic, []).extend(more)
    return dict(p.states), writes


def by_topic(writes: dict[str, list[Write]]) -> dict[str, list[Write]]:
    return {topic: found for topic, found in sorted(writes.items()) if found}


@settings(max_examples=60, deadline=None)
@given(
    policies_and_journals(),
    st.lists(st.integers(0, 120), max_size=6),
    st.lists(st.integers(0, 120), max_size=3),
)
def test_cuts_snapshots_and_restarts_change_nothing(
    drawn: tuple[Policy, list[bytes]], cuts: list[int], deaths: list[int]
) -> None:
    policy, values = drawn
    whole, snapshot = fold(values, policy)
    journal = records(values)
    p, writes, kept = partition(policy=policy), dict[str, list[Write]](), 0
    for cut in sorted({*cuts, len(journal)}):
        p.feed(journal[kept:cut])
        if cut in deaths:  # what was not taken never happened
            p = partition(dict(p.states), policy)
            p.feed(journal[p.position : cut])
        _, writes = everything(p, writes)
        p = partition(dict(p.states), policy, max_hot=0)
        kept = min(cut, len(journal))
    assert dict(p.states) == dict(whole.states)
    assert by_topic(writes) == by_topic(snapshot.writes)
    assert p.stats["fence_skips"] == 0


@settings(max_examples=40, deadline=None)
@given(journals())
def test_a_state_survives_storage_byte_for_byte(values: list[bytes]) -> None:
    p, _ = fold(values)
    for key, state in p.states.items():
        if is_customer(key):
            assert dump(load(state)) == state


@settings(max_examples=40, deadline=None)
@given(journals())
def test_records_that_come_again_are_skipped_and_counted(values: list[bytes]) -> None:
    p, _ = fold(values)
    before = dict(p.states)
    p.feed(records(values))
    assert p.snapshot().writes == {}
    assert dict(p.states) == before
    assert p.stats["fence_skips"] == len(values)


@settings(max_examples=60, deadline=None)
@given(journals(), st.sampled_from(CHANGES[:3]))
def test_a_change_alone_opens_and_escalates_nothing(values: list[bytes], change: Change) -> None:
    day = 99.0
    before = [*(v for v in values if b"churn.policy" not in v and b"churn.model" not in v), tick(day)]
    tail = [*(event("usage.session.started", day, customer=customer) for customer in CUSTOMERS), tick(day + 0.1)]

    def spoke(found: list[bytes]) -> set[tuple[bytes | None, str]]:
        p = partition()
        p.feed(records(found))
        p.snapshot()
        p.feed(records([*found, *tail])[len(found) :])
        writes = p.snapshot().writes.get(ALERTS, ())
        kinds = {(key, orjson.loads(value or b"")["type"].split(".")[2]) for key, value, _ in writes}
        return {(key, kind) for key, kind in kinds if kind in ("opened", "escalated")}

    renamed = new_policy(day, parse_policy('name = "renamed"'))  # everybody is read again, as after any change
    assert spoke([*before, change(day)]) <= spoke([*before, renamed])


def test_size_does_not_grow_with_the_stream() -> None:
    def history(n: int) -> list[bytes]:
        kinds: list[tuple[str, dict[str, Any]]] = [
            ("usage.session.started", {}),
            ("app.error.raised", {"code": "E", "fatal": True}),
            ("support.ticket.opened", {"topic": "x"}),
            ("billing.payment.failed", {"attempt": 1}),
            ("support.call.abandoned", {"wait_s": 99.0}),
            ("engagement.offer.sent", {}),
        ]
        names = {"support.ticket.opened": "ticket_id", "billing.payment.failed": "invoice_id",
                 "support.call.abandoned": "call_id", "engagement.offer.sent": "offer_id"}  # fmt: skip
        out = []
        for i in range(n):
            kind, data = kinds[i % len(kinds)]
            named = {names[kind]: f"n{i:06}"} if kind in names else {}
            out.append(event(kind, i / 3, id=f"{i:06}", **data, **named))
        return out

    sizes = [len(fold(history(n))[0].states[b"c-1"]) for n in (3_000, 6_000)]
    assert sizes[1] <= sizes[0] * 1.02


def boom(c: Customer, d: FeatureUsed, time_s: int, event_id: str) -> None:
    c.active_s = -1
    c.days.clear()
    raise RuntimeError("a defect that quotes secret-payload")


def test_a_failing_event_is_a_dead_letter_and_its_customer_is_as_it_was() -> None:
    good = [event("usage.session.started", 1), event("billing.payment.failed", 1.1, invoice_id="i", attempt=1)]
    bad = event("usage.feature.used", 1.2, feature="secret-payload")
    after = [event("usage.session.started", 1.3), tick(2)]
    p = partition(handlers={**HANDLERS, FeatureUsed: boom})
    journal = records([*good, bad, bad, *after])
    p.feed(journal)
    snapshot = p.snapshot()
    expected, _ = fold([*good, b'{"subject":"c-1"}', b'{"subject":"c-1"}', *after])
    assert content(dict(p.states)) == content(dict(expected.states))
    letters = snapshot.writes[DEAD]
    assert [(key, value) for key, value, _ in letters] == [(b"c-1", bad)] * 2
    said = dict(letters[0][2])
    assert said["churn_dlq-reason"] == b"detector_failed"
    assert b"secret" not in said["churn_dlq-detail"]
    assert said["churn_dlq-original-offset"] == b"2"


def test_a_fetch_of_nothing_but_poison_goes_through() -> None:
    p = partition(handlers={**HANDLERS, FeatureUsed: boom})
    p.feed(records([event("usage.feature.used", i / 1000, feature="f", id=str(i)) for i in range(2_000)]))
    assert len(p.snapshot().writes[DEAD]) == 2_000
    assert set(p.states) == {PARTITION_KEY, RULES_KEY}


def test_an_event_type_added_to_a_failing_one_does_not_lose_alerts() -> None:
    trouble = [event("billing.payment.failed", 1 + i / 100, invoice_id="i", attempt=1) for i in range(3)]
    bad = event("usage.feature.used", 1.2, feature="f", customer="c-2")
    p = partition(handlers={**HANDLERS, FeatureUsed: boom})
    p.feed(records([*trouble, tick(1.1)]))
    p.feed(records([bad, tick(1.3)], first_offset=4))
    assert len(p.snapshot().writes[ALERTS]) == 1


def test_garbage_in_the_journal_is_a_dead_letter() -> None:
    p = partition()
    garbage = [(b"c-1", None), (b"c-1", b"\xff"), (None, b"{}"), (None, None), (b"c-1", b"[]"), (b"c-1", b"[" * 9_999)]
    garbage += [(key, event("usage.session.started", 1)) for key in (None, b"", RULES_KEY)]
    p.feed([JournalRecord(i, key, value, 7) for i, (key, value) in enumerate(garbage)])
    letters = p.snapshot().writes[DEAD]
    assert [(key, value) for key, value, _ in letters] == garbage
    assert p.position == len(garbage)


def test_erasure_forgets_the_customer_and_ends_its_alert() -> None:
    trouble = [event("billing.payment.failed", 1 + i / 100, invoice_id="i", attempt=1) for i in range(3)]
    p = partition()
    p.feed(records([*trouble, tick(1.1), event("privacy.erasure.requested", 2, request_id="r")]))
    snapshot = p.snapshot()
    assert (b"c-1", None) in snapshot.states
    assert b"c-1" not in p.states
    assert [orjson.loads(value or b"")["data"]["status"] for _, value, _ in snapshot.writes[ALERTS]] == [
        "open",
        "resolved",
    ]
    assert snapshot.writes[CURRENT][-1][:2] == snapshot.writes[SCORES][-1][:2] == (b"c-1", None)


def test_silence_is_found_by_a_tick_without_any_event() -> None:
    rhythm = [event("usage.session.started", day) for day in range(0, 29, 7)]
    others = [event("usage.session.started", day, customer="c-2") for day in range(30, 90)]
    p = partition()
    p.feed(records([*rhythm, tick(29)]))
    p.snapshot()
    assert p.states[b"c-1"]
    _, due_s, waiting = read_header(p.states[b"c-1"])
    assert not waiting
    assert START_S + 29 * DAY_S < due_s <= START_S + 43 * DAY_S
    values = [v for day, other in zip(range(30, 90), others, strict=True) for v in (other, tick(day + 0.5))]
    p.feed(records(values, first_offset=6))
    opened = [orjson.loads(value or b"") for key, value, _ in p.snapshot().writes[ALERTS] if key == b"c-1"]
    assert opened[0]["data"]["reasons"][0]["code"] == "value.silence"
    assert opened[0]["data"]["evidence_range"]["last_offset"] > 6


def test_a_tick_costs_what_is_due_and_not_what_exists() -> None:
    p = partition()
    p.feed(records([event("usage.session.started", 1, customer=f"c-{i}") for i in range(500)] + [tick(1.1)]))
    assert p.stats["assessments"] == 500
    p.feed(records([event("usage.cancel_page.viewed", 1.2, customer="c-7"), tick(1.3)], first_offset=501))
    assert p.stats["assessments"] == 501


def test_scores_read_without_changing_anything() -> None:
    values = [event("usage.session.started", day) for day in range(0, 29, 7)]
    p, _ = fold([*values, tick(29)])
    before = dict(p.states)
    rows = list(scores_at(p, START_S + 80 * DAY_S))
    assert [row.customer_id for row in rows] == ["c-1"]
    p.snapshot()
    assert {k: v for k, v in p.states.items() if k} == {k: v for k, v in before.items() if k}


def test_every_event_type_has_a_handler_or_is_the_erasure() -> None:
    from schemas.events import EVENT_TYPES

    assert {name for name, data in EVENT_TYPES.items() if data not in HANDLERS} == {"privacy.erasure.requested"}
    assert SessionStarted in HANDLERS
