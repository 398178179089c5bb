"""C. Price and terms."""

from datetime import UTC, datetime

from detectors import kinds
from detectors.customer import DAY_S, Case, Customer, Point
from detectors.signals.base import Because, Moment, newest, signal, span, times
from schemas.billing import (
    DiscountEnding,
    InvoiceIssued,
    InvoicePaid,
    PaymentFailed,
    PlanChanged,
    PriceChanged,
    SubscriptionRenewed,
    SubscriptionStarted,
    TermsChanged,
)
from schemas.engagement import MarketPriceSeen, OfferSent
from schemas.usage import QuotaReported

CENTS = 100
MONTH_S = 30.4375 * DAY_S
PERIODS = 3  # as many of the newest as are remembered


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


def own_price(c: Customer, at: Moment) -> int | None:
    """The price in force now in cents a month; None where it is not known."""
    for p in c.points.get(kinds.MRR, ()):
        if p.time_s > at.now_s:
            at.until(p.time_s)  # announced, not in force yet
            break
    trail = price_trail(c, at.now_s)
    return trail[-1].value if trail else None


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


def day_of(time_s: int) -> str:
    """The UTC date of a time, as people write it."""
    return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%d}"


@signal("price.frequent_changes", number=17, depends=(PriceChanged, TermsChanged))
def frequent_changes(c: Customer, at: Moment) -> float | None:
    """Price or terms changes within the window; one that was announced counts, the customer knows of it."""
    if kinds.TERMS not in c.points:
        return None
    return float(len(at.in_points(c.points[kinds.TERMS], at.row.window_d)))


@frequent_changes.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    changes = at.in_points(c.points.get(kinds.TERMS), at.row.window_d)
    prices = sum(p.value != kinds.NEW_TERMS for p in changes)
    said = [f"{prices} of the price"] if prices else []
    if prices < len(changes):
        said.append(f"{len(changes) - prices} of the terms")
    to_come = f"; the newest comes into force on {day_of(changes[-1].time_s)}" if changes[-1].time_s > at.now_s else ""
    return Because(
        f"{times(len(changes), 'change')} within {at.row.window_d} days: {' and '.join(said)}{to_come}.",
        newest(changes),
    )


def shortest_notice(c: Customer, at: Moment) -> tuple[int, Point] | None:
    """The change that came into force within the window with the fewest days of notice, the newest of equals.

    A price that went down needs none.
    """
    found = None
    for p in at.in_points(c.points.get(kinds.TERMS), at.row.window_d):
        if p.time_s > at.now_s:
            at.until(p.time_s)
            break
        if p.value != kinds.PRICE_DOWN and (found is None or int(p.label) <= found[0]):
            found = int(p.label), p
    return found


@signal("price.no_notice", number=18, depends=(PriceChanged, TermsChanged))
def no_notice(c: Customer, at: Moment) -> float | None:
    """Whole days of notice of the change that had the fewest, of those that came into force within the window.

    Where nobody says when the customer was notified, it was when the change was told of.
    """
    if kinds.TERMS not in c.points:
        return None
    found = shortest_notice(c, at)
    return float(found[0]) if found else at.row.from_


@no_notice.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    found = shortest_notice(c, at)
    assert found is not None
    notice_d, change = found
    what = "New terms" if change.value == kinds.NEW_TERMS else "A higher price"
    notice = f"{times(notice_d, 'day')} of notice" if notice_d else "no notice"
    return Because(f"{what} came into force on {day_of(change.time_s)} with {notice}.", [change.event_id])


def misfits(c: Customer, at: Moment) -> tuple[list[Point], list[Point]]:
    """Of the newest periods: invoices with an overage, and quota reports that were hardly used."""
    invoices = {(p.time_s, p.event_id) for p in c.points.get(kinds.BILL, ())}
    over = [p for p in c.points.get(kinds.OVERAGE, ()) if (p.time_s, p.event_id) in invoices]
    under = []
    period_s = 0
    for p in reversed(c.points.get(kinds.QUOTA, ())):
        if period_s and period_s - p.time_s < at.policy.price.period_least_d * DAY_S:
            continue  # an earlier word of the same period
        period_s = p.time_s
        if p.value < at.policy.price.quota_least * 1000:
            under.append(p)
    return over, under[::-1]


