"""When a customer counts as having left, and what is kept of that moment.

Rules:
* a cancellation always counts, until the customer comes back; inactivity counts where the policy's definition says
  so (`auto`: for customers who are known by their orders alone), without the time in which the feeds that the
  customer is active in said nothing of anybody;
* what is said of a customer who has left is what was known at that moment: signals that move afterwards do not
  change it. Coming back ends that, and everything is read anew.
"""

import msgspec

from detectors.customer import DAY_S, NEVER, Customer
from detectors.feeds import BILLING, Feeds
from detectors.policy import ChurnPolicy, Policy
from schemas.alerts import ChurnType


class Said(msgspec.Struct, array_like=True, gc=False):
    """One reason as it was said."""

    number: int
    code: str
    contribution: float
    text: str
    evidence: list[str]


class Farewell(msgspec.Struct, array_like=True, gc=False):
    """What was known of a customer at the moment of leaving."""

    churn_type: ChurnType
    win_back_potential: float
    reasons: list[Said]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Farewell).decode


def farewell_of(c: Customer) -> Farewell | None:
    """What was known when the customer left; None of one who has not."""
    return _decode(c.farewell) if c.left_s else None


def keep_farewell(c: Customer, p: ChurnPolicy, farewell: Farewell, lost_s: int = 0) -> None:
    """Note since when the customer is gone (which may be long before that is found), and what is known of it."""
    c.left_s = c.churned_s if has_cancelled(c, p) else lapses_s(c, p) + lost_s
    c.farewell = _encode(farewell)


def buys_without_subscription(c: Customer) -> bool:
    """Whether a customer is known by its orders alone."""
    return c.ordered_s > 0 and not c.subscribed_s and not c.contract_s


def buys_only(c: Customer, policy: Policy) -> bool:
    """Whether leaving means to order nothing: of those known by their orders alone, unless policy says otherwise."""
    return policy.churn.definition == "auto" and buys_without_subscription(c)


def only_uses(c: Customer, policy: Policy, feeds: Feeds) -> bool:
    """Whether leaving means to do nothing at all: by the policy's word, and where there is no billing.

    There is none where nothing was ever heard of subscriptions or orders, of anybody.

    >>> only_uses(Customer(active_s=9), Policy(), {}), only_uses(Customer(active_s=9, subscribed_s=1), Policy(), {})
    (True, False)
    """
    if policy.churn.definition != "auto":
        return policy.churn.definition == "inactivity"
    if BILLING in feeds or not c.active_s:
        return False
    return not (c.subscribed_s or c.contract_s or c.ordered_s or c.churned_s)


def back_s(c: Customer, p: ChurnPolicy) -> int:
    """When the customer last did what brings somebody back: a start, or (orders alone) an order, or any activity."""
    if p.definition == "inactivity":
        return max(c.subscribed_s, c.active_s)
    return c.ordered_s if buys_without_subscription(c) else c.subscribed_s


def has_cancelled(c: Customer, p: ChurnPolicy) -> bool:
    """Whether the customer has said so, and not come back.

    >>> has_cancelled(Customer(subscribed_s=1, churned_s=9), ChurnPolicy())
    True
    >>> has_cancelled(Customer(subscribed_s=10, churned_s=9), ChurnPolicy())
    False
    """
    return c.churned_s > 0 and c.churned_s >= back_s(c, p)


def can_lapse(c: Customer, p: ChurnPolicy) -> bool:
    """Whether silence alone may come to count as having left: for most it never does."""
    return c.ordered_s > 0 or p.definition == "inactivity"


def lapses_s(c: Customer, p: ChurnPolicy) -> int:
    """When the customer will count as gone if nothing more is heard of it; NEVER where inactivity does not count.

    >>> lapses_s(Customer(ordered_s=DAY_S, active_s=DAY_S, gap_s=40 * DAY_S), ChurnPolicy()) // DAY_S
    121
    >>> lapses_s(Customer(subscribed_s=DAY_S, active_s=DAY_S), ChurnPolicy()) == NEVER
    True
    """
    if not c.active_s or p.definition == "explicit":
        return NEVER
    if p.definition == "auto" and not buys_without_subscription(c):
        return NEVER
    return c.active_s + max(p.inactivity_days * DAY_S, round(p.inactivity_gap_factor * c.gap_s)) + 1


def has_lapsed(c: Customer, now_s: int, policy: Policy, lost_s: int = 0) -> bool:
    """Whether the customer has been inactive for so long that it counts as gone.

    What was lost since its last activity does not count: then it was the feed that was silent. Who counts as gone
    already is back when it does something, not when it turns out later that a feed was dead.

    >>> shopper = Customer(ordered_s=DAY_S, active_s=DAY_S, gap_s=20 * DAY_S)
    >>> [has_lapsed(shopper, 95 * DAY_S, Policy(), lost * DAY_S) for lost in (0, 10)]
    [True, False]
    """
    return lapses_s(c, policy.churn) + (0 if c.left_s else lost_s) <= now_s


def has_left(c: Customer, now_s: int, policy: Policy, lost_s: int = 0) -> bool:
    """Whether the customer has left, by word or by silence, and not come back; `lost_s` as in `has_lapsed`."""
    if c.churned_s and has_cancelled(c, policy.churn):
        return True
    return can_lapse(c, policy.churn) and has_lapsed(c, now_s, policy, lost_s)


def next_look_s(c: Customer, now_s: int, policy: Policy, lost_s: int = 0) -> int:
    """When to look whether a customer who is there has left by silence; a silent feed is looked at again later."""
    at_s = lapses_s(c, policy.churn) + lost_s
    return at_s if at_s > now_s else now_s + policy.value.feed_grace_s
