"""L. What protects: what raises each signal, and what does not."""

from __future__ import annotations

from tests.detectors.lives import event
from tests.detectors.raised.shape import Raised, alive, sessions

RAISED = {
    "protect.recovered": Raised(
        [
            event("support.ticket.opened", 1, ticket_id="t1", topic="export"),
            event("support.ticket.reopened", 2, ticket_id="t1"),
            event("support.ticket.resolved", 3, ticket_id="t1", resolution="solved"),
            event("support.ticket.rated", 4, ticket_id="t1", csat=5),
        ],
        5,
        1.0,
        "Was dissatisfied, then a ticket was solved and rated 5 of 5.",
        [
            event("support.ticket.opened", 1, ticket_id="t1"),
            event("support.ticket.resolved", 1.5, ticket_id="t1", resolution="solved"),
            event("support.ticket.rated", 4, ticket_id="t1", csat=5),
        ],
    ),
    "protect.advocate": Raised(
        [
            event("engagement.referral.made", 1),
            event("engagement.survey.answered", 5, kind="nps", score=10),
        ],
        10,
        0.5,
        "Recommended us once and rated us 9 or 10 of 10 once in 180 days.",
        [event("engagement.survey.answered", 5, kind="nps", score=8), event("engagement.referral.made", 1)],
    ),
    "protect.engaged": Raised(
        sessions(range(0, 28, 4)) + sessions(range(30, 56, 3)),
        55.9,
        0.5,
        "Used it on 9 days of the last 28, where 7 were usual.",
        [*sessions(range(0, 56, 4)), alive(55.8)],
    ),
}
