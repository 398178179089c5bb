"""How early alerts came: of those about whom one opened, how many left within the horizon, and how many days later.

Rules: whole numbers by group of customers and by four weeks, the newest PERIODS of them; every alert counts, delivered
or not; a lead time is told of those who said that they leave, as silence has no date.
"""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

import msgspec

from detectors.customer import DAY_S
from detectors.learning.alerted import AlertOutcome
from detectors.learning.grades import PERIOD_S, PERIODS
from detectors.learning.groups import ALL

DAYS_MAX: Final = 400  # more than any horizon


class Lead(NamedTuple):
    """Alerts whose outcome is known, those of who left, and the median days from alert to leaving; None: unknown."""

    alerts: int
    left: int
    days_median: float | None


class Openings(msgspec.Struct, array_like=True):
    """Alerts, those of who left, and of these how many left after so many whole days."""

    alerts: int = 0
    left: int = 0
    days: dict[int, int] = {}


class Leads(msgspec.Struct):
    """The counters of each group, by period."""

    newest: int = 0
    groups: dict[str, dict[int, Openings]] = {}

    def add(self, outcome: AlertOutcome, groups: Iterable[str]) -> None:
        """Take up what became of an alert; one that lies before the periods that count is passed over."""
        period = outcome.opened_s // PERIOD_S
        if period > self.newest:
            self.newest = period
            for group, by_period in list(self.groups.items()):
                self.groups[group] = {at: told for at, told in by_period.items() if at > period - PERIODS}
                if not self.groups[group]:
                    del self.groups[group]
        elif period <= self.newest - PERIODS:
            return
        for name in (ALL, *groups):
            told = self.groups.setdefault(name, {}).setdefault(period, Openings())
            told.alerts += 1
            told.left += outcome.left
            if outcome.lead_s is not None:
                day = min(DAYS_MAX, outcome.lead_s // DAY_S)
                told.days[day] = told.days.get(day, 0) + 1

    def lead(self, name: str) -> Lead:
        """The figures of a group over all its periods."""
        return _lead(self.groups.get(name, {}).values())

    def by_period(self, name: str) -> dict[int, Lead]:
        """The same of the alerts that opened in each period, by its first second since the epoch."""
        return {number * PERIOD_S: _lead([told]) for number, told in self.groups.get(name, {}).items()}


def _lead(told: Collection[Openings]) -> Lead:
    days = sorted(day for each in told for day, count in each.days.items() for _ in range(count))
    middle = (days[(len(days) - 1) // 2] + days[len(days) // 2]) / 2 if days else None
    return Lead(sum(each.alerts for each in told), sum(each.left for each in told), middle)
