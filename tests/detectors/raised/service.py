"""A. Service: what raises each signal, and what does not."""

from __future__ import annotations

from tests.detectors.lives import event
from tests.detectors.raised.shape import History, Raised


def sent_away() -> History:
    return [
        event("support.ticket.opened", 1, ticket_id="t1", topic="export"),
        event("support.ticket.resolved", 2, ticket_id="t1", resolution="none"),
        event("support.ticket.opened", 5, ticket_id="t2", topic="login"),
        event("support.ticket.opened", 7, ticket_id="t3", topic="speed"),
    ]


def handed_on() -> History:
    return [
        event("support.ticket.opened", 1, ticket_id="t1", topic="export"),
        *[event("support.ticket.transferred", 1 + i / 10, ticket_id="t1") for i in range(1, 6)],
        event("support.ticket.transferred", 1.9, ticket_id="t2"),
    ]


RAISED = {
    "service.slow_answer": Raised(
        [
            event("support.call.answered", 1, call_id="a", wait_s=900.0),
            event("support.call.answered", 2, call_id="b", wait_s=20.0),
            event("support.call.answered", 3, call_id="c", wait_s=520.0),
            event("support.call.abandoned", 3.5, call_id="d", wait_s=3000.0),
        ],
        4,
        0.7,
        "Waited 8 minutes on average before 3 calls in 30 days were answered.",
        [event("support.call.answered", d, call_id=f"k{d}", wait_s=100.0 + 40 * (d % 2)) for d in range(4)],
    ),
    "service.slow_resolution": Raised(
        [
            event("support.ticket.opened", 1, ticket_id="t1", topic="export", sla_hours=24),
            event("support.ticket.opened", 2, ticket_id="t2"),
            event("support.ticket.resolved", 3, ticket_id="t2", resolution="solved"),
        ],
        3.6,
        0.7,
        "A ticket about “export” has been open for 3 days, 2.6 times its SLA of 24 hours.",
        [
            event("support.ticket.opened", 1, ticket_id="t1", sla_hours=72),
            event("support.ticket.opened", 2, ticket_id="t2"),
            event("support.ticket.resolved", 3, ticket_id="t2", resolution="solved"),
        ],
    ),
    "service.handoffs": Raised(
        handed_on(),
        3,
        1.0,
        "Was handed on 5 times with a ticket about “export”, which is still open.",
        [
            *[event("support.ticket.opened", 1, ticket_id=f"t{i}", id=f"o{i}") for i in range(5)],
            *[event("support.ticket.transferred", 2, ticket_id=f"t{i}", id=f"m{i}") for i in range(5)],
        ],
    ),
    "service.call_abandoned": Raised(
        [event("support.call.abandoned", d, call_id=f"a{d}", wait_s=200.0) for d in (1, 2)]
        + [event("support.call.answered", 3, call_id="b", wait_s=10.0)],
        4,
        0.9,
        "Gave up 2 of 3 calls in 30 days, after waiting 3 minutes on average.",
        [event("support.call.abandoned", d, call_id=f"a{d}", wait_s=10.0) for d in (1, 2)]
        + [event("support.call.answered", d, call_id=f"b{d}", wait_s=10.0) for d in (3, 4)],
    ),
    "service.unresolved": Raised(
        sent_away(),
        8,
        0.6,
        "2 tickets open, the oldest for 3 days, 1 closed without a solution in 60 days.",
        [
            event("support.ticket.opened", 1, ticket_id="t1"),
            event("support.ticket.resolved", 2, ticket_id="t1", resolution="solved"),
        ],
    ),
    "service.repeat_contact": Raised(
        [event("support.call.answered", d, call_id=f"k{d}", wait_s=5.0, topic="invoice") for d in range(1, 5)],
        5,
        1.0,
        "Had to get in touch 4 times about “invoice” in 14 days.",
        [event("support.call.answered", d, call_id=f"k{d}", wait_s=5.0, topic="invoice") for d in (-50, -30, 2, 4)],
    ),
    "service.bad_rating": Raised(
        [
            event("support.ticket.rated", 1, ticket_id="t1", csat=4),
            event("support.ticket.rated", 3, ticket_id="t2", csat=1),
        ],
        4,
        0.5,
        "1 of 2 ratings in 60 days was bad: 1 on a scale of 1 to 5.",
        [event("engagement.survey.answered", 1, kind="nps", score=9)],
    ),
}
