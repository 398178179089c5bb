"""Histories at the edge of the signals of promises, fairness and prices."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.customer import load, read_header
from detectors.signals import CATALOGUE
from tests.detectors.lives import DAY_S, START_S, at, event, fold, read, tick


def strength(code: str, history: list[bytes], day: float) -> float | None:
    return read(code, history, day)[0]


def text(code: str, history: list[bytes], day: float) -> str:
    because = read(code, history, day)[1]
    assert because is not None
    return because.text


def promised(name: str, due_day: float, day: float = 1) -> bytes:
    return event("support.promise.made", day, promise_id=name, due_at=at(due_day), id=f"made {name}")


def kept(name: str, day: float) -> bytes:
    return event("support.promise.kept", day, promise_id=name, id=f"kept {name}")


def invoice(day: float, amount: float = 50.0, **data: Any) -> bytes:
    return event("billing.invoice.issued", day, invoice_id=f"i{day}", amount=amount, **data)


def rise(day: float, effective_day: float, old: float = 50.0, new: float = 60.0, **data: Any) -> bytes:
    return event("billing.price.changed", day, old_mrr=old, new_mrr=new, effective_at=at(effective_day), **data)


def test_a_promise_past_due_counts_without_an_event_until_it_is_kept() -> None:
    two = [promised("p1", 3), promised("p2", 3.5)]
    assert strength("promise.broken", two, 3.2) == 0.0
    assert strength("promise.broken", two, 4) == 0.5
    assert text("promise.broken", two, 4) == "2 promises past due and not kept in 90 days."
    assert strength("promise.broken", [*two, kept("p1", 4.5)], 5) == 0.0
    p, _ = fold([*two, tick(2), tick(4)])
    assert load(p.states[b"c-1"]).strengths[CATALOGUE["promise.broken"].number] == 0.5


def test_a_broken_promise_is_known_without_its_making_and_counts_once_with_it() -> None:
    lost = [event("support.promise.broken", d, promise_id=f"p{d}") for d in (5, 6)]
    assert strength("promise.broken", lost, 7) == 0.5
    assert strength("promise.broken", [*lost, promised("p5", 3), promised("p6", 3)], 7) == 0.5
    assert strength("promise.broken", lost, 97) == 0.0


def test_the_gap_is_that_of_the_newest_invoice_and_unknown_where_nothing_was_quoted() -> None:
    bills = [invoice(1, 60.0, quoted_amount=50.0), invoice(31, 50.5, quoted_amount=50.0)]
    assert strength("promise.price_gap", bills, 32) == 0.0
    assert strength("promise.price_gap", bills[::-1], 32) == 0.0
    assert strength("promise.price_gap", [*bills, invoice(61)], 62) is None


def test_an_order_misses_its_date_when_the_date_passes_and_once_only() -> None:
    delayed = [
        event("fulfilment.order.delayed", 1, order_id=name, promised_at=at(due), informed=False, id=name)
        for name, due in (("r1", 5), ("r2", 6))
    ]
    assert strength("promise.missed_date", delayed, 4) == 0.0
    assert strength("promise.missed_date", delayed, 5.5) == 0.0
    assert strength("promise.missed_date", delayed, 7) == 0.5
    late = event("fulfilment.order.fulfilled", 8, order_id="r1", promised_at=at(5), fulfilled_at=at(8))
    for history in ([*delayed, late], [late, *delayed]):
        assert strength("promise.missed_date", history, 9) == 0.5
    assert strength("promise.missed_date", [*delayed, late], 67) == 0.0
    punctual = event("fulfilment.order.fulfilled", 4, order_id="r1", fulfilled_at=at(4))
    assert strength("promise.missed_date", [*delayed, punctual], 7) == 0.0


def test_an_order_without_a_promised_date_says_nothing_of_dates() -> None:
    undated = [event("fulfilment.order.fulfilled", 4, order_id="r1", fulfilled_at=at(4))]
    assert strength("promise.missed_date", undated, 5) is None


def test_a_dispute_counts_while_open_and_half_a_year_where_it_was_lost() -> None:
    lost = [
        event("billing.dispute.resolved", d, dispute_id=f"d{d}", for_customer=False, id=f"lost {d}") for d in (10, 11)
    ]
    assert strength("fairness.dispute", lost, 12) == 0.5
    assert text("fairness.dispute", lost, 12) == "2 disputes lost by the customer in 180 days."
    assert strength("fairness.dispute", lost, 190) == 0.0
    late = [event("billing.dispute.opened", d - 5, dispute_id=f"d{d}", id=f"opened {d}") for d in (10, 11)]
    assert strength("fairness.dispute", [*lost, *late], 12) == 0.5
    assert strength("fairness.dispute", late, 400) == 0.5


def test_no_list_of_fees_is_not_the_same_as_no_fees() -> None:
    assert strength("fairness.hidden_fee", [invoice(1)], 2) is None
    assert strength("fairness.hidden_fee", [invoice(1, fees=[])], 2) == 0.0
    hidden = [invoice(1, fees=[{"code": "x", "amount": 5.5, "disclosed": False}])]
    assert strength("fairness.hidden_fee", hidden, 90.9) == pytest.approx(0.5)
    assert strength("fairness.hidden_fee", hidden, 91) == 0.0


def test_a_change_has_had_its_notice_once_it_is_in_force() -> None:
    announced = [rise(10, 13)]
    assert strength("price.no_notice", announced, 12.9) == 0.0
    assert strength("price.no_notice", announced, 13) == pytest.approx(0.9)
    assert strength("price.no_notice", announced, 133) == 0.0
    assert read_header(fold([*announced, tick(11)])[0].states[b"c-1"])[1] <= START_S + 13 * DAY_S
    assert strength("price.no_notice", [rise(10, 50)], 51) == 0.0
    assert strength("price.no_notice", [rise(10, 10, new=40.0)], 11) == 0.0
    afterwards = [event("billing.terms.changed", 10, notified_at=at(14))]
    assert text("price.no_notice", afterwards, 15) == "New terms came into force on 2026-01-11 with no notice."


def test_three_reports_of_one_period_are_one_period() -> None:
    daily = [event("usage.quota.reported", d, used=d, included=1000.0) for d in (60, 61, 62)]
    assert strength("price.plan_mismatch", daily, 63) == 0.0
    weekly = [event("usage.quota.reported", d, used=d, included=1000.0) for d in (48, 55, 62)]
    assert strength("price.plan_mismatch", weekly, 63) == 1.0


def test_an_overage_is_past_when_three_invoices_came_without_one() -> None:
    over = [invoice(d, overage_amount=5.0) for d in (1, 31)]
    assert strength("price.plan_mismatch", over, 32) == 0.5
    plain = [invoice(d) for d in (61, 91, 121)]
    assert strength("price.plan_mismatch", [*over, *plain], 122) == 0.0
    assert strength("price.plan_mismatch", plain, 122) is None


def test_the_own_price_is_the_one_in_force_and_the_others_the_newest_of_each() -> None:
    history = [
        event("billing.subscription.started", 0, plan="pro", mrr=50.0),
        rise(1, 20, 50.0, 65.0, notified_at=at(1)),
        event("engagement.market_price.seen", 2, competitor="Northwind", mrr=50.0),
        event("engagement.market_price.seen", 3, competitor="Fjord", mrr=90.0),
    ]
    assert strength("price.above_market", history, 19) == 0.0
    assert strength("price.above_market", history, 21) == 1.0
    assert (
        text("price.above_market", history, 21) == "Pays 65.00 a month, 30% more than the 50.00 that “Northwind” asks."
    )
    assert strength("price.above_market", history, 92) == 0.0  # Fjord's is left
    assert strength("price.above_market", history, 93) is None
    assert strength("price.above_market", history[2:], 21) is None
    free = event("engagement.market_price.seen", 4, competitor="Gratis", mrr=0.0)
    assert strength("price.above_market", [*history, free], 21) == 1.0


def test_a_discount_matters_in_the_thirty_days_before_it_ends() -> None:
    ending = [event("billing.discount.ending", 1, ends_at=at(50), old_mrr=0.0, new_mrr=50.0)]
    assert strength("price.discount_ending", ending, 19.9) == 0.0
    assert strength("price.discount_ending", ending, 20) == 1.0
    assert strength("price.discount_ending", ending, 50) == 0.0
    assert text("price.discount_ending", ending, 49) == (
        "A discount ends in 24 hours: the price then rises from 0.00 to 50.00 a month."
    )
    dearer = [event("billing.discount.ending", 1, ends_at=at(50), old_mrr=60.0, new_mrr=50.0)]
    assert strength("price.discount_ending", dearer, 40) == 0.0
