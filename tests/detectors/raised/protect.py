"""L. What protects: what raises each signal, and what does not."""

from __future__ import annotations

from tests.detectors.lives import event
from tests.detectors.raised.shape import Raised

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
}
