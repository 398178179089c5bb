"""Who stops before the time that the product is expected to be of use, by plan, channel, stage and how it came to buy.

Rules: one life table per group, all customers together being one of them, and of those who left how long they had
used it; the number of groups is bounded, and so is each of them; nothing is kept of a customer.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

import msgspec

from detectors.learning.lives import Life
from detectors.learning.survival import LifeTable, expected_ends, median_of, times_others
from detectors.learning.uplift import Difference
from detectors.policy import Policy
from detectors.useful_life import EVERYBODY, expected_d, with_learned

ALL: Final = "all"
GROUPS: Final = 64
LASTED_D: Final = (0, 3, 7, 14, 30, 60, 90, 120, 180, 270, 365, 545, 730, 1_095, 1_460, 1_825)
"""Upper ends of the classes of active lives, in days; longer ones are the last class."""
WEEK_D: Final = 7
YOUNG_WEEKS: Final = 5  # a curve that begins later leaves out those who left before


class Stopped(msgspec.Struct, array_like=True):
    """Those of a group who left while they were watched. Fields are only ever appended."""

    left: int = 0
    before: int = 0  # with an active life under the one that was expected of their plan
    unused: int = 0  # who had used nothing
    lasted: list[int] = msgspec.field(default_factory=lambda: [0] * (len(LASTED_D) + 1))

    def median_at_most_d(self) -> int | None:
        """A number of days that the active life of half of those who used anything did not exceed; None of nobody."""
        total = sum(self.lasted)
        counted = 0
        for edge, count in zip((*LASTED_D, None), self.lasted, strict=True):
            counted += count
            if total and counted * 2 >= total:
                return edge
        return None


class Lives(msgspec.Struct):
    """The state: life tables and how long those who left had lasted."""

    tables: dict[str, LifeTable] = {}
    stages: dict[str, LifeTable] = {}  # a stage has no age of its own: all of it is one row
    stopped: dict[str, Stopped] = {}
    learned_d: dict[str, float] = {}  # days by which half of a plan (empty: of all) have left, where policy asks for it

    def add(self, life: Life, segments: tuple[str, ...], policy: Policy) -> None:
        """Take up a stretch of a customer's life; its segments are its plan and channel."""
        groups = (ALL, *segments, *life.came)
        for name in groups:
            table = self._table(self.tables, name)
            if table is not None:
                table.add(life.age_d, life.exposed_d, life.gone_d)
        stage = self._table(self.stages, f"stage:{life.stage}")
        if stage is not None:
            days = life.exposed_d if life.gone_d is None else life.gone_d + 1
            stage.lump(days, life.gone_d is not None)
        if life.gone_d is None:
            return
        useful_d = expected_d(with_learned(policy.life, self.learned_d), plan_of(segments))
        for name in (*groups, f"stage:{life.stage}"):
            if name in self.tables or name in self.stages:
                _stop(self.stopped.setdefault(name, Stopped()), life, useful_d)
        if policy.life.learned:
            self.learned_d = self._halves(policy)

    def _table(self, tables: dict[str, LifeTable], name: str) -> LifeTable | None:
        found = tables.get(name)
        if found is None and len(self.tables) + len(self.stages) < GROUPS:
            found = tables[name] = LifeTable()
        return found

    def groups(self) -> Iterator[str]:
        """Every group of which anybody was watched, all customers first."""
        if ALL in self.tables:
            yield ALL
        yield from sorted((self.tables.keys() | self.stages.keys()) - {ALL})

    def _halves(self, policy: Policy) -> dict[str, float]:
        """Days by which half of everybody and of each plan have left, where enough are known to have."""
        found = {}
        for group, table in sorted(self.tables.items()):
            kind, _, plan = group.partition(":")
            if kind not in (ALL, "plan") or table.ends < policy.life.learned_least:
                continue
            points = table.curve(policy.learning.curve_least)
            median = median_of(points) if points and points[0].age <= YOUNG_WEEKS else None
            if median is not None:
                found[plan if kind == "plan" else EVERYBODY] = float(median.age * WEEK_D)
        return found

    def times_others(self, group: str, before_d: float) -> Difference | None:
        """How many times as often lives end in a group before an age, compared with others of the same age.

        Of a stage, which is a matter of age itself, compared with all others.
        """
        if group in self.stages:
            everybody = LifeTable([0], [0])
            for table in self.stages.values():
                everybody.days[0] += table.days[0]
                everybody.left[0] += table.left[0]
            return times_others(*expected_ends(self.stages[group], everybody, 1))
        weeks = max(1, round(before_d / WEEK_D))
        return times_others(*expected_ends(self.tables[group], self.tables[ALL], weeks))


def plan_of(segments: tuple[str, ...]) -> str:
    """The plan among a customer's segments; empty: none.

    >>> plan_of(("via:ads", "plan:pro")), plan_of(())
    ('pro', '')
    """
    return next((name.removeprefix("plan:") for name in segments if name.startswith("plan:")), "")


def _stop(stopped: Stopped, life: Life, useful_d: float) -> None:
    stopped.left += 1
    stopped.before += (life.active_d or 0) < useful_d
    if life.active_d is None:
        stopped.unused += 1
    else:
        stopped.lasted[bisect_left(LASTED_D, life.active_d)] += 1
