"""What became of a customer within a horizon, as its state says once that has passed."""

from detectors import kinds
from detectors.counts import by_day
from detectors.customer import DAY_S, MAX_POINTS, Customer
from detectors.used_days import active_days


def has_left(c: Customer, since_s: int, horizon_s: int, *, orders_only: bool, by_use: bool = False) -> bool:
    """Whether a customer left within a horizon: it cancelled, (orders alone) ordered nothing, or (by use) did nothing.

    >>> has_left(Customer(churned_s=15), 10, 20, orders_only=False), has_left(Customer(), 10, 20, orders_only=True)
    (True, True)
    """
    end_s = since_s + horizon_s
    if orders_only:
        orders = c.points.get(kinds.ORDERED, [])
        if len(orders) >= MAX_POINTS and orders[0].time_s > since_s:
            return False  # it ordered so often since that only later orders are remembered
        return not any(since_s < p.time_s <= end_s for p in orders)
    if by_use and not _was_active(c, since_s, end_s):
        return True
    return since_s < c.churned_s <= end_s


def _was_active(c: Customer, since_s: int, until_s: int) -> bool:
    """Whether a customer did anything in a span of days; of one who did so much since that they are forgotten, yes."""
    if since_s < c.active_s <= until_s:
        return True
    days = [day for day, _ in by_day(active_days(c))]
    if len(days) >= kinds.DAYS_KEPT[kinds.ACTIVITY] and days[-1] * DAY_S > since_s:
        return True
    return any(since_s <= day * DAY_S < until_s for day in days)
