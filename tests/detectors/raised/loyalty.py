"""E. Loyalty unrecognised: what raises each signal, and what does not."""

from __future__ import annotations

from tests.detectors.lives import event
from tests.detectors.raised.shape import Raised

START = event("billing.subscription.started", 0, plan="pro", mrr=100.0)

RAISED = {
    "loyalty.unrecognised": Raised(
        [START, event("engagement.benefit.granted", 60, kind="credit")],
        440,
        0.5,
        "A customer for 14 months, and the last benefit was 12 months ago.",
        [START, event("engagement.benefit.granted", 300, kind="credit")],
    ),
    "loyalty.newcomer_deal": Raised(
        [START, event("engagement.offer.sent", 200, offer_id="o1", for_newcomers_only=True, mrr=85.0)],
        210,
        0.5,
        "Saw 1 offer for newcomers only in 90 days, after 7 months as a customer; "
        "the cheapest is 85.00 a month, 15% below the 100.00 they pay.",
        [START, event("engagement.offer.sent", 170, offer_id="o1", for_newcomers_only=True, mrr=50.0)],
    ),
}
