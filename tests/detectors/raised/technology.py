"""H. Technology: what raises each signal, and what does not."""

from __future__ import annotations

from tests.detectors.lives import event
from tests.detectors.raised.shape import Raised, sessions

RAISED = {
    "tech.error_burst": Raised(
        [event("app.error.raised", 40 + h / 24, code="E1", fatal=False, count=3) for h in range(10)],
        40.5,
        1.0,
        "30 errors in 24 hours, 10 times the 3 that anybody may have in a day.",
        [event("app.error.raised", d, code="E1", fatal=False, count=4) for d in range(40)],
    ),
    "tech.crashes": Raised(
        [*sessions(range(1, 7)), *[event("app.error.raised", day, code="SEGV", fatal=True) for day in (5.5, 6.5)]],
        6.9,
        1.0,
        "2 crashes in 6 sessions within 7 days (33%).",
        [*sessions(range(1, 7)), event("app.error.raised", 6.5, code="SEGV", fatal=True)],
    ),
    "tech.outage": Raised(
        [
            event("app.outage.started", 5, outage_id="o1", service="sync"),
            event("app.outage.ended", 5 + 90 / 1440, outage_id="o1"),
            event("app.outage.started", 9.5, outage_id="o2", service="login"),
        ],
        9.5 + 60 / 1440,
        0.6,
        "2 hours of outage in 30 days, in 2 outages (login, sync); one is still going on.",
        [
            event("app.outage.started", 5, outage_id="o1", service="sync"),
            event("app.outage.ended", 5 + 9 / 1440, outage_id="o1"),
        ],
    ),
    "tech.unsupported": Raised(
        [
            event("app.error.raised", 3, code="E1", fatal=False),
            event("support.ticket.opened", 4.9, ticket_id="t1", topic="export"),
            event("app.error.raised", 8, code="E1", fatal=False),
            event("support.ticket.opened", 8.1, ticket_id="t2", topic="export"),
            event("support.ticket.resolved", 9, ticket_id="t2", resolution="none"),
            event("support.ticket.opened", 10.5, ticket_id="t3", topic="invoice"),
        ],
        12,
        0.5,
        "2 contacts about “export” within 48 hours of an error, and none of them solved, in 30 days.",
        [
            event("app.error.raised", 3, code="E1", fatal=False),
            event("support.ticket.opened", 3.5, ticket_id="t1", topic="export"),
            event("support.ticket.resolved", 4, ticket_id="t1", resolution="solved"),
            event("support.ticket.opened", 5.5, ticket_id="t2", topic="export"),
        ],
    ),
}
