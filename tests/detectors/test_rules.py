"""A policy or a model that comes by the journal: taken up at one record, and no reason for an alert by itself."""

from __future__ import annotations

import math

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.customer import Customer, load
from detectors.model import Model
from detectors.partition import Partition
from detectors.policy import Policy
from detectors.policy_text import parse_policy
from detectors.profile import stage_of
from detectors.records import ALERTS, DEAD, SCORES
from detectors.rules import KEPT, RULES_KEY
from detectors.weights import Weights
from schemas.journal_dump import JournalRecord
from schemas.scores import decode_score
from tests.detectors.lives import (
    DAY_S,
    POLICY,
    alerts_of,
    customer_after,
    event,
    fold,
    new_model,
    new_policy,
    partition,
    records,
    tick,
)

FAILED = [event("billing.payment.failed", 1 + i / 100, invoice_id="i", attempt=1) for i in range(3)]
LOOKED = event("usage.cancel_page.viewed", 1, id="looked")
EXPORTED = event("usage.data.exported", 1.01)
INTENT = [LOOKED, EXPORTED]  # two of four: p = 0.08 by default
KEEN = parse_policy('name = "keen"\n[signals."exit.intent"]\nprior = 6.0')
SESSION = event("usage.session.started", 2.5)


def said(values: list[bytes]) -> list[tuple[str, str, str, str]]:
    """What was announced: change, level, what brought it about, policy."""
    return [
        (a.type.split(".")[2], a.data.risk_level, a.data.changed_by, a.data.policy_version)
        for a in alerts_of(fold(values)[1])
    ]


def test_what_only_the_new_policy_would_open_is_held_until_the_customer_moves() -> None:
    changed = [*INTENT, tick(1.1), new_policy(2, KEEN)]
    assert said([*changed, tick(2.1)]) == []
    harmless = [*changed, tick(2.1), SESSION, tick(2.6), tick(3)]
    assert said(harmless) == []
    c = customer_after(harmless)
    assert c.unsaid == c.probability > KEEN.alerts.enter
    moved = said([*harmless, event("usage.integration.removed", 3.1), tick(3.2)])
    assert moved == [("opened", "critical", "events", KEEN.version)]
    assert customer_after([*harmless, event("usage.integration.removed", 3.1), tick(3.2)]).unsaid < 0


def test_what_is_held_stays_held_over_the_next_change_and_is_forgotten_below_enter() -> None:
    keener = parse_policy('[signals."exit.intent"]\nprior = 7.0')
    held = [*INTENT, tick(1.1), new_policy(2, KEEN), SESSION, tick(2.6)]
    again = [*held, new_policy(2.7, keener), event("usage.session.started", 2.8), tick(2.9)]
    assert said(again) == []
    assert customer_after(again).unsaid == customer_after(again).probability
    back = [*again, new_policy(3, POLICY), event("usage.session.started", 3.1), tick(3.2)]
    assert said(back) == []
    assert customer_after(back).unsaid < 0
    assert said([*back, *[event("billing.payment.failed", 4 + i / 99, invoice_id="i", attempt=1) for i in range(3)],
                 tick(5)])[0][:3] == ("opened", "high", "events")  # fmt: skip


def test_what_would_have_opened_anyway_opens_at_once_by_the_new_policy() -> None:
    assert said([event("usage.session.started", 0), tick(0.1), new_policy(0.5, KEEN), *FAILED, tick(1.1)]) == [
        ("opened", "high", "events", KEEN.version)
    ]


def test_a_customer_of_whom_nothing_was_known_before_is_judged_by_what_decides_now() -> None:
    assert said([new_policy(0.5, KEEN), *INTENT, tick(1.1)])[0][:3] == ("opened", "high", "events")


def test_a_rest_that_only_the_new_policy_cuts_short_is_no_news() -> None:
    ended = [*FAILED, tick(1.1), event("billing.invoice.paid", 2, invoice_id="i", amount=1.0), tick(2.1), tick(3.2)]
    assert [s[0] for s in said(ended)] == ["opened", "updated", "resolved"]
    back = [event("billing.payment.failed", 4 + i / 99, invoice_id="j", attempt=1) for i in range(3)]
    resting = [*ended, *back, tick(4.1)]
    short = parse_policy("[alerts]\ncooldown_s = 90000")
    assert len(said(resting)) == 3
    assert len(said([*resting, new_policy(4.5, short), SESSION, tick(4.6), tick(9)])) == 3
    assert said([*resting, tick(10.3)])[-1][:3] == ("opened", "high", "time")


