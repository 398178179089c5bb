"""F. Value and innovation: what raises each signal, and what does not."""

from __future__ import annotations

from tests.detectors.lives import event
from tests.detectors.raised.shape import Raised, sessions

RAISED = {
    "value.usage_drop": Raised(
        sessions(range(28), per_day=2) + sessions(range(30, 31)),
        34.5,
        0.9,
        "Activity fell by 78%: 3 in the last 7 days, where 14 was usual.",
        sessions(range(35)),
    ),
    "value.silence": Raised(
        [*sessions(range(0, 22, 7)), event("usage.session.started", 49, customer="c-2")],
        49,
        0.4,
        "Nothing heard for 28 days, 3.9 times the usual gap of 7 days.",
        sessions(range(0, 50, 7)),
    ),
}
