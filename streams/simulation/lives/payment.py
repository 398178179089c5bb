"""Payment trouble: an invoice that fails again and again, until it is paid after all or the subscription is ended."""

from __future__ import annotations

from schemas.billing import InvoiceIssued, InvoicePaid, PaymentFailed
from streams.simulation.billing import invoices, ordinary_prices
from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S, Happening, in_order, since
from streams.simulation.lives.story import Story, cancellation, draw_fate, usual
from streams.simulation.people import Person

RETRY_DAYS = (0.5, 3.0, 6.0, 10.0, 14.0)


def payment(person: Person, dice: Dice) -> Story:
    """A card that has expired: two to five attempts, then paid with a new card, or ended by the business."""
    fate = draw_fate(person, dice, leaving=0.5)
    prices = ordinary_prices(person, dice.branch("prices"))
    issued_s = fate.onset_s
    invoice_id = person.reference("INV", issued_s)
    amount = round(prices.mrr_at(issued_s) * person.plan.billing_days / 30.0, 2)
    attempts = dice.whole(4, 5) if fate.leaves else 1 + round(3.0 * fate.severity)
    told = [
        Happening(issued_s, InvoiceIssued(invoice_id=invoice_id, amount=amount, currency="EUR", quoted_amount=amount))
    ]
    for attempt, days in enumerate(RETRY_DAYS[:attempts], start=1):
        failed = PaymentFailed(invoice_id=invoice_id, attempt=attempt, reason="card_expired")
        told.append(Happening(issued_s + days * DAY_S, failed))
    settled_s = told[-1].time_s + dice.between(0.5, 3.0) * DAY_S
    later = invoices(person, prices, dice.branch("later invoices"))
    if not fate.leaves:
        told.append(Happening(settled_s, InvoicePaid(invoice_id=invoice_id, amount=amount)))
    streams = (
        *usual(person, dice, prices=prices, billed_until_s=issued_s - 4.0 * DAY_S, renews=not fate.leaves),
        in_order(told),
        since(later, settled_s + 12.0 * DAY_S),
    )
    return Story(
        person,
        "payment",
        streams,
        churn_type="involuntary",
        cause_codes=("billing.payment_trouble",),
        onset_s=issued_s,
        churned_at_s=settled_s if fate.leaves else None,
        aftermath=cancellation(person, dice, settled_s, "payment failed", voluntary=False) if fate.leaves else (),
    )