def test_an_open_alert_is_revised_at_the_next_look_and_says_that_the_policy_did_it() -> None:
    dear = parse_policy('[signals."billing.payment_trouble"]\nprior = 5.0')
    opened = [*FAILED, tick(1.1), new_policy(2, dear)]
    assert len(said([*opened, tick(2.1)])) == 1  # nobody is looked at because of it
    later = said([*opened, tick(2.1), SESSION, tick(2.6), event("usage.session.started", 3), tick(3.1)])
    assert later[1:] == [("updated", "critical", "policy", dear.version)]


def test_a_model_is_named_where_it_did_it() -> None:
    learned = Model("learned-7", -2.9, {"billing.payment_trouble": 5.0}, examples=12)
    found = alerts_of(fold([*FAILED, tick(1.1), new_model(2, learned), SESSION, tick(2.6)])[1])
    assert [(a.data.changed_by, a.data.model_version, a.data.confidence) for a in found] == [
        ("events", Model.prior(POLICY).version, "rules"),
        ("model", "learned-7", "learning"),
    ]


def test_a_snoozed_alert_is_not_woken_by_a_policy() -> None:
    opened = [*FAILED, tick(1.1)]
    name = alerts_of(fold(opened)[1])[0].data.alert_id
    snooze = event("retention.alert.snoozed", 1.2, alert_id=name, until="2026-03-01T00:00:00Z", by="ann")
    dear = parse_policy('[signals."billing.payment_trouble"]\nprior = 5.0')
    quiet = [*opened, snooze, tick(1.3), new_policy(2, dear), SESSION, tick(2.6), tick(3)]
    assert [s[0] for s in said(quiet)] == ["opened", "updated"]
    assert customer_after(quiet).alert is not None


def test_an_end_by_time_that_the_policy_brought_says_so() -> None:
    mild = parse_policy('[signals."billing.payment_trouble"]\nprior = 0.1')
    ended = said([*FAILED, tick(1.1), new_policy(1.2, mild), SESSION, tick(2.6), tick(2.7), tick(3.7)])
    assert [(s[0], s[2]) for s in ended] == [("opened", "events"), ("updated", "policy"), ("resolved", "time")]


def test_scores_carry_the_new_version_from_the_next_look_on() -> None:
    _, snapshot = fold([*INTENT, tick(1.1), new_policy(2, KEEN), SESSION, tick(2.6)])
    versions = [decode_score(value or b"").policy_version for _, value, _ in snapshot.writes[SCORES]]
    assert versions == [POLICY.version, POLICY.version, KEEN.version]


