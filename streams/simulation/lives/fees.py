"""Money that nobody had spoken of: hidden fees, more billed than quoted, and disputes that are lost."""

from __future__ import annotations

from schemas.billing import DisputeOpened, DisputeResolved, Fee, InvoiceIssued, RefundIssued
from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S
from streams.simulation.lives.story import Cause, Diary, Habits, Story, decision_s, draw_fate, troubled
from streams.simulation.people import Person

HIDDEN = Cause("price", ("fairness.hidden_fee", "fairness.dispute", "promise.price_gap"))


def hidden_fees(person: Person, dice: Dice) -> Story:
    """Fees on one bill after the other; most dispute them, and those who leave mostly lose."""
    fate = draw_fate(person, dice)
    bills = 2 if person.plan.billing_days > 20 else 3
    bills += round(1.0 * fate.severity)
    until_s = fate.onset_s + bills * person.plan.billing_days * DAY_S

    def bill(time_s: float, invoice: InvoiceIssued, dice: Dice) -> InvoiceIssued:
        if not fate.onset_s <= time_s < until_s:
            return invoice
        fee = round(invoice.amount * dice.between(0.03, 0.05 + 0.25 * fate.severity), 2)
        code = dice.pick(("service", "paper_bill", "handling"))
        return InvoiceIssued(
            invoice_id=invoice.invoice_id,
            amount=round(invoice.amount + fee, 2),
            currency="EUR",
            quoted_amount=invoice.quoted_amount,
            fees=(Fee(code=code, amount=fee, disclosed=dice.chance(0.1)),),
        )

    diary = Diary(person, fate.onset_s, dice)
    for number in range(bills):
        day = diary.by_day((number + 1.0) * person.plan.billing_days + dice.between(1.0, 8.0))
        if dice.chance(0.3 + 0.5 * fate.severity):
            dispute_id = diary.name("D", day)
            diary.note(day, DisputeOpened(dispute_id=dispute_id, amount=round(person.plan.mrr * 0.2, 2)))
            won = dice.chance(0.15 if fate.leaves else 0.7)
            decided = day + dice.between(3.0, 20.0)
            diary.note(decided, DisputeResolved(dispute_id=dispute_id, for_customer=won))
            if won:
                diary.note(decided + 0.1, RefundIssued(amount=round(person.plan.mrr * 0.2, 2), reason="fee"))
    left_s = until_s + decision_s(dice)
    return troubled("hidden_fees", HIDDEN, fate, diary, left_s, Habits(bill=bill), dice.pick(("fees", None)))
