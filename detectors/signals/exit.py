"""I. The exit: what people do who are about to leave."""

from detectors import kinds
from detectors.customer import DAY_S, Customer, Point
from detectors.signals.base import Because, Moment, listed, newest, often, signal, span
from schemas.billing import AutoRenewDisabled, PlanChanged, SubscriptionRenewed, SubscriptionStarted
from schemas.engagement import MarketPriceSeen
from schemas.support import InteractionAssessed
from schemas.usage import CancelPageViewed, DataExported, IntegrationRemoved

LOOKS = {
    kinds.CANCEL_PAGE: "viewed the cancel page",
    kinds.DATA_EXPORT: "exported data",
    kinds.INTEGRATION_REMOVED: "removed an integration",
    kinds.AUTO_RENEW_OFF: "turned auto-renewal off",
    kinds.SAID_LEAVING: "spoke of leaving",
}


@signal(
    "exit.intent",
    number=39,
    depends=(CancelPageViewed, DataExported, IntegrationRemoved, AutoRenewDisabled, InteractionAssessed),
)
def intent(c: Customer, at: Moment) -> float | None:
    """Looks at the exit within the window, weighted by the policy's `[exit]`."""
    if kinds.EXIT not in c.points:
        return None
    p = at.policy.exit
    weights = (0.0, p.cancel_page, p.data_export, p.integration_removed, p.auto_renew_off, p.said_leaving)
    return sum(weights[look.value] for look in at.in_points(c.points[kinds.EXIT], at.row.window_d))


@intent.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    looks = at.in_points(c.points.get(kinds.EXIT), at.row.window_d)
    said = []
    for kind, words in LOOKS.items():
        if n := sum(p.value == kind for p in looks):
            said.append(words if n == 1 else f"{words} {often(n)}")
    text = listed(said)
    return Because(f"{text[:1].upper()}{text[1:]} within {at.row.window_d} days.", newest(looks))


def competitors(c: Customer, at: Moment) -> tuple[list[Point], list[Point]]:
    """Times the customer named a competitor within the window, and competitors' prices seen in it."""
    named = at.in_points(c.points.get(kinds.COMPETITOR), at.row.window_d)
    return named, at.in_points(c.points.get(kinds.MARKET), at.row.window_d)


@signal("exit.competitor", number=38, depends=(InteractionAssessed, MarketPriceSeen))
def competitor(c: Customer, at: Moment) -> float | None:
    """Times a competitor was named within the window; prices seen count as one naming, however many there are."""
    if kinds.COMPETITOR not in c.points and kinds.MARKET not in c.points:
        return None
    named, seen = competitors(c, at)
    return float(len(named) + (1 if seen else 0))


@competitor.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    named, seen = competitors(c, at)
    names = list(dict.fromkeys(p.label for p in reversed(named + seen)))
    said = [f"named {often(len(named))}"] if named else []
    if seen:
        said.append(f"{'a price' if len(names) > 1 else 'its price'} was seen {often(len(seen))}")
    return Because(
        f"{'A competitor' if len(names) == 1 else 'Competitors'} ({', '.join(names)}) came up: "
        f"{listed(said)} in {at.row.window_d} days.",
        newest(sorted(named + seen)),
    )


@signal("exit.contract_window", number=40, depends=(SubscriptionStarted, SubscriptionRenewed, AutoRenewDisabled))
def contract_window(c: Customer, at: Moment) -> float | None:
    """Days until the contract ends, while it is not renewed; 0 once it has ended with renewal turned off."""
    ends_s = c.contract_ends_s
    if not ends_s or (c.trial_s and not c.started_s):
        return None  # nobody renews a trial: it stalls, or becomes a contract
    if at.now_s >= ends_s:  # past its end it goes on by itself, unless the customer said no
        return 0.0 if c.auto_renew_off_s > c.contract_s else None
    days = at.growing(ends_s, -DAY_S)
    at.until(ends_s)
    return days


@contract_window.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    told = [p for p in c.points.get(kinds.MRR, ()) if p.time_s == c.contract_s]
    turned_off = [p for p in c.points.get(kinds.EXIT, ()) if p.time_s == c.auto_renew_off_s > c.contract_s]
    evidence = newest([*told, *turned_off])
    if value <= 0:
        return Because("The contract has ended and renewal is turned off.", evidence)
    off = ", and renewal is turned off" if c.auto_renew_off_s > c.contract_s else " and is not renewed yet"
    return Because(f"The contract ends in {span(value * DAY_S)}{off}.", evidence)


@signal("exit.downgrade", number=41, depends=(SubscriptionStarted, SubscriptionRenewed, PlanChanged))
def downgrade(c: Customer, at: Moment) -> float | None:
    """Share of the monthly revenue that downgrades within the window took away together."""
    if kinds.MRR not in c.points:
        return None
    left = 1.0
    for p in at.in_points(c.points.get(kinds.DOWNGRADE), at.row.window_d):
        left *= 1 - p.value / 10_000
    return 1 - left


@downgrade.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    steps = at.in_points(c.points.get(kinds.DOWNGRADE), at.row.window_d)
    plans = ", then ".join(p.label for p in steps if p.label)
    return Because(
        f"Downgraded {often(len(steps))} in {at.row.window_d} days (left: {plans}), "
        f"which took {value:.0%} off the monthly price.",
        newest(steps),
    )
