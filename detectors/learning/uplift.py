"""How much less those leave who are acted on: estimates with their 95 % intervals, from counts and sums alone.

Rules: the groups were drawn by lot, and stay as they were drawn, whoever was called (intention to treat); a lot of
another share is a stratum of its own, and strata are weighed as Mantel and Haenszel do (J. Natl. Cancer Inst., 1959),
so that a share that was changed confounds nothing; nothing here decides whether there is enough to say it.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

Z: Final = 1.959963984540054


class Difference(NamedTuple):
    """An estimate and its 95 % interval."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> "Difference":
        """The same in another unit; the factor is not negative."""
        return Difference(self.value * factor, self.low * factor, self.high * factor)


class Money(msgspec.Struct, array_like=True):
    """Monthly revenue of alerts in one currency: at the opening, and what was left of it when the horizon had passed.

    Sums and sums of squares: all that an estimate of the share that was kept needs.
    """

    alerts: int = 0
    before: float = 0.0
    kept: float = 0.0
    before_squared: float = 0.0
    kept_squared: float = 0.0
    product: float = 0.0

    def add(self, before: float, kept: float) -> None:
        """Take up one alert."""
        self.alerts += 1
        self.before += before
        self.kept += kept
        self.before_squared += before * before
        self.kept_squared += kept * kept
        self.product += before * kept


class Arm(msgspec.Struct, array_like=True):
    """One group of alerts: how many have an outcome, and what it was. Fields are only ever appended."""

    alerts: int = 0
    left: int = 0
    contacted: int = 0
    money: dict[str, Money] = {}  # by currency

    def add(self, *, left: bool, contacted: bool) -> None:
        """Take up one outcome."""
        self.alerts += 1
        self.left += left
        self.contacted += contacted


class Pair(msgspec.Struct, array_like=True):
    """The two groups that one lot has drawn."""

    control: Arm = msgspec.field(default_factory=Arm)
    delivered: Arm = msgspec.field(default_factory=Arm)


def wilson(events: float, n: float) -> tuple[float, float]:
    """95 % score interval of a proportion (Wilson, J. Am. Stat. Assoc., 1927); 0 to 1 of nobody.

    >>> [round(end, 4) for end in wilson(81, 263)]
    [0.2553, 0.3662]
    """
    if not n:
        return 0.0, 1.0
    p, zz = events / n, Z * Z
    middle, half = events + zz / 2, Z * math.sqrt(n * p * (1 - p) + zz / 4)
    return max(0.0, (middle - half) / (n + zz)), min(1.0, (middle + half) / (n + zz))


def saved_share(pairs: Sequence[Pair]) -> Difference | None:
    """By how much the share that left is smaller where alerts were delivered; None where a group is empty.

    Wilson's intervals of the single proportions put together: of one stratum that is Newcombe's method 10 (Interval
    estimation for the difference between independent proportions, Stat. Med., 1998), of several Zou and Donner's
    general form of it (Construction of confidence limits about effect measures, Stat. Med., 2008). It holds for small
    groups too, and where nobody left.

    >>> pair = Pair(Arm(70, 56), Arm(80, 48))
    >>> [round(x, 4) for x in saved_share([pair])]
    [0.2, 0.0524, 0.3339]
    """
    weights = [_weight(pair.control.alerts, pair.delivered.alerts) for pair in pairs]
    total = math.fsum(weights)
    if not total:
        return None
    value, below, above = [], [], []
    for pair, weight in zip(pairs, weights, strict=True):
        if not weight:
            continue
        share = weight / total
        control, delivered = pair.control, pair.delivered
        p, q = control.left / control.alerts, delivered.left / delivered.alerts
        p_low, p_high = wilson(control.left, control.alerts)
        q_low, q_high = wilson(delivered.left, delivered.alerts)
        value.append(share * (p - q))
        below.append(share * share * ((p - p_low) ** 2 + (q_high - q) ** 2))
        above.append(share * share * ((p_high - p) ** 2 + (q - q_low) ** 2))
    found = math.fsum(value)
    return Difference(found, found - math.sqrt(math.fsum(below)), found + math.sqrt(math.fsum(above)))


def kept_share(money: Money) -> tuple[float, float]:
    """Of the revenue at the opening the share that was kept, and the variance of that.

    A ratio of two means (Cochran, Sampling Techniques, 3rd ed., 1977, chapter 6), by which large customers count for
    what they pay.

    >>> money = Money()
    >>> for before, kept in ((100.0, 100.0), (50.0, 0.0), (50.0, 50.0)): money.add(before, kept)
    >>> share, variance = kept_share(money)
    >>> share, round(variance, 6)
    (0.75, 0.082031)
    """
    if money.alerts < 2 or money.before <= 0.0:
        return 0.0, math.inf
    share = money.kept / money.before
    spread = money.kept_squared - 2.0 * share * money.product + share * share * money.before_squared
    n = money.alerts
    return share, max(0.0, spread) * n / (n - 1) / (money.before * money.before)


def saved_revenue_share(pairs: Sequence[Pair], currency: str) -> Difference | None:
    """By how much a greater share of the revenue was kept where alerts were delivered; None where a group has none.

    The interval is that of the normal distribution, which holds once a handful in each group has left and stayed.
    """
    found: list[tuple[float, float, float]] = []  # weight, difference, its variance
    for pair in pairs:
        control, delivered = (arm.money.get(currency) or Money() for arm in (pair.control, pair.delivered))
        (r0, v0), (r1, v1) = kept_share(control), kept_share(delivered)
        weight = _weight(control.before, delivered.before) if math.isfinite(v0 + v1) else 0.0
        if weight:
            found.append((weight, r1 - r0, v0 + v1))
    total = math.fsum(weight for weight, _, _ in found)
    if not total:
        return None
    value = math.fsum(weight * difference for weight, difference, _ in found) / total
    half = Z * math.sqrt(math.fsum(weight * weight * variance for weight, _, variance in found)) / total
    return Difference(value, value - half, value + half)


def together(arms: Sequence[Arm]) -> Arm:
    """Several strata of one group as one."""
    found = Arm()
    for arm in arms:
        found.alerts += arm.alerts
        found.left += arm.left
        found.contacted += arm.contacted
        for currency, money in arm.money.items():
            mine = found.money.setdefault(currency, Money())
            for name in Money.__struct_fields__:
                setattr(mine, name, getattr(mine, name) + getattr(money, name))
    return found


def _weight(control: float, delivered: float) -> float:
    """What a stratum counts: as much as can be told from it."""
    return control * delivered / (control + delivered) if control and delivered else 0.0
