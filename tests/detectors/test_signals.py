"""Every signal: a history that raises it, one that does not, the sentence; and the habits that all signals share."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from detectors.customer import Customer, dump, load
from detectors.policy import Policy
from detectors.signals import CATALOGUE, Moment, ramp
from tests.detectors.lives import DAY_S, MODEL, POLICY, START_S, at, customer_after, event, read

History = list[bytes]


def sessions(days: range, per_day: int = 1, start_hour: int = 9) -> History:
    """Sessions on each of these days."""
    return [event("usage.session.started", day + (start_hour + i) / 24) for day in days for i in range(per_day)]


def sent_away() -> History:
    return [
        event("support.ticket.opened", 1, ticket_id="t1", topic="export"),
        event("support.ticket.resolved", 2, ticket_id="t1", resolution="none"),
        event("support.ticket.opened", 5, ticket_id="t2", topic="login"),
        event("support.ticket.opened", 7, ticket_id="t3", topic="speed"),
    ]


# code → (history, day, strength at least, what the sentence must say, history that does not raise it)
RAISED: dict[str, tuple[History, float, float, str, History]] = {
    "service.call_abandoned": (
        [event("support.call.abandoned", d, call_id=f"a{d}", wait_s=200.0) for d in (1, 2)]
        + [event("support.call.answered", 3, call_id="b", wait_s=10.0)],
        4,
        0.9,
        "Gave up 2 of 3 calls in 30 days, after waiting 200 s on average.",
        [event("support.call.abandoned", d, call_id=f"a{d}", wait_s=10.0) for d in (1, 2)]
        + [event("support.call.answered", d, call_id=f"b{d}", wait_s=10.0) for d in (3, 4)],
    ),
    "service.unresolved": (
        sent_away(),
        8,
        0.6,
        "2 tickets open, the oldest for 3 days, 1 closed without a solution in 60 days.",
        [
            event("support.ticket.opened", 1, ticket_id="t1"),
            event("support.ticket.resolved", 2, ticket_id="t1", resolution="solved"),
        ],
    ),
    "service.repeat_contact": (
        [event("support.call.answered", d, call_id=f"k{d}", wait_s=5.0, topic="invoice") for d in range(1, 5)],
        5,
        1.0,
        "Had to get in touch 4 times about “invoice” in 14 days.",
        [event("support.call.answered", d, call_id=f"k{d}", wait_s=5.0, topic="invoice") for d in (-50, -30, 2, 4)],
    ),
    "service.bad_rating": (
        [
            event("support.ticket.rated", 1, ticket_id="t1", csat=4),
            event("support.ticket.rated", 3, ticket_id="t2", csat=1),
        ],
        4,
        0.5,
        "1 of 2 ratings in 60 days was bad, the newest of them 1 on a scale of 1 to 5.",
        [event("engagement.survey.answered", 1, kind="nps", score=9)],
    ),
    "price.increase": (
        [
            event("billing.subscription.started", 0, plan="pro", mrr=100.0),
            event("billing.price.changed", 100, old_mrr=100.0, new_mrr=120.0, effective_at=at(130)),
        ],
        131,
        0.7,
        "The price of the same plan rose by 20% within 365 days, from 100.00 to 120.00 a month.",
        [
            event("billing.subscription.started", 0, plan="pro", mrr=100.0),
            event("billing.plan.changed", 50, old_plan="pro", new_plan="max", old_mrr=100.0, new_mrr=300.0),
        ],
    ),
    "billing.payment_trouble": (
        [event("billing.payment.failed", d, invoice_id="i1", attempt=d) for d in (1, 2, 3)],
        4,
        1.0,
        "3 payments failed in 45 days on 1 invoice that is still unpaid.",
        [
            event("billing.payment.failed", 1, invoice_id="i1", attempt=1),
            event("billing.invoice.paid", 2, invoice_id="i1", amount=9.0),
        ],
    ),
    "value.usage_drop": (
        sessions(range(28), per_day=2) + sessions(range(30, 31)),
        34.5,
        0.9,
        "Activity fell by 78%: 3 in the last 7 days, where 14 was usual.",
        sessions(range(35)),
    ),
    "value.silence": (
        [*sessions(range(0, 22, 7)), event("usage.session.started", 49, customer="c-2")],
        49,
        0.4,
        "Nothing heard for 28 days, 3.9 times the usual gap of 7 days.",
        sessions(range(0, 50, 7)),
    ),
    "tech.error_burst": (
        [event("app.error.raised", 40 + h / 24, code="E1", fatal=False, count=3) for h in range(10)],
        40.5,
        1.0,
        "30 errors in 24 hours, 10.0 times the usual 3 a day.",
        [event("app.error.raised", d, code="E1", fatal=False, count=4) for d in range(40)],
    ),
    "tech.crashes": (
        [*sessions(range(1, 7)), event("app.error.raised", 6.5, code="SEGV", fatal=True)],
        6.9,
        1.0,
        "1 crash in 6 sessions within 7 days (17%).",
        [*sessions(range(1, 7)), event("app.error.raised", 6.5, code="E1", fatal=False)],
    ),
    "exit.intent": (
        [
            event("usage.cancel_page.viewed", 1),
            event("usage.cancel_page.viewed", 2),
            event("billing.auto_renew.disabled", 3),
        ],
        4,
        1.0,
        "Viewed the cancel page 2 times, turned auto-renewal off within 30 days.",
        [event("usage.cancel_page.viewed", 1)],
    ),
    "exit.contract_window": (
        [event("billing.subscription.started", 0, plan="pro", mrr=9.0, contract_ends_at=at(100))],
        80,
        0.7,
        "The contract ends in 20 days and is not renewed yet.",
        [
            event("billing.subscription.started", 0, plan="pro", mrr=9.0, contract_ends_at=at(100)),
            event("billing.subscription.renewed", 70, plan="pro", mrr=9.0, contract_ends_at=at(465)),
        ],
    ),
    "relationship.billed_in_silence": (
        [
            event("engagement.benefit.granted", 1, kind="month_free"),
            *[event("billing.invoice.issued", 5 + 30 * i, invoice_id=f"i{i}", amount=9.0) for i in range(12)],
        ],
        340,
        0.5,
        "12 invoices since the last contact that gave something, on 2026-01-02.",
        [
            *[event("billing.invoice.issued", 5 + 30 * i, invoice_id=f"i{i}", amount=9.0) for i in range(12)],
            event("engagement.contact.made", 300, purpose="check_in"),
        ],
    ),
    "protect.recovered": (
        [
            event("support.ticket.opened", 1, ticket_id="t1", topic="export"),
            event("support.ticket.reopened", 2, ticket_id="t1"),
            event("support.ticket.resolved", 3, ticket_id="t1", resolution="solved"),
            event("support.ticket.rated", 4, ticket_id="t1", csat=5),
        ],
        5,
        1.0,
        "Was dissatisfied, then a ticket was solved and rated 5 of 5.",
        [
            event("support.ticket.opened", 1, ticket_id="t1"),
            event("support.ticket.resolved", 1.5, ticket_id="t1", resolution="solved"),
            event("support.ticket.rated", 4, ticket_id="t1", csat=5),
        ],
    ),
}


def test_every_signal_of_the_catalogue_has_a_history_that_raises_it() -> None:
    assert set(RAISED) == set(CATALOGUE) == set(POLICY.signals)


@pytest.mark.parametrize("code", RAISED)
def test_raised_by_its_history_with_the_sentence_that_people_read(code: str) -> None:
    history, day, least, text, _ = RAISED[code]
    strength, because = read(code, history, day)
    assert because is not None
    assert because.text == text
    assert strength is not None
    assert least <= strength <= 1
    assert len(because.evidence) <= 5


@pytest.mark.parametrize("code", RAISED)
def test_evidence_names_events_of_the_history(code: str) -> None:
    history, day, _, _, _ = RAISED[code]
    _, because = read(code, history, day)
    assert because is not None
    text = b"".join(history).decode()
    assert all(f'"{event_id}"' in text for event_id in because.evidence)
    if code != "exit.contract_window":  # a date carries it, not an event
        assert because.evidence


@pytest.mark.parametrize("code", RAISED)
def test_not_raised_by_the_other_history(code: str) -> None:
    _, day, _, _, calm = RAISED[code]
    strength, because = read(code, calm, day)
    assert because is None
    assert strength in (0.0, None)


@pytest.mark.parametrize("code", RAISED)
def test_unknown_before_anything_was_seen(code: str) -> None:
    assert read(code, [], 10) == (None, None)


@pytest.mark.parametrize("code", RAISED)
def test_any_order_of_the_same_events_gives_the_same_answer(code: str) -> None:
    history, day, _, _, _ = RAISED[code]
    expected = read(code, history, day)
    for seed in range(5):
        shuffled = list(history)
        random.Random(seed).shuffle(shuffled)
        assert read(code, shuffled, day) == expected


@pytest.mark.parametrize("code", RAISED)
def test_a_duplicate_changes_nothing(code: str) -> None:
    history, day, _, _, _ = RAISED[code]
    assert read(code, [*history, *history], day) == read(code, history, day)


@pytest.mark.parametrize("code", RAISED)
def test_asking_changes_nothing_and_survives_storage(code: str) -> None:
    history, day, _, _, _ = RAISED[code]
    c = customer_after(history)
    before = dump(c)
    moment = Moment(POLICY, round(START_S + day * DAY_S), c.last_s)
    moment.row = POLICY.signals[code]
    signal = CATALOGUE[code]
    value = signal.measure(c, moment)
    assert value is not None
    signal.explain(c, moment, value)
    assert dump(c) == before
    assert signal.measure(load(before), moment) == value


@pytest.mark.parametrize("code", CATALOGUE)
def test_strength_is_monotone_from_zero_to_one(code: str) -> None:
    row = POLICY.signals[code]
    step = (row.to - row.from_) / 10
    strengths = [ramp(row.from_ + step * i, row) for i in range(-3, 14)]
    assert strengths == sorted(strengths)
    assert strengths[0] == strengths[3] == 0.0
    assert strengths[-1] == 1.0


@pytest.mark.parametrize("code", RAISED)
def test_holds_until_the_time_it_names(code: str) -> None:
    """Until then no reading without an event differs by more than a tenth: nothing is missed by waiting."""
    history, day, _, _, _ = RAISED[code]
    c = customer_after(history)
    row = POLICY.signals[code]

    def strength_at(now_s: int) -> tuple[float | None, int]:
        moment = Moment(POLICY, now_s, max(c.last_s, now_s - DAY_S // 2))
        moment.row = row
        value = CATALOGUE[code].measure(c, moment)
        return (None if value is None else ramp(value, row)), moment.until_s

    for offset_d in (0.0, 3.0, 10.0, 40.0):
        now_s = round(START_S + (day + offset_d) * DAY_S)
        first, until_s = strength_at(now_s)
        for probe in range(1, 6):
            then_s = now_s + (min(until_s, now_s + 90 * DAY_S) - 1 - now_s) * probe // 5
            then, _ = strength_at(then_s)
            assert (then is None) == (first is None)
            if then is not None and first is not None:
                assert abs(then - first) <= 0.1 + 1e-6


def test_silence_does_not_count_while_the_feed_is_silent_for_everybody() -> None:
    alone = sessions(range(0, 22, 7))
    assert read("value.silence", alone, 60) == (0.0, None)
    others = [event("usage.session.started", 60, customer="c-2")]
    strength, _ = read("value.silence", alone + others, 60)
    assert strength is not None
    assert strength > 0.5


def test_catalogue_refuses_a_number_twice() -> None:
    from detectors.signals.base import signal

    def nothing(c: Customer, moment: Moment) -> float | None:
        return None

    declare: Callable[..., object] = signal("test.twice", number=29, depends=())
    with pytest.raises(ValueError, match="taken"):
        declare(nothing)
    assert "test.twice" not in CATALOGUE


def test_day_zero_weights_are_those_of_the_policy() -> None:
    assert MODEL.weights == {code: row.prior for code, row in Policy().signals.items()}
    assert MODEL.confidence == "rules"
