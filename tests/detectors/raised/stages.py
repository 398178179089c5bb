"""K. Relationship, by the stage of life: what raises each signal, and what does not."""

from __future__ import annotations

from tests.detectors.lives import event
from tests.detectors.raised.shape import Raised, alive, sessions

BOUGHT = event("billing.subscription.started", 0, plan="pro", mrr=100.0)
TRIAL = event("billing.subscription.started", 0, plan="pro", mrr=0.0, trial=True)

RAISED = {
    "onboarding.second_thoughts": Raised(
        [BOUGHT, *sessions(range(1, 2)), event("usage.cancel_page.viewed", 8), alive(8.9)],
        9,
        1.0,
        "9 days after the purchase: hardly began to use it (1 day of use, 0 features), has had no word from us, "
        "looked at the cancel page.",
        [
            BOUGHT,
            event("engagement.contact.made", 1, purpose="check_in"),
            *sessions(range(1, 6)),
            event("usage.cancel_page.viewed", 8),
        ],
    ),
    "lead.stalled": Raised(
        [TRIAL, *sessions(range(1, 2)), alive(10.9)],
        11,
        0.5,
        "11 days into the trial, 3 days left, and not activated: 1 day of use, 0 features.",
        [TRIAL, *sessions(range(1, 4))],
    ),
    "lifecycle.past_optimum": Raised(
        sessions(range(0, 1096, 73)),
        1096,
        0.5,
        "In use for 36 months, 100% of the 36 months that this plan is expected to be of use.",
        sessions(range(0, 800, 50)),
    ),
}
