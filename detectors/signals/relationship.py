"""K. Relationship: giving and asking."""

from datetime import UTC, datetime

from detectors import kinds
from detectors.counts import since
from detectors.customer import DAY_S, Customer
from detectors.signals.base import Because, Moment, newest, signal, times
from schemas.billing import InvoiceIssued
from schemas.engagement import BenefitGranted, ContactMade
from schemas.retention import CustomerContacted


@signal(
    "relationship.billed_in_silence",
    number=44,
    depends=(InvoiceIssued, ContactMade, BenefitGranted, CustomerContacted),
)
def billed_in_silence(c: Customer, at: Moment) -> float | None:
    """Invoices since the last contact that gave something."""
    invoices = c.days.get(kinds.INVOICES)
    if not invoices:
        return None
    return float(since(invoices, c.given_s // DAY_S + 1)[0])


@billed_in_silence.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    since = (
        f"since the last contact that gave something, on {datetime.fromtimestamp(c.given_s, UTC):%Y-%m-%d}"
        if c.given_s
        else "and never a contact that gave something"
    )
    bills = [p for p in c.points.get(kinds.BILL, ()) if p.time_s > c.given_s]
    return Because(f"{times(value, 'invoice')} {since}.", newest(bills))
