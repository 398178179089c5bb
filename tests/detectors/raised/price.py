"""C. Price and terms: what raises each signal, and what does not."""

from __future__ import annotations

from tests.detectors.lives import at, event
from tests.detectors.raised.shape import History, Raised


def changed(day: float, old: float, new: float, effective_day: float) -> bytes:
    return event("billing.price.changed", day, old_mrr=old, new_mrr=new, effective_at=at(effective_day))


def used(*reports: tuple[float, float]) -> History:
    return [event("usage.quota.reported", day, used=n, included=1000.0) for day, n in reports]


RAISED = {
    "price.increase": Raised(
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
    "price.frequent_changes": Raised(
        [
            changed(1, 100.0, 90.0, 20),
            changed(100, 90.0, 95.0, 140),
            event("billing.terms.changed", 120, notified_at=at(80)),
            changed(190, 95.0, 99.0, 230),
        ],
        200,
        1.0,
        "4 changes within 365 days: 3 of the price and 1 of the terms; the newest comes into force on 2026-08-19.",
        [changed(1, 100.0, 90.0, 20), event("billing.terms.changed", 120, notified_at=at(80))],
    ),
    "price.no_notice": Raised(
        [
            event("billing.terms.changed", 10, notified_at=at(-10)),
            changed(12, 100.0, 110.0, 15),
            changed(20, 110.0, 120.0, 90),
            changed(21, 120.0, 50.0, 21),
        ],
        60,
        0.8,
        "A higher price came into force on 2026-01-16 with 3 days of notice.",
        [
            event("billing.terms.changed", 40, notified_at=at(10)),
            changed(50, 100.0, 50.0, 50),
            changed(59, 50.0, 70.0, 61),
        ],
    ),
    "price.plan_mismatch": Raised(
        [
            *used((1, 500), (31, 290), (61, 180)),
            event("billing.invoice.issued", 2, invoice_id="i1", amount=50.0, overage_amount=12.5),
            event("billing.invoice.issued", 32, invoice_id="i2", amount=50.0),
        ],
        62,
        1.0,
        "The plan does not fit: under 30% of the quota used in 2 of the last 3 periods (18% in the newest of them), "
        "12.50 charged for overage on 1 of the last 3 invoices.",
        used((1, 100), (31, 300), (61, 900), (91, 50)),
    ),
    "price.above_market": Raised(
        [
            event("billing.subscription.started", 0, plan="pro", mrr=50.0),
            event("engagement.market_price.seen", 1, competitor="Northwind", mrr=20.0),
            event("engagement.market_price.seen", 5, competitor="Northwind", mrr=45.0),
            event("engagement.offer.sent", 6, offer_id="f1", for_newcomers_only=True, mrr=40.0),
            event("engagement.offer.sent", 7, offer_id="f2", mrr=10.0),
        ],
        8,
        0.7,
        "Pays 50.00 a month, 25% more than the 40.00 that newcomers are offered.",
        [
            event("billing.subscription.started", 0, plan="pro", mrr=50.0),
            event("engagement.market_price.seen", 1, competitor="Northwind", mrr=48.0),
            event("engagement.offer.sent", 6, offer_id="f1", for_newcomers_only=True, mrr=60.0),
        ],
    ),
    "price.discount_ending": Raised(
        [
            event("billing.discount.ending", 1, ends_at=at(22), old_mrr=40.0, new_mrr=50.0),
            event("billing.discount.ending", 2, ends_at=at(60), old_mrr=10.0, new_mrr=50.0),
        ],
        10,
        0.5,
        "A discount ends in 12 days: the price then rises by 25% from 40.00 to 50.00 a month.",
        [
            event("billing.discount.ending", 1, ends_at=at(9), old_mrr=40.0, new_mrr=50.0),
            event("billing.discount.ending", 2, ends_at=at(60), old_mrr=10.0, new_mrr=50.0),
        ],
    ),
    "billing.payment_trouble": Raised(
        [event("billing.payment.failed", d, invoice_id="i1", attempt=d) for d in (1, 2, 3)],
        4,
        1.0,
        "3 payments failed in 45 days on 1 invoice that is still unpaid.",
        [
            event("billing.payment.failed", 1, invoice_id="i1", attempt=1),
            event("billing.invoice.paid", 2, invoice_id="i1", amount=9.0),
        ],
    ),
}
