"""C. Price and terms."""

from detectors import kinds
from detectors.customer import DAY_S, Case, Customer, Point
from detectors.signals.base import Because, Moment, newest, signal, times
from schemas.billing import (
    InvoicePaid,
    PaymentFailed,
    PlanChanged,
    PriceChanged,
    SubscriptionRenewed,
    SubscriptionStarted,
)


def price_trail(c: Customer, now_s: int) -> list[Point]:
    """Prices in force up to now of the plan in force now, oldest first.

    A point without a plan belongs to the plan in force at its time.
    """
    trail: list[Point] = []
    plan = ""
    for p in c.points.get(kinds.MRR, ()):
        if p.time_s > now_s:
            break
        if p.label and p.label != plan:
            if plan:
                trail = []
            plan = p.label
        trail.append(p)
    return trail


def base_and_price(c: Customer, at: Moment) -> tuple[Point, Point] | None:
    """The price in force when the window began (or the plan's first), and the price in force now."""
    trail = price_trail(c, at.now_s)
    if not trail:
        return None
    start_s = (at.day - at.row.window_d + 1) * DAY_S
    base = trail[0]
    for p in trail:
        if p.time_s < start_s:
            base = p
        else:
            at.until((p.time_s // DAY_S + at.row.window_d) * DAY_S)
            break
    return base, trail[-1]


@signal("price.increase", number=16, depends=(SubscriptionStarted, SubscriptionRenewed, PlanChanged, PriceChanged))
def increase(c: Customer, at: Moment) -> float | None:
    """Cumulative increase for the same plan within the window, as a share."""
    for p in c.points.get(kinds.MRR, ()):
        if p.time_s > at.now_s:
            at.until(p.time_s)  # announced, not in force yet
            break
    found = base_and_price(c, at)
    if found is None or not found[0].value:
        return None
    base, price = found
    return max(0.0, price.value / base.value - 1)


@increase.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    found = base_and_price(c, at)
    assert found is not None
    base, price = found
    rises = [p for p in price_trail(c, at.now_s) if p.time_s > base.time_s and p.value > base.value]
    return Because(
        f"The price of the same plan rose by {value:.0%} within {at.row.window_d} days, "
        f"from {base.value / 100:.2f} to {price.value / 100:.2f} a month.",
        newest(rises),
    )


def unpaid(c: Customer, at: Moment) -> list[Case]:
    """Invoices whose payment failed within the window and was not made since."""
    found = []
    for invoice in c.cases.get(kinds.INVOICE, {}).values():
        if invoice.is_open and invoice.reopened_s // DAY_S > at.day - at.row.window_d:
            found.append(invoice)
            at.until((invoice.reopened_s // DAY_S + at.row.window_d) * DAY_S)
    return found


@signal("billing.payment_trouble", number=22, depends=(PaymentFailed, InvoicePaid))
def payment_trouble(c: Customer, at: Moment) -> float | None:
    """Failed payments not since paid, of invoices that failed within the window."""
    if kinds.INVOICE not in c.cases and kinds.CLOSED not in c.points:
        return None
    return float(sum(invoice.count for invoice in unpaid(c, at)))


@payment_trouble.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    invoices = sorted(unpaid(c, at), key=lambda i: (i.opened_s, i.event_id))
    return Because(
        f"{times(value, 'payment')} failed in {at.row.window_d} days on {times(len(invoices), 'invoice')} that "
        f"{'is' if len(invoices) == 1 else 'are'} still unpaid.",
        [i.event_id for i in invoices[-5:]],
    )
