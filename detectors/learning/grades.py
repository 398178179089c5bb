"""How good the probabilities were, for groups of customers and over time, in whole numbers.

Rules:
* only probabilities given at the landmark are judged, each landmark by the weight that it stands with;
* probabilities are sorted into cells of a tenth of a log-odd, so what is kept does not grow with traffic, and every
  figure but one is exact or within the width of a cell (the log loss and what was given are summed exactly);
* only sums are kept, so the order in which outcomes arrive makes no difference; a period is four weeks of landmarks,
  the newest PERIODS count;
* neighbouring landmarks of one customer share their horizons: intervals count outcomes once per horizon.
"""

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from detectors.customer import DAY_S
from detectors.learning.evidence import ENOUGH, skill_of
from detectors.learning.groups import ALL
from detectors.learning.uplift import wilson
from detectors.model import log_odds_of

PERIOD_S: Final = 28 * DAY_S
PERIODS: Final = 13  # a year
CELLS_PER_LOG_ODD: Final = 10
SUREST: Final = 70  # cells on either side of even odds; what is surer is in the last one
MICRO: Final = 1_000_000
SMALLEST: Final = 1e-9  # a probability of exactly 0 or 1 has no finite loss
TABLE_ROWS: Final = 10
OF_PERIOD: Final = (
    5  # who left, and who stayed, once per horizon, before the AUC of a period is told, with its interval
)


class Cell(msgspec.Struct, array_like=True, gc=False):
    """Landmarks, those of who left, and the sums of what was given and of the losses, both in millionths."""

    n: int = 0
    left: int = 0
    given: int = 0
    loss: int = 0

    def plus(self, n: int, left: int, given: int, loss: int) -> None:
        """Add up."""
        self.n += n
        self.left += left
        self.given += given
        self.loss += loss


Cells = dict[int, Cell]
"""Cells by their number, which rises with the probability."""


class Reliable(NamedTuple):
    """One row of the reliability table: about a tenth of the outcomes, those with the most similar probabilities."""

    outcomes: int
    left: int
    given: float
    observed: float
    observed_low: float
    observed_high: float


class Grade(NamedTuple):
    """Figures over some outcomes; None where they are not defined, or there are too few."""

    outcomes: int
    left: int
    auc: float | None
    auc_low: float | None
    auc_high: float | None
    average_precision: float | None
    log_loss: float | None
    calibration_error: float | None
    precision_at_budget: float | None


class Grades(msgspec.Struct):
    """The cells of each group, by period."""

    newest: int = 0
    groups: dict[str, dict[int, Cells]] = {}

    def add(self, landmark_s: int, probability: float, groups: Iterable[str], weight: int, left: bool) -> None:
        """Take up one outcome; one that lies before the periods that count is passed over."""
        period = landmark_s // PERIOD_S
        if period > self.newest:
            self.newest = period
            for group, by_period in list(self.groups.items()):
                kept = {number: cells for number, cells in by_period.items() if number > period - PERIODS}
                self.groups[group] = kept
                if not kept:
                    del self.groups[group]
        elif period <= self.newest - PERIODS:
            return
        at = cell_of(probability)
        given = weight * round(probability * MICRO)
        loss = -math.log(max(SMALLEST, probability if left else 1.0 - probability))
        adds = weight, weight * left, given, weight * round(loss * MICRO)
        for name in (ALL, *groups):
            cells = self.groups.setdefault(name, {}).setdefault(period, {})
            cell = cells.get(at)
            if cell is None:
                cell = cells[at] = Cell()
            cell.plus(*adds)

    def grade(self, name: str, overlap: float, budget_share: float) -> Grade:
        """The figures of a group over all its periods; `overlap` is how many landmarks share one horizon."""
        return graded(list(self.groups.get(name, {}).values()), overlap, budget_share)

    def by_period(self, name: str, overlap: float, budget_share: float) -> dict[int, Grade]:
        """The same of each period, by its first landmark in seconds since the epoch, oldest first."""
        periods = self.groups.get(name, {})
        return {
            number * PERIOD_S: graded([periods[number]], overlap, budget_share, OF_PERIOD) for number in sorted(periods)
        }

    def table(self, name: str, overlap: float) -> list[Reliable]:
        """The reliability table of a group."""
        return reliability(added(list(self.groups.get(name, {}).values())), overlap)


def cell_of(probability: float) -> int:
    """The cell of a probability.

    >>> cell_of(0.5), cell_of(0.6), cell_of(0.0), cell_of(1.0)
    (0, 4, -70, 70)
    """
    return max(-SUREST, min(SUREST, round(CELLS_PER_LOG_ODD * log_odds_of(probability))))


