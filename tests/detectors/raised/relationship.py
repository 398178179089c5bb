"""K. Relationship: what raises each signal, and what does not."""

from __future__ import annotations

from tests.detectors.lives import event
from tests.detectors.raised.shape import Raised

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
}
