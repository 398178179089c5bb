"""K. Relationship, by the stage of life: the beginnings, and the end of a useful life."""

from detectors import kinds
from detectors.customer import DAY_S, Customer
from detectors.feeds import IN_USAGE
from detectors.signals.base import Because, Moment, newest, signal, span, times
from detectors.used_days import between, features_on
from detectors.useful_life import expected_d
from schemas.billing import InvoiceIssued, OrderPlaced, RefundIssued, SubscriptionRenewed, SubscriptionStarted
from schemas.engagement import BenefitGranted, ContactMade, LeadRegistered
from schemas.retention import CustomerContacted
from schemas.usage import CancelPageViewed


def use_since(c: Customer, at: Moment, since_s: int) -> tuple[int, int]:
    """Days of use, and features used, from then on up to yesterday: today is not over."""
    days = between(c, since_s // DAY_S, at.day - 1)
    return (c.used & days).bit_count(), features_on(c, days)


def is_activated(c: Customer, at: Moment, since_s: int) -> bool:
    """Whether the customer has come to use the product (policy `[onboarding]`); features count where they are known."""
    p = at.policy.onboarding
    days, features = use_since(c, at, since_s)
    return days >= p.active_days and (not c.feature_days or features >= p.features)


def doubts(c: Customer, at: Moment) -> list[tuple[str, list[str]]]:
    """Signs of second thoughts since the first purchase, each in words and with its events."""
    p, since_s = at.policy.onboarding, c.started_s
    signs: list[tuple[str, list[str]]] = []
    low_s, word_s = since_s + p.low_after_d * DAY_S, since_s + p.word_after_d * DAY_S
    low_s += at.lost_of(IN_USAGE, since_s, at.now_s)  # what was used meanwhile nobody knows
    # Whoever buys without subscribing uses by buying; and where nobody's use is reported, its lack says nothing.
    if c.subscribed_s and at.feed_s > since_s:
        if at.now_s < low_s:
            at.until(low_s)
        elif not is_activated(c, at, since_s):
            days, features = use_since(c, at, since_s)
            seen = f"{times(days, 'day')} of use, {times(features, 'feature')}"
            signs.append((f"hardly began to use it ({seen})", []))
    if c.given_s < since_s:
        if at.now_s < word_s:
            at.until(word_s)
        else:
            signs.append(("has had no word from us", []))
    refunds = [r for r in c.points.get(kinds.REFUND, ()) if r.time_s >= since_s]
    if refunds:
        signs.append(("had a refund", newest(refunds)))
    looks = [e for e in c.points.get(kinds.EXIT, ()) if e.value == kinds.CANCEL_PAGE and e.time_s >= since_s]
    if looks:
        signs.append(("looked at the cancel page", newest(looks)))
    return signs


@signal(
    "onboarding.second_thoughts",
    number=47,
    depends=(
        SubscriptionStarted,
        SubscriptionRenewed,
        OrderPlaced,
        RefundIssued,
        CancelPageViewed,
        ContactMade,
        BenefitGranted,
        CustomerContacted,
    ),
    looks_up=True,
)
def second_thoughts(c: Customer, at: Moment) -> float | None:
    """Signs of doubt in the first days after the first purchase (`stages.onboarding_d`), read once a day.

    They are: hardly any use, no word from the business, a refund, a look at the page where one cancels.
    """
    ends_s = c.started_s + at.policy.stages.onboarding_d * DAY_S
    if not c.started_s or not c.started_s <= at.now_s < ends_s:
        return None
    at.until(ends_s)
    at.until((at.day + 1) * DAY_S)
    return float(len(doubts(c, at)))


@second_thoughts.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    signs = doubts(c, at)
    words = ", ".join(text for text, _ in signs)
    carried = [event_id for _, ids in signs for event_id in ids]
    if not carried:
        bought = c.points.get(kinds.MRR) or c.points.get(kinds.ORDERED) or ()
        carried = [p.event_id for p in bought if p.time_s >= c.started_s][:1]
    return Because(f"{span(at.now_s - c.started_s).capitalize()} after the purchase: {words}.", carried[-5:])


def begun(c: Customer, at: Moment) -> tuple[str, int, int] | None:
    """What has begun and is not a purchase yet: which, since when, and until when; None for a customer."""
    if c.started_s:
        return None
    p = at.policy.onboarding
    if c.trial_s:
        said = c.contract_ends_s > c.trial_s  # a trial's end, where it said one
        return "trial", c.trial_s, c.contract_ends_s if said else c.trial_s + round(p.trial_d * DAY_S)
    if c.lead_s and not c.subscribed_s:
        return "lead", c.lead_s, c.lead_s + round(p.lead_d * DAY_S)
    return None


@signal(
    "lead.stalled",
    number=48,
    depends=(LeadRegistered, SubscriptionStarted, SubscriptionRenewed, OrderPlaced),
    looks_up=True,
)
def stalled(c: Customer, at: Moment) -> float | None:
    """Share of its time that a trial or lead has passed without activation, read once a day; 0 once activated."""
    stage = begun(c, at)
    if stage is None:
        return None
    _, since_s, ends_s = stage
    if is_activated(c, at, since_s):
        return 0.0
    value = at.growing(since_s + at.lost_of(IN_USAGE, since_s, at.now_s), ends_s - since_s)
    at.until((at.day + 1) * DAY_S if at.now_s < ends_s + DAY_S else at.now_s + 7 * DAY_S)
    return value


@stalled.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    stage = begun(c, at)
    assert stage is not None
    which, since_s, ends_s = stage
    days, features = use_since(c, at, since_s)
    left = f"{span(ends_s - at.now_s)} left" if ends_s > at.now_s else "its time is over"
    what = "into the trial" if which == "trial" else "after signing up as a lead"
    return Because(
        f"{span(at.now_s - since_s).capitalize()} {what}, {left}, and not activated: "
        f"{times(days, 'day')} of use, {times(features, 'feature')}.",
        [p.event_id for p in c.points.get(kinds.BEGAN, ()) if p.label == which][-1:],
    )


@signal(
    "lifecycle.past_optimum",
    number=49,
    depends=(SubscriptionStarted, SubscriptionRenewed, InvoiceIssued, OrderPlaced),
    looks_up=True,
)
def past_optimum(c: Customer, at: Moment) -> float | None:
    """Active life (first use to last use) ÷ the useful life expected of the plan (policy `[life]`, or learned).

    It moves slowly: it is read with each invoice and order, and not with each use.
    """
    if not c.used:
        return None
    return (c.used_day - c.first_used_day) / expected_d(at.life, c.plan)


@past_optimum.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    life_d = expected_d(at.life, c.plan)
    return Because(
        f"In use for {(c.used_day - c.first_used_day) / 30.4375:.0f} months, "
        f"{value:.0%} of the {life_d / 30.4375:.0f} months that this plan is expected to be of use.",
        [c.active_id] if c.active_id else [],
    )
