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
        "Viewed the cancel page 2 times, turned auto-renewal off within 30 days.",
        [event("usage.cancel_page.viewed", 1)],
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