def added(many: Iterable[Cells]) -> Cells:
    """The cells of several periods, added up."""
    total: Cells = {}
    for cells in many:
        for at, cell in cells.items():
            if at not in total:
                total[at] = Cell()
            total[at].plus(cell.n, cell.left, cell.given, cell.loss)
    return total


def graded(periods: list[Cells], overlap: float, budget_share: float, least: int = ENOUGH) -> Grade:
    """Figures over periods: AUC compares within a period, and so does the budget; the rest is over all of them."""
    cells = added(periods)
    total = totals(cells)
    n, left = total.n, total.left
    if not n:
        return Grade(0, 0, None, None, None, None, None, None, None)
    wins = pairs = hits = taken = 0.0
    for period in periods:
        won, of = pairs_won(period)
        wins, pairs = wins + won, pairs + of
        found, took = at_budget(period, budget_share)
        hits, taken = hits + found, taken + took
    skill = skill_of(wins, pairs, left / overlap, (n - left) / overlap, least)
    low, high = (skill.low, skill.high) if skill is not None else (None, None)
    return Grade(
        n,
        left,
        skill.auc if skill is not None else None,
        low,
        high,
        average_precision(cells) if left >= least * overlap else None,
        total.loss / MICRO / n,
        math.fsum(row.outcomes * abs(row.given - row.observed) for row in reliability(cells, overlap)) / n,
        hits / taken if taken >= ENOUGH else None,
    )


def totals(cells: Cells) -> Cell:
    """All cells in one."""
    total = Cell()
    for cell in cells.values():
        total.plus(cell.n, cell.left, cell.given, cell.loss)
    return total


def pairs_won(cells: Cells) -> tuple[float, int]:
    """Pairs of one who left and one who stayed: in how many the first was given more (equal counts half), and how many.

    >>> pairs_won({1: Cell(2, 0), 5: Cell(2, 1)})
    (2.5, 3)
    """
    stayed, won = 0, 0.0
    for at in sorted(cells):
        here = cells[at].n - cells[at].left
        won += cells[at].left * (stayed + here / 2)
        stayed += here
    return won, totals(cells).left * stayed


def at_budget(cells: Cells, share: float) -> tuple[float, float]:
    """Of the highest probabilities, as large a share as can be acted on: how many left, and how many there are.

    >>> at_budget({1: Cell(8, 0), 5: Cell(2, 1)}, 0.1)
    (0.5, 1.0)
    """
    wanted = share * totals(cells).n
    hits, taken = 0.0, 0.0
    for at in sorted(cells, reverse=True):
        take = min(float(cells[at].n), wanted - taken)
        if take <= 0.0:
            break
        hits += cells[at].left * take / cells[at].n
        taken += take
    return hits, taken


def average_precision(cells: Cells) -> float:
    """Precision at each one who left, averaged; those of one cell are taken together.

    >>> average_precision({1: Cell(3, 0), 5: Cell(2, 1)})
    0.5
    """
    found, total, area = 0, 0, 0.0
    for at in sorted(cells, reverse=True):
        found, total = found + cells[at].left, total + cells[at].n
        area += cells[at].left * found / total
    return area / found if found else 0.0


def reliability(cells: Cells, overlap: float) -> list[Reliable]:
    """What was given beside what came, in at most TABLE_ROWS rows of about equally many outcomes.

    The interval of the share that left is Wilson's (Journal of the American Statistical Association, 1927).

    >>> [row[:4] for row in reliability({-20: Cell(80, 8, 10_000_000), 0: Cell(10, 5, 5_000_000)}, 1.0)]
    [(80, 8, 0.125, 0.1), (10, 5, 0.5, 0.5)]
    """
    n, passed = totals(cells).n, 0
    rows: list[Reliable] = []
    here, ends = Cell(), sorted(cells)
    for at in ends:
        cell = cells[at]
        here.plus(cell.n, cell.left, cell.given, cell.loss)
        if (passed + here.n) * TABLE_ROWS >= n * (len(rows) + 1) or at == ends[-1]:
            rows.append(_reliable(here, overlap))
            passed, here = passed + here.n, Cell()
    return rows


def _reliable(cell: Cell, overlap: float) -> Reliable:
    low, high = wilson(cell.left / overlap, cell.n / overlap)
    return Reliable(cell.n, cell.left, cell.given / MICRO / cell.n, cell.left / cell.n, low, high)
