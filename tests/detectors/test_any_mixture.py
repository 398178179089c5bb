"""Groups A to C under any mixture of their events: the same answers in any order, that hold as long as they say."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.customer import Customer
from detectors.signals import CATALOGUE, Moment, ramp
from tests.detectors.lives import DAY_S, POLICY, START_S, at, customer_after, event

CODES = [s.code for s in CATALOGUE.values() if s.number <= 22]
FEES = [{"code": "f", "amount": 3.0, "disclosed": False}]
Kind = tuple[str, dict[str, Any]]
WORDS: tuple[Kind, ...] = (
    ("support.call.answered", {"call_id": "k", "wait_s": 400.0, "topic": "x"}),
    ("engagement.contact.made", {"purpose": "apology"}),
)
# What may happen to each of a few things, by what belongs together; {n} is which thing.
STORIES: tuple[tuple[Kind, ...], ...] = (
    (
        ("support.ticket.opened", {"ticket_id": "t{n}", "topic": "x", "sla_hours": 24}),
        ("support.ticket.updated", {"ticket_id": "t{n}", "by": "agent"}),
        ("support.ticket.transferred", {"ticket_id": "t{n}"}),
        ("support.ticket.reopened", {"ticket_id": "t{n}"}),
        ("support.ticket.resolved", {"ticket_id": "t{n}", "resolution": "refused"}),
        ("support.ticket.resolved", {"ticket_id": "t{n}", "resolution": "solved"}),
        *WORDS,
    ),
    (
        ("app.outage.started", {"outage_id": "o{n}", "service": "api"}),
        ("app.outage.ended", {"outage_id": "o{n}"}),
        ("billing.terms.changed", {}),
        *WORDS,
    ),
    (
        ("support.ticket.rated", {"ticket_id": "t{n}", "csat": 1}),
        ("support.call.answered", {"call_id": "k", "wait_s": 50.0}),
        ("support.call.abandoned", {"call_id": "k", "wait_s": 400.0}),
        ("support.interaction.assessed", {"interaction_id": "a", "agent_tone": -0.7}),
        ("support.request.refused", {"alternative_offered": False}),
        *WORDS,
    ),
    (
        ("support.promise.made", {"promise_id": "p{n}", "due_at": at(30), "what": "a fix"}),
        ("support.promise.kept", {"promise_id": "p{n}"}),
        ("support.promise.broken", {"promise_id": "p{n}"}),
    ),
    (
        ("fulfilment.order.delayed", {"order_id": "r{n}", "promised_at": at(28), "informed": False}),
        ("fulfilment.order.fulfilled", {"order_id": "r{n}", "promised_at": at(28), "fulfilled_at": at(33)}),
    ),
    (
        ("billing.dispute.opened", {"dispute_id": "d{n}", "amount": 9.0}),
        ("billing.dispute.resolved", {"dispute_id": "d{n}", "for_customer": False}),
        ("billing.dispute.resolved", {"dispute_id": "d{n}", "for_customer": True}),
    ),
    (
        ("billing.invoice.issued", {"invoice_id": "i", "amount": 60.0, "quoted_amount": 50.0, "fees": FEES}),
        ("billing.invoice.issued", {"invoice_id": "i", "amount": 60.0, "overage_amount": 3.0}),
        ("billing.payment.failed", {"invoice_id": "i{n}", "attempt": 1}),
        ("usage.quota.reported", {"used": 10.0, "included": 100.0}),
        ("usage.quota.reported", {"used": 90.0, "included": 100.0}),
    ),
    (
        ("billing.subscription.started", {"plan": "pro", "mrr": 50.0}),
        ("billing.price.changed", {"old_mrr": 50.0, "new_mrr": 60.0, "effective_at": at(25)}),
        ("billing.price.changed", {"old_mrr": 60.0, "new_mrr": 70.0, "effective_at": at(45)}),
        ("billing.terms.changed", {"notified_at": at(5)}),
        ("billing.discount.ending", {"ends_at": at(80), "old_mrr": 40.0, "new_mrr": 50.0}),
        ("engagement.offer.sent", {"offer_id": "f{n}", "for_newcomers_only": True, "mrr": 30.0}),
        ("engagement.market_price.seen", {"competitor": "Northwind", "mrr": 45.0}),
    ),
)
ONCE = "fulfilment.order.fulfilled"  # an order is; what was closed before it was opened is remembered of two alone
Happened = tuple[Kind, int, int]  # which, of what, at which hour


def happenings(story: tuple[Kind, ...]) -> st.SearchStrategy[list[Happened]]:
    """Up to 16 events of what belongs together, within 40 days; no two of a type in one hour."""
    one = st.tuples(st.sampled_from(story), st.integers(1, 2), st.integers(0, 960))
    return st.lists(
        one,
        min_size=2,
        max_size=16,
        unique_by=lambda h: (h[0][0], h[1] if h[0][0] == ONCE else 0, h[0][0] == ONCE or h[2]),
    )


LIVES = st.sampled_from(STORIES).flatmap(happenings)


def told(happened: list[Happened]) -> list[bytes]:
    history = []
    for (kind, data), n, hour in happened:
        said = {key: value.format(n=n) if isinstance(value, str) else value for key, value in data.items()}
        history.append(event(kind, hour / 24, id=f"{kind} {n} {hour}", **said))
    return history


def answers(c: Customer, day: float) -> dict[str, object]:
    found: dict[str, object] = {}
    moment = Moment(POLICY, round(START_S + day * DAY_S))
    for code in CODES:
        moment.row = POLICY.signals[code]
        value = CATALOGUE[code].measure(c, moment)
        raised = value is not None and ramp(value, moment.row) > 0
        found[code] = (value, CATALOGUE[code].explain(c, moment, value) if raised and value is not None else None)
    return found


@settings(max_examples=200, deadline=None)
@given(LIVES, st.randoms(use_true_random=False))
def test_any_mixture_in_any_order_gives_the_same_answers_and_sentences(
    happened: list[Happened], dice: random.Random
) -> None:
    history = told(happened)
    shuffled = list(history)
    dice.shuffle(shuffled)
    first, second = customer_after(history), customer_after(shuffled)
    for day in (32, 41, 75, 110):
        assert answers(second, day) == answers(first, day)


def strength_at(c: Customer, code: str, now_s: int) -> tuple[float | None, int]:
    moment = Moment(POLICY, now_s)
    moment.row = POLICY.signals[code]
    value = CATALOGUE[code].measure(c, moment)
    return (None if value is None else ramp(value, moment.row)), moment.until_s


@settings(max_examples=200, deadline=None)
@given(LIVES, st.integers(0, 80 * DAY_S), st.lists(st.integers(1, 40 * DAY_S), min_size=3, max_size=3))
def test_an_answer_holds_until_the_time_that_it_names(
    happened: list[Happened], after_s: int, later_s: list[int]
) -> None:
    c = customer_after(told(happened))
    now_s = c.last_s + after_s
    for code in CODES:
        first, until_s = strength_at(c, code, now_s)
        for then_s in (*(now_s + s for s in later_s), now_s + 400 * DAY_S, until_s - 1):
            if now_s < then_s < min(until_s, now_s + 1_000 * DAY_S):
                then, _ = strength_at(c, code, then_s)
                assert (then is None) == (first is None), code
                assert then is None or first is None or abs(then - first) <= 0.1 + 1e-6, code
