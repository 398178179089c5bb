"""Payment trouble: an invoice that fails again and again, until it is paid after all or the subscription is ended."""

from __future__ import annotations

from schemas.billing import InvoiceIssued, InvoicePaid, PaymentFailed
from streams.simulation.billing import invoices, ordinary_prices
from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S, since
from streams.simulation.lives.story import Cause, Diary, Habits, Story, cancellation, draw_fate, usual
from streams.simulation.people import Person

RETRY_DAYS = (0.5, 3.0, 7.0, 12.0, 19.0, 27.0)
CAUSE = Cause("involuntary", ("billing.payment_trouble",))


def payment(person: Person, dice: Dice) -> Story:
    """A card that has expired, tried again for two to four weeks: paid with a new one, or ended by the business."""
    fate = draw_fate(person, dice)
    prices = ordinary_prices(person, dice.branch("prices"))
    diary = Diary(person, fate.onset_s, dice)
    invoice_id = diary.name("INV", 0.0)
    amount = round(prices.mrr_at(fate.onset_s) * person.plan.billing_days / 30.0, 2)
    attempts = dice.whole(4, 6) if fate.leaves else 1 + round(4.0 * fate.severity)
    diary.note(0.0, InvoiceIssued(invoice_id=invoice_id, amount=amount, currency="EUR", quoted_amount=amount))
    for attempt, day in enumerate(RETRY_DAYS[:attempts], start=1):
        diary.note(day, PaymentFailed(invoice_id=invoice_id, attempt=attempt, reason="card_expired"))
    settled_day = RETRY_DAYS[attempts - 1] + dice.between(0.5, 4.0)
    settled_s = fate.onset_s + settled_day * DAY_S
    later = invoices(person, prices, dice.branch("later invoices"))
    if not fate.leaves:
        diary.note(settled_day, InvoicePaid(invoice_id=invoice_id, amount=amount))
    habits = Habits(prices=prices, billed_until_s=fate.onset_s - 4.0 * DAY_S, renews=not fate.leaves)
    streams = (*usual(person, dice, habits), diary.stream(), since(later, settled_s + 12.0 * DAY_S))
    if not fate.leaves:
        return Story(person, "payment", streams, CAUSE, fate.onset_s)
    ended = cancellation(person, dice, settled_s, "payment failed", voluntary=False)
    return Story(person, "payment", streams, CAUSE, fate.onset_s, settled_s, ended)
