"""Survival curves from life tables: the share that is still there at each age, with its 95 % interval.

The product-limit estimate (Kaplan & Meier, J. Am. Stat. Assoc., 1958) over weeks of age, at risk in a week being who
was watched in it, for the part of it that it was: late entries and censoring need no more than that (as in an
actuarial life table). The variance is Greenwood's (1926), the interval that of log(−log S), which stays between 0 and 1
(Kalbfleisch & Prentice, The Statistical Analysis of Failure Time Data, 1980); the median's interval is Brookmeyer and
Crowley's (Biometrics, 1982).
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from detectors.learning.uplift import Difference, Z, wilson

WEEK_D: Final = 7
WEEKS: Final = 260  # five years; older ages are not counted


class Staying(NamedTuple):
    """The share that is still there at the end of an age, and the 95 % interval of it."""

    age: int
    at_risk: float
    share: float
    low: float
    high: float


class LifeTable(msgspec.Struct, array_like=True):
    """Customer-days watched, and ends of lives, by week of age."""

    days: list[int] = []
    left: list[int] = []

    def add(self, age_d: int, exposed_d: int, gone_d: int | None) -> None:
        """Take up a stretch of a life that begins at an age, and the day after that on which it ended, if it did.

        A week in which a life ends counts in full, as for Kaplan and Meier.

        >>> table = LifeTable()
        >>> table.add(10, 7, 2)
        >>> table.days, table.left
        ([0, 4], [0, 1])
        """
        week = (age_d + (gone_d or 0)) // WEEK_D
        end_d = age_d + exposed_d if gone_d is None else (week + 1) * WEEK_D
        for at in range(age_d // WEEK_D, min(WEEKS, -(-end_d // WEEK_D))):
            self._reach(at)
            self.days[at] += min(end_d, (at + 1) * WEEK_D) - max(age_d, at * WEEK_D)
        if gone_d is not None and week < WEEKS:
            self._reach(week)
            self.left[week] += 1

    def lump(self, days: int, ends: bool) -> None:
        """Take up a stretch of a life without an age."""
        self._reach(0)
        self.days[0] += days
        self.left[0] += ends

    def _reach(self, week: int) -> None:
        missing = week + 1 - len(self.days)
        if missing > 0:
            self.days += [0] * missing
            self.left += [0] * missing

    @property
    def ends(self) -> int:
        """Lives that ended."""
        return sum(self.left)

    def span(self, least: float) -> tuple[int, int]:
        """The first week with so many at risk, and the one after the last of those that follow it.

        Before it too few were watched from their beginning on: the curve is that of those who have reached it.
        """
        first = next((i for i, days in enumerate(self.days) if days >= least * WEEK_D), len(self.days))
        last = next((i for i in range(first, len(self.days)) if self.days[i] < least * WEEK_D), len(self.days))
        return first, last

    def curve(self, least: float) -> list[Staying]:
        """The curve by weeks of age, as far as it is known by so many at risk."""
        first, last = self.span(least)
        at_risk = [days / WEEK_D for days in self.days[first:last]]
        return [point._replace(age=point.age + first) for point in curve(at_risk, self.left[first:last])]


def curve(at_risk: Sequence[float], left: Sequence[int]) -> list[Staying]:
    """The product-limit curve of ages 1, 2, … by how many were at risk in each and how many left.

    Where nobody has left the lower end is Clopper and Pearson's of the fewest that were at risk (Biometrika, 1934), as
    Greenwood's variance is 0 there.

    >>> [(point.age, round(point.share, 3)) for point in curve([21, 20, 10], [3, 0, 1])]
    [(1, 0.857), (2, 0.857), (3, 0.771)]
    """
    found, share, variance, fewest, highest = [], 1.0, 0.0, math.inf, 1.0
    for age, (n, d) in enumerate(zip(at_risk, left, strict=True), start=1):
        fewest = min(fewest, n)
        if d:
            n = max(n, float(d))
            share *= 1.0 - d / n
            variance += d / (n * (n - d)) if n > d else math.inf
        if share == 1.0:
            low, high = 0.025 ** (1.0 / fewest) if fewest else 0.0, 1.0
        elif share == 0.0:
            low, high = 0.0, highest
        else:
            spread = Z * math.sqrt(variance) / -math.log(share)
            low, high = share ** math.exp(spread), share ** math.exp(-spread)
        highest = min(highest, high)
        found.append(Staying(age, n, share, low, high))
    return found


class Median(NamedTuple):
    """The age by which half have left, with its 95 % interval; an end that is not reached is None."""

    age: int
    low: int
    high: int | None


def median_of(points: Sequence[Staying]) -> Median | None:
    """The median of a curve; None where more than half stay for as long as it is known."""
    age = next((point.age for point in points if point.share <= 0.5), None)
    if age is None:
        return None
    low = next(point.age for point in points if point.low <= 0.5)
    return Median(age, low, next((point.age for point in points if point.high <= 0.5), None))


def expected_ends(table: LifeTable, everybody: LifeTable, until_week: int) -> tuple[int, float, int, float]:
    """Ends in a group and among the others before an age, each with those expected if age alone decided.

    These are the log-rank test's (Peto & Peto, J. R. Stat. Soc. A, 1972); the group is a part of everybody.
    """
    ends, expected, total = 0, 0.0, 0
    for week, days in enumerate(everybody.days[:until_week]):
        total += everybody.left[week]
        if week < len(table.days):
            ends += table.left[week]
            if everybody.left[week]:
                expected += everybody.left[week] * table.days[week] / days
    return ends, expected, total - ends, total - expected


def times_others(ends: int, expected: float, others: int, others_expected: float) -> Difference | None:
    """How many times as often lives end in a group as among the others, with its 95 % interval; None of nobody.

    The ratio of observed ÷ expected. Given all ends, those in the group are binomial (Przyborowski & Wilenski,
    Biometrika, 1940), so the interval is Wilson's of their share, as a ratio: it holds for a handful, and for none.

    >>> [round(x, 2) for x in times_others(9, 19.25, 21, 10.75)]
    [0.24, 0.11, 0.51]
    """
    if not others or expected <= 0.0 or others_expected <= 0.0:
        return None
    low, high = wilson(ends, ends + others)
    unit = others_expected / expected
    return Difference(unit * ends / others, unit * low / (1.0 - low), unit * high / (1.0 - high))
