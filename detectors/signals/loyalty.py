"""E. Loyalty unrecognised."""

from detectors import kinds
from detectors.customer import DAY_S, Case, Customer
from detectors.history.engagement import FOR_NEWCOMERS
from detectors.signals.base import Because, Moment, newest, openings, signal, times
from detectors.signals.price import price_trail
from schemas.billing import OrderPlaced, PlanChanged, PriceChanged, SubscriptionRenewed, SubscriptionStarted
from schemas.engagement import BenefitGranted, OfferSent

MONTH_S = 30.4375 * DAY_S
FULL_CUT = 2.0  # an offer at the full cut counts this much on top of its one


@signal(
    "loyalty.unrecognised",
    number=26,
    depends=(SubscriptionStarted, SubscriptionRenewed, OrderPlaced, BenefitGranted),
)
def unrecognised(c: Customer, at: Moment) -> float | None:
    """Months without any benefit, once the tenure is over `loyalty.tenure_months`."""
    if not c.started_s:
        return None
    loyal_s = c.started_s + round(at.policy.loyalty.tenure_months * MONTH_S)
    if at.now_s <= loyal_s:
        at.until(loyal_s + 1)
        return 0.0
    return at.growing(max(c.benefit_s, c.started_s), MONTH_S)


@unrecognised.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    months = (at.now_s - c.started_s) / MONTH_S
    given = [p for p in c.points.get(kinds.GIVEN, ()) if p.value == kinds.BENEFIT]
    carried = given or [p for p in c.points.get(kinds.MRR, ()) if p.time_s <= at.now_s] or c.points.get(kinds.ORDERED)
    said = f"the last benefit was {value:.0f} months ago" if c.benefit_s > c.started_s else "never had a benefit"
    return Because(f"A customer for {months:.0f} months, and {said}.", newest(carried or ()))


def cut_of(offer: Case, own_cents: int) -> float:
    """How much cheaper than the own price an offer was, as a share; 0 where a price is unknown or not lower."""
    if not offer.amount or not own_cents:
        return 0.0
    return max(0.0, 1 - offer.amount / own_cents)


def newcomer_deals(c: Customer, at: Moment) -> tuple[list[Case], int]:
    """Newcomers-only offers within the window that came when the customer no longer was one, and the own price."""
    long_s = round(at.policy.loyalty.newcomer_tenure_months * MONTH_S)
    found = []
    for offer in c.cases.get(kinds.OFFERED, {}).values():
        day = offer.opened_s // DAY_S
        if (
            offer.moved == FOR_NEWCOMERS
            and day > at.day - at.row.window_d
            and c.started_s
            and offer.opened_s - c.started_s > long_s
        ):
            found.append(offer)
            at.until((day + at.row.window_d) * DAY_S)
    trail = price_trail(c, at.now_s) if found else ()
    for p in c.points.get(kinds.MRR, ()) if found else ():
        if p.time_s > at.now_s:
            at.until(p.time_s)
            break
    return found, trail[-1].value if trail else 0


@signal(
    "loyalty.newcomer_deal",
    number=27,
    depends=(OfferSent, SubscriptionStarted, SubscriptionRenewed, PlanChanged, PriceChanged, OrderPlaced),
)
def newcomer_deal(c: Customer, at: Moment) -> float | None:
    """Newcomers-only offers seen within the window: 1 each, and up to 2 more the cheaper it is than the own price."""
    if kinds.OFFERED not in c.cases or not c.started_s:
        return None
    deals, own_cents = newcomer_deals(c, at)
    full = at.policy.loyalty.newcomer_cut_full
    return float(sum(1 + FULL_CUT * min(1.0, cut_of(deal, own_cents) / full) for deal in deals))


@newcomer_deal.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    deals, own_cents = newcomer_deals(c, at)
    best = max(deals, key=lambda deal: (cut_of(deal, own_cents), deal.event_id))
    cut = cut_of(best, own_cents)
    price = (
        f"; the cheapest is {best.amount / 100:.2f} a month, {cut:.0%} below the {own_cents / 100:.2f} they pay"
        if cut
        else ""
    )
    return Because(
        f"Saw {times(len(deals), 'offer')} for newcomers only in {at.row.window_d} days, "
        f"after {(at.now_s - c.started_s) / MONTH_S:.0f} months as a customer{price}.",
        openings(deals),
    )