@signal("price.plan_mismatch", number=19, depends=(InvoiceIssued, QuotaReported))
def plan_mismatch(c: Customer, at: Moment) -> float | None:
    """Of the last 3 periods, those with an overage charged, or under `price.quota_least` of the quota used."""
    if kinds.QUOTA not in c.points and kinds.OVERAGE not in c.points:
        return None
    over, under = misfits(c, at)
    return float(min(PERIODS, len(over) + len(under)))


@plan_mismatch.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    over, under = misfits(c, at)
    said = []
    if under:
        said.append(
            f"under {at.policy.price.quota_least:.0%} of the quota used in {len(under)} of the last {PERIODS} periods "
            f"({under[-1].value / 1000:.0%} in the newest of them)"
        )
    if over:
        charged = sum(p.value for p in over) / CENTS
        said.append(f"{charged:.2f} charged for overage on {len(over)} of the last {PERIODS} invoices")
    return Because(f"The plan does not fit: {', '.join(said)}.", newest(sorted(over + under)))


def cheapest(c: Customer, at: Moment) -> tuple[int, str, str] | None:
    """The lowest price around within the window, in cents: a competitor's newest, or an offer for newcomers.

    With what to call it, and the event that tells of it. An offer that `loyalty.newcomer_deal` tells of is left to it.
    """
    long_s = round(at.policy.loyalty.newcomer_tenure_months * MONTH_S)
    of_competitor = {p.label: p for p in at.in_points(c.points.get(kinds.MARKET), at.row.window_d)}
    found = [(p.value, f"“{p.label}” asks", p.event_id) for p in of_competitor.values()]
    for offer in c.cases.get(kinds.OFFERED, {}).values():
        forgotten_day = offer.opened_s // DAY_S + at.row.window_d
        told = c.started_s and offer.opened_s - c.started_s > long_s
        if offer.moved and offer.amount and not told and at.day < forgotten_day:
            at.until(forgotten_day * DAY_S)
            found.append((offer.amount, "newcomers are offered", offer.event_id))
    return min(found, default=None)


@signal(
    "price.above_market",
    number=20,
    depends=(SubscriptionStarted, SubscriptionRenewed, PlanChanged, PriceChanged, MarketPriceSeen, OfferSent),
)
def above_market(c: Customer, at: Moment) -> float | None:
    """Share by which the own price is above the lowest of competitors' and newcomers' prices within the window."""
    other, price = cheapest(c, at), own_price(c, at)
    if other is None or price is None:
        return None
    return max(0.0, price / max(1, other[0]) - 1)


@above_market.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    other, price = cheapest(c, at), own_price(c, at)
    assert other is not None
    assert price is not None
    cents, whose, event_id = other
    return Because(
        f"Pays {price / CENTS:.2f} a month, {value:.0%} more than the {cents / CENTS:.2f} that {whose}.", [event_id]
    )


def steepest(c: Customer, at: Moment) -> Case | None:
    """The discount that ends within the window ahead with the steepest rise, the first of equals."""
    found = []
    for discount in c.cases.get(kinds.DISCOUNT, {}).values():
        at.until(discount.due_s - at.row.window_d * DAY_S)
        if at.now_s < discount.due_s <= at.now_s + at.row.window_d * DAY_S:
            at.until(discount.due_s)
            found.append(discount)
    return min(found, key=lambda d: (-d.amount, d.due_s), default=None)


@signal("price.discount_ending", number=21, depends=(DiscountEnding,))
def discount_ending(c: Customer, at: Moment) -> float | None:
    """Share by which the price rises when a discount ends, within the window ahead."""
    if kinds.DISCOUNT not in c.cases:
        return None
    discount = steepest(c, at)
    return max(0, discount.amount) / 10_000 if discount else 0.0


@discount_ending.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    discount = steepest(c, at)
    assert discount is not None
    old, _, new = discount.label.partition("/")
    by = f" by {value:.0%}" if int(old) else ""
    return Because(
        f"A discount ends in {span(discount.due_s - at.now_s)}: the price then rises{by} "
        f"from {int(old) / CENTS:.2f} to {int(new) / CENTS:.2f} a month.",
        [discount.event_id],
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
