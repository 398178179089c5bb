"""I. The exit: what raises each signal, and what does not."""

from __future__ import annotations

from tests.detectors.lives import at, event
from tests.detectors.raised.shape import Raised

RAISED = {
    "exit.intent": Raised(
        [
            event("usage.cancel_page.viewed", 1),
            event("usage.cancel_page.viewed", 2),
            event("billing.auto_renew.disabled", 3),
        ],
        4,
        1.0,
        "Viewed the cancel page twice and turned auto-renewal off within 30 days.",
        [event("usage.cancel_page.viewed", 1)],
    ),
    "exit.competitor": Raised(
        [
            event("support.interaction.assessed", 1, interaction_id="i1", competitor="Northwind"),
            event("engagement.market_price.seen", 3, competitor="Northwind", mrr=7.0),
            event("engagement.market_price.seen", 4, competitor="Northwind", mrr=7.0),
        ],
        10,
        1.0,
        "A competitor (Northwind) came up: named once and its price was seen twice in 60 days.",
        [event("engagement.market_price.seen", d, competitor="Northwind", mrr=7.0) for d in range(1, 9)],
    ),
    "exit.downgrade": Raised(
        [
            event("billing.subscription.started", 0, plan="max", mrr=100.0),
            event("billing.plan.changed", 40, old_plan="max", new_plan="pro", old_mrr=100.0, new_mrr=80.0),
            event("billing.plan.changed", 60, old_plan="pro", new_plan="lite", old_mrr=80.0, new_mrr=60.0),
        ],
        70,
        0.59,
        "Downgraded twice in 90 days (left: max, then pro), which took 40% off the monthly price.",
        [
            event("billing.subscription.started", 0, plan="pro", mrr=100.0),
            event("billing.plan.changed", 40, old_plan="pro", new_plan="max", old_mrr=100.0, new_mrr=180.0),
        ],
    ),
    "exit.contract_window": Raised(
        [event("billing.subscription.started", 0, plan="pro", mrr=9.0, contract_ends_at=at(100))],
        80,
        0.7,
        "The contract ends in 20 days and is not renewed yet.",
        [
            event("billing.subscription.started", 0, plan="pro", mrr=9.0, contract_ends_at=at(100)),
            event("billing.subscription.renewed", 70, plan="pro", mrr=9.0, contract_ends_at=at(465)),
        ],
    ),
}
