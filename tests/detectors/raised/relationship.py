"""K. Relationship: what raises each signal, and what does not."""

from __future__ import annotations

from tests.detectors.lives import event
from tests.detectors.raised.shape import Raised

SILENCE = [event("billing.invoice.issued", 5 + 30 * i, invoice_id=f"i{i}", amount=9.0) for i in range(12)]

RAISED = {
    "relationship.billed_in_silence": Raised(
        [
            event("engagement.benefit.granted", 1, kind="month_free"),
            *[event("billing.invoice.issued", 5 + 30 * i, invoice_id=f"i{i}", amount=9.0) for i in range(12)],
        ],
        340,
        0.5,
        "12 invoices since the last contact that gave something, on 2026-01-02.",
        [
            *[event("billing.invoice.issued", 5 + 30 * i, invoice_id=f"i{i}", amount=9.0) for i in range(12)],
            event("engagement.contact.made", 300, purpose="check_in"),
        ],
    ),
    "relationship.moment_of_truth_failed": Raised(
        [
            *SILENCE,
            event("support.ticket.opened", 330, ticket_id="t1"),
            event("support.promise.broken", 334, promise_id="p1"),
        ],
        340,
        0.4,
        "After 11 invoices without a contact that gave something came a ticket not solved in its time, on 2026-11-29: "
        "the first time they needed us, we failed them.",
        [
            *SILENCE,
            event("support.ticket.opened", 330, ticket_id="t1"),
            event("support.ticket.resolved", 331, ticket_id="t1", resolution="solved"),
        ],
    ),
    "relationship.giving_balance": Raised(
        [
            event("engagement.contact.made", 1, purpose="check_in"),
            event("engagement.contact.made", 2, purpose="invitation"),
            *[event("support.promise.broken", d, promise_id=f"p{d}") for d in (20, 40)],
        ],
        60,
        1.0,
        "In 180 days: 2 broken promises, against 1 moment in which we gave something.",
        [
            *[event("engagement.contact.made", d, purpose="check_in") for d in (1, 30)],
            event("support.promise.broken", 20, promise_id="p1"),
        ],
    ),
}