@pytest.mark.parametrize(
    ("broken", "reason", "names"),
    [
        (lambda v: v[:-40], "not_an_event", "$"),
        (lambda v: v.replace(b"exit.intent", b"exit.intend"), "wrong_shape", "exit.intend"),
        (lambda v: v.replace(b'"enter":0.17', b'"enter":NaN'), "not_an_event", "$"),
        (lambda v: v.replace(b'"enter":0.17', b'"enter":1e999'), "wrong_shape", "$.data"),
        (lambda v: v.replace(b'"enter":0.17', b'"enter":2'), "wrong_shape", "alerts.enter"),
        (lambda v: v.replace(b'"enter":0.17', b'"enter":"x"'), "wrong_shape", "alerts.enter"),
        (lambda v: v.replace(b'"enter":0.17', b'"entre":0.17'), "wrong_shape", "alerts.entre"),
        (lambda v: v[: v.index(b'"data"')] + b'"data":[]}', "wrong_shape", "$.data"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_a_dead_letter_and_the_last_good_one_stays(
    broken: object, reason: str, names: str
) -> None:
    value = broken(new_policy(2, KEEN))  # type: ignore[operator]
    good = parse_policy('name = "good"')
    p = partition()
    p.feed(records([new_policy(1, good)]))
    p.feed([JournalRecord(1, None, value, 7)])
    letter = p.snapshot().writes[DEAD][0]
    assert letter[1] == value
    assert dict(letter[2])["churn_dlq-reason"].decode() == reason
    assert names in dict(letter[2])["churn_dlq-detail"].decode()
    assert p.assessor.policy == good


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (Model("m", 1e9, {}), "between"),
        (Model("m", 0.0, {"no.such": 1.0}), "no.such"),
        (Model("", 0.0, {}), "version"),
    ],
)
def test_a_model_that_cannot_be_meant_is_refused(model: Model, names: str) -> None:
    value = new_model(1, msgspec.structs.replace(model, version=model.version or "x")).replace(
        b'"version":"x"', b'"version":"y"'
    )
    p, snapshot = fold([value])
    assert names in dict(snapshot.writes[DEAD][0][2])["churn_dlq-detail"].decode()
    assert p.assessor.model == Model.prior(POLICY)


def test_a_policy_brings_its_prior_model_along_unless_the_journal_has_named_one() -> None:
    p, _ = fold([new_policy(1, KEEN)])
    assert p.assessor.model == Model.prior(KEEN)
    learned = Model("learned-7", -2.9, {"exit.intent": 0.1}, examples=12)
    p, _ = fold([new_model(1, learned), new_policy(2, KEEN)])
    assert (p.assessor.model, p.assessor.policy) == (learned, KEEN)


def test_what_decides_is_stored_when_it_changes_and_only_then() -> None:
    p = partition()
    p.feed(records([*INTENT, tick(1.1)]))
    assert RULES_KEY in dict(p.snapshot().states)  # as configured
    p.feed(records([tick(1.2)], first_offset=2))
    assert RULES_KEY not in dict(p.snapshot().states)
    p.feed(records([new_policy(2, KEEN)], first_offset=3))
    assert RULES_KEY in dict(p.snapshot().states)
    p.feed(records([new_policy(2.1, KEEN), new_model(2.2, Model.prior(KEEN)), tick(3)], first_offset=4))
    assert RULES_KEY not in dict(p.snapshot().states)
    other = Partition(0, dict(p.states), Policy(name="another"), Model.prior(POLICY))
    assert other.assessor.policy == KEEN  # the journal comes before what is configured
    assert other.position == p.position == 7


def restarted(p: Partition, policy: Policy) -> Partition:
    p.snapshot()
    return Partition(0, dict(p.states), policy, Model.prior(policy))


def test_another_configured_policy_after_a_restart_opens_nothing_by_itself() -> None:
    """What the journal's policy would do (`changed_by`, what is held), a file's does as well."""
    one_look = event("usage.cancel_page.viewed", 1)
    by_journal, _ = fold([*FAILED[:1], one_look, tick(1.1), new_policy(1.2, KEEN), event("usage.data.exported", 2)])
    by_file = partition()
    by_file.feed(records([*FAILED[:1], one_look, tick(1.1)]))
    by_file = restarted(by_file, KEEN)
    assert by_file.assessor.policy == KEEN
    assert restarted(by_file, KEEN).rules.since == by_file.rules.since  # once
    by_file.feed(records([tick(1.2), event("usage.data.exported", 2)], first_offset=3))
    for p in (by_journal, by_file):
        p.feed(records([tick(2.1)], first_offset=p.position))
        assert ALERTS not in p.snapshot().writes
        assert p.stats["held_back_rules"] == 1
        assert load(p.states[b"c-1"]).unsaid > 0


def test_a_restart_with_another_file_takes_nothing_back_that_the_journal_has_named() -> None:
    p, _ = fold([*INTENT, tick(1.1), new_policy(2, POLICY)])  # no change, but said
    assert restarted(p, KEEN).assessor.policy == POLICY


def test_a_restart_that_is_done_again_is_the_same_change() -> None:
    p, _ = fold([*INTENT, tick(1.1)])
    once, again = restarted(p, KEEN), restarted(p, KEEN)
    again = restarted(again, KEEN)  # died before it had done anything
    assert once.rules.since == again.rules.since == p.position
    back = restarted(again, POLICY)
    assert back.assessor.policy == POLICY


def test_what_is_stored_does_not_grow_with_the_number_of_changes() -> None:
    def size(changes: int) -> int:
        values = [new_policy(i, parse_policy(f"[alerts]\ncooldown_s = {100_000 + i}")) for i in range(changes)]
        return len(fold(values)[0].states[RULES_KEY])

    assert size(KEPT) == size(3 * KEPT)


def test_contributions_are_exact_by_stage_and_by_profile() -> None:
    policy = parse_policy(
        '[stage_weights.active]\n"exit.intent" = 0.9\n[stage_weights.onboarding]\n"exit.intent" = 2.0\n'
        '[[profiles]]\nmatch = {plan = "gold", stage = "active"}\nweights = {"billing.payment_trouble" = 3.25}\n'
        '[[profiles]]\nmatch = {plan = "gold"}\nweights = {"billing.payment_trouble" = 0.0}\n'
    )

    def weights(plan: str, day: float) -> dict[str, float]:
        start = event("billing.subscription.started", 0, plan=plan, mrr=9.0)
        trouble = [event("billing.payment.failed", day + i / 99, invoice_id="i", attempt=1) for i in range(3)]
        exits = [event(kind, day, id=f"{kind}{i}") for i in range(4) for kind in ("usage.cancel_page.viewed",)]
        p, snapshot = fold([start, *trouble, *exits, tick(day + 1)], policy)
        row = decode_score((snapshot.writes[SCORES][-1][1]) or b"")
        z = p.assessor.model.intercept + math.fsum(r.contribution for r in row.reasons)
        assert math.isclose(1 / (1 + math.exp(-z)), row.churn_probability, abs_tol=1e-5)
        c = load(p.states[b"c-1"])
        strengths = {p.assessor.by_number[n].signal.code: s for n, s in c.strengths.items()}
        return {r.code: round(r.contribution / strengths[r.code], 4) for r in row.reasons}

    intent, trouble = "exit.intent", "billing.payment_trouble"
    assert weights("basic", 5) == {intent: 2.0, trouble: 1.6}
    assert weights("basic", 50) == {intent: 0.9, trouble: 1.6}
    assert weights("gold", 50) == {intent: 0.9, trouble: 3.25}
    assert weights("gold", 5) == {intent: 2.0}


def test_a_stage_that_begins_by_itself_is_noticed_where_weights_depend_on_it() -> None:
    policy = parse_policy('[stage_weights.active]\n"billing.payment_trouble" = 4.0\n"exit.contract_window" = 0.0')
    start = event("billing.subscription.started", 0, plan="p", mrr=9.0)
    failed = [event("billing.payment.failed", 20 + i / 99, invoice_id="i", attempt=1) for i in range(2)]
    found = alerts_of(fold([start, *failed, tick(20.1), *[tick(day) for day in range(21, 32)]], policy)[1])
    assert [(a.data.as_of[:10], a.data.changed_by) for a in found] == [("2026-01-31", "time")]


def test_golden_shape_of_the_tag() -> None:
    value = fold([*FAILED, tick(1.1)])[1].writes[ALERTS][0][1]
    assert orjson.loads(value or b"")["data"]["changed_by"] == "events"


@given(
    st.builds(
        Customer,
        first_s=st.integers(1, 900),
        started_s=st.integers(0, 900),
        subscribed_s=st.integers(0, 900),
        contract_ends_s=st.integers(0, 1_900),
        active_s=st.integers(0, 900),
        lead_s=st.integers(0, 900),
        gap_s=st.integers(0, 90),
    ),
    st.integers(0, 1_500),
    st.integers(0, 200),
)
def test_a_stage_holds_until_the_time_that_is_named(c: Customer, day: int, later: int) -> None:
    for name in ("first_s", "started_s", "subscribed_s", "contract_ends_s", "active_s", "lead_s", "gap_s"):
        setattr(c, name, getattr(c, name) * DAY_S)
    policy = parse_policy('[churn]\ndefinition = "inactivity"\n[stage_weights.active]\n"value.silence" = 0.0')
    weights = Weights.of_policy(policy, {})
    assert weights is not None
    now_s = day * DAY_S
    until_s = weights.until_s(c, now_s)
    then_s = min(now_s + later * DAY_S, until_s - 1)
    assert stage_of(c, then_s, policy) == stage_of(c, now_s, policy)
