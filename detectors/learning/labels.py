"""What became of a customer within a horizon, as its state says once that has passed."""

from detectors import kinds
from detectors.customer import MAX_POINTS, Customer
from detectors.leaving import buys_without_subscription
from detectors.policy import Policy


def has_left(c: Customer, since_s: int, horizon_s: int, *, orders_only: bool) -> bool:
    """Whether a customer left within a horizon: it cancelled, or (orders alone) ordered nothing.

    >>> has_left(Customer(churned_s=15), 10, 20, orders_only=False), has_left(Customer(), 10, 20, orders_only=True)
    (True, True)
    """
    end_s = since_s + horizon_s
    if orders_only:
        orders = c.points.get(kinds.ORDERED, [])
        if len(orders) >= MAX_POINTS and orders[0].time_s > since_s:
            return False  # it ordered so often since that only later orders are remembered
        return not any(since_s < p.time_s <= end_s for p in orders)
    return since_s < c.churned_s <= end_s


def leaves_by_silence(c: Customer, policy: Policy) -> bool:
    """Whether leaving means to order nothing for a horizon."""
    definition = policy.churn.definition
    return definition == "inactivity" or (definition == "auto" and buys_without_subscription(c))
