"""A. Service, how the customer is treated: what raises each signal, and what does not."""

from __future__ import annotations

from tests.detectors.lives import event
from tests.detectors.raised.shape import History, Raised


def assessed(*tones: float) -> History:
    return [
        event("support.interaction.assessed", day, interaction_id=f"a{day}", agent_tone=tone)
        for day, tone in enumerate(tones, 1)
    ]


def refused(*alternatives: bool) -> History:
    return [
        event("support.request.refused", day, request=f"credit {day}", alternative_offered=offered)
        for day, offered in enumerate(alternatives, 1)
    ]


RAISED = {
    "service.rude_treatment": Raised(
        assessed(-0.4, 0.8, -0.3, -0.9, -0.5),
        6,
        1.0,
        "Was treated rudely in 3 conversations within 60 days; the agent's tone was -0.9 at worst, "
        "where -1 is the rudest.",
        assessed(-0.3, -0.2, 0.5, -0.9),
    ),
    "service.refused_request": Raised(
        refused(False, False, True),
        4,
        0.5,
        "2 requests were refused within 90 days with no alternative offered, the newest for “credit 2”.",
        refused(True, True, True, False),
    ),
    "service.left_in_the_dark": Raised(
        [
            event("support.ticket.opened", 1, ticket_id="t1", topic="export"),
            event("support.ticket.updated", 2, ticket_id="t1", by="agent"),
            event("support.ticket.updated", 3.9, ticket_id="t1", by="customer"),
            event("app.outage.started", 2.5, outage_id="o1", service="api"),
        ],
        4.5,
        0.7,
        "No word from the business for 2 days on an open ticket (“export”), nor on 1 other matter.",
        [
            event("support.ticket.opened", 1, ticket_id="t1"),
            event("app.outage.started", 1, outage_id="o1", service="api"),
            event("engagement.contact.made", 4, purpose="incident_notice"),
        ],
    ),
}
