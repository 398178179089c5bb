"""C. Price and terms: what raises each signal, and what does not."""

from __future__ import annotations

from tests.detectors.lives import at, event
from tests.detectors.raised.shape import Raised

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
