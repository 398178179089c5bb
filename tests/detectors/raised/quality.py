"""G. Quality against its own past: what raises the signal, and what does not."""

from __future__ import annotations

from tests.detectors.lives import event
from tests.detectors.raised.shape import Raised

RAISED = {
    "quality.decline": Raised(
        [
            *[event("app.error.raised", d, code="E1", fatal=False) for d in range(0, 84, 7)],
            *[event("app.error.raised", d, code="E1", fatal=False) for d in range(90, 108, 2)],
            event("support.ticket.opened", 109, ticket_id="t1", topic="export"),
        ],
        111,
        0.4,
        "10 faults and complaints in 28 days, where 4 were usual.",
        [event("app.error.raised", d, code="E1", fatal=False) for d in range(0, 111, 3)],
    ),
}
