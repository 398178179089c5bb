"""H. Technology: what raises each signal, and what does not."""

from __future__ import annotations

from tests.detectors.lives import event
from tests.detectors.raised.shape import Raised, sessions

RAISED = {
    "tech.error_burst": Raised(
        [event("app.error.raised", 40 + h / 24, code="E1", fatal=False, count=3) for h in range(10)],
        40.5,
        1.0,
        "30 errors in 24 hours, 10.0 times the usual 3 a day.",
        [event("app.error.raised", d, code="E1", fatal=False, count=4) for d in range(40)],
    ),
    "tech.crashes": Raised(
        [*sessions(range(1, 7)), event("app.error.raised", 6.5, code="SEGV", fatal=True)],
        6.9,
        1.0,
        "1 crash in 6 sessions within 7 days (17%).",
        [*sessions(range(1, 7)), event("app.error.raised", 6.5, code="E1", fatal=False)],
    ),
}
