"""How many alerts may open: a bucket of tokens per journal partition, filled in event time.

Rules:
* a partition's share follows from the number of its own customers, so that the shares of all add up to the budget and
  nobody needs to know the others;
* it fills in event time alone, and opening takes one token: the same journal opens the same alerts;
* of the customers who would open at one tick the best by expected loss go first; the others wait, and are compared
  anew with whoever comes when the next token is there;
* those of the control group wait as any other, or they would not be alike whom they are compared with, and take none.
"""

from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

import msgspec

from detectors.customer import DAY_S, Customer
from detectors.hold_out import is_held_out
from detectors.lifecycle import level_of
from detectors.policy import Policy
from detectors.policy_care import BudgetPolicy
from detectors.profile import revenue_at_risk

MILLION: Final = 1_000_000
TOKEN: Final = DAY_S * MILLION  # parts of one: whole numbers, so that filling often or seldom gives the same
UNFILLED: Final = -(2**62)
MOST: Final = 2**50  # parts; more customers than anybody has, and still a whole number of 64 bits

Asking = TypeVar("Asking")
Place = tuple[bool, float, float, bytes, bool]
"""Where a customer stands among those that ask: who can be kept before who is to be won back, then by expected loss and
probability, most first, and then by key; and whether it is of the control group."""


class Purse(msgspec.Struct, array_like=True):
    """What is left of a partition's budget. Fields are only ever appended: the order is the stored format."""

    parts: int = UNFILLED
    filled_s: int = 0
    customers: int = 0  # who were looked at, and not erased


def capacity(customers: int, p: BudgetPolicy) -> int:
    """The most that can be saved up, in parts of a token: a day's share, or the burst where that is more.

    >>> [capacity(n, BudgetPolicy(per_day_per_1000=20.0, burst=10)) // TOKEN for n in (100, 5_000)]
    [10, 100]
    """
    return min(MOST, max(p.burst * TOKEN, per_second(customers, p) * DAY_S))


def per_second(customers: int, p: BudgetPolicy) -> int:
    """Parts that come in each second of event time."""
    return customers * round(p.per_day_per_1000 * (MILLION // 1_000))


def left(purse: Purse, now_s: int, p: BudgetPolicy) -> int:
    """Parts that are there now, with what has come in since the last filling; the first time it is full."""
    most = capacity(purse.customers, p)
    if purse.parts == UNFILLED:
        return most
    return min(most, purse.parts + max(0, now_s - purse.filled_s) * per_second(purse.customers, p))


def fill(purse: Purse, now_s: int, p: BudgetPolicy) -> None:
    """Add what has come in."""
    purse.parts, purse.filled_s = left(purse, now_s, p), max(purse.filled_s, now_s)


def allows(purse: Purse, p: BudgetPolicy, *, critical: bool) -> bool:
    """Whether one more alert may open now."""
    if purse.parts >= TOKEN:
        return True
    return critical and p.critical_overdraws and purse.parts - TOKEN >= -capacity(purse.customers, p)


def costs(place: Place) -> int:
    """Parts that an alert takes: none of one who is of the control group."""
    return 0 if place[4] else TOKEN


def give_back(purse: Purse, place: Place) -> None:
    """Put back what an alert took that could not be written."""
    purse.parts += costs(place)


def shared_out(
    asking: Iterable[tuple[Place, Asking]], purse: Purse, now_s: int, policy: Policy
) -> Iterator[tuple[Asking, int | None]]:
    """Whoever asks, best first, each with None where its alert may open, or until when it waits."""
    p, waiting = policy.budget, 0
    fill(purse, now_s, p)
    for place, who in sorted(asking, key=lambda item: item[0]):
        critical = level_of(-place[2], policy.alerts) == "critical"
        if allows(purse, p, critical=critical):
            purse.parts -= costs(place)
            yield who, None
        else:
            yield who, look_again_s(purse, now_s, waiting, p)
            waiting += 1


def look_again_s(purse: Purse, now_s: int, rank: int, p: BudgetPolicy) -> int:
    """When who waits at a rank (from 0) is compared anew: when the next token is there, or later where many wait."""
    later_s, rate = now_s + p.look_again_s, per_second(purse.customers, p)
    if rank >= p.waiting_most or not rate:
        return later_s
    return max(now_s + 1, min(later_s, now_s + -(-(TOKEN - purse.parts) // rate)))


def used_permille(purse: Purse, now_s: int, p: BudgetPolicy) -> int:
    """How much of what can be saved up is gone: 0 full, 1,000 nothing left, more when overdrawn."""
    return 1_000 - 1_000 * left(purse, now_s, p) // capacity(purse.customers, p)


def place_of(key: bytes, c: Customer, risk: float, now_s: int, policy: Policy) -> Place:
    """Where a customer of this risk (0 to 1) stands; whose revenue is unknown stands behind, by risk alone."""
    revenue = revenue_at_risk(c, now_s, risk, policy)
    loss = revenue.expected_loss if revenue is not None else 0.0
    return (c.left_s > 0, -loss, -risk, key, is_held_out(key.decode(), policy.hold_out))
