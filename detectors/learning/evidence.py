"""What outcomes say of the probabilities that were given before them: skill with its interval, loss, calibration.

Rules: only probabilities given at the landmark are judged, none is revised; AUC compares customers of the same
landmark week, so that knowing the base rate earns nothing; neighbouring landmarks of one customer share most of their
horizon, so the interval counts a customer's outcomes once per horizon and not once per landmark.
"""

import math
from typing import Final, NamedTuple

import msgspec

from detectors.quality import average_precision, calibration_error, log_loss

WEEK_S: Final = 7 * 86_400
KEPT: Final = 4_000  # the newest outcomes are what is judged
ENOUGH: Final = 25  # of either outcome, horizon by horizon, before anything is said
Z: Final = 1.96
BASE_OF: Final = 2_000  # newest outcomes that say what share leaves
BASE_PRIOR: Final = 20  # with as many more, one of whom left


class Skill(NamedTuple):
    """AUC within landmark weeks, and its 95 % interval."""

    auc: float
    low: float
    high: float

    @property
    def is_proven(self) -> bool:
        """Whether chance is out of the question."""
        return self.low > 0.5


class Evidence(msgspec.Struct):
    """The newest outcomes with the probabilities that were given: plain numbers, the oldest first."""

    weeks: list[int] = []
    given: list[float] = []
    left: list[int] = []

    def add(self, landmark_s: int, probability: float, left: bool) -> None:
        """Take up one outcome."""
        self.weeks.append(landmark_s // WEEK_S)
        self.given.append(probability)
        self.left.append(int(left))
        if len(self.given) >= 2 * KEPT:
            del self.weeks[:-KEPT], self.given[:-KEPT], self.left[:-KEPT]

    def skill(self, overlap: float) -> Skill | None:
        """The skill; None while too few outcomes are known. `overlap` is how many landmarks share one horizon.

        >>> evidence = Evidence()
        >>> for i in range(400): evidence.add(0, i / 400, i % 4 == 0 or i > 300)
        >>> evidence.skill(1.0).is_proven
        True
        """
        weeks, given, left = self.weeks[-KEPT:], self.given[-KEPT:], self.left[-KEPT:]
        groups: dict[int, list[tuple[float, int]]] = {}
        for week, p, y in zip(weeks, given, left, strict=True):
            groups.setdefault(week, []).append((p, y))
        wins = pairs = 0.0
        for rows in groups.values():
            won, of = _pairs_won(rows)
            wins, pairs = wins + won, pairs + of
        positives = sum(left) / overlap
        negatives = (len(left) - sum(left)) / overlap
        return skill_of(wins, pairs, positives, negatives)

    def base_rate(self) -> float:
        """The share that left of the newest outcomes; never 0 or 1.

        >>> Evidence(left=[0, 0, 1, 0]).base_rate()
        0.0833
        """
        left = self.left[-BASE_OF:]
        return round((sum(left) + 1) / (len(left) + BASE_PRIOR), 4)

    def figures(self) -> dict[str, float]:
        """Log loss, average precision and calibration error over the newest outcomes."""
        given, left = self.given[-KEPT:], self.left[-KEPT:]
        found = {
            "outcomes": float(len(left)),
            "left": float(sum(left)),
            "log_loss": log_loss(given, left),
            "average_precision": average_precision(given, left),
            "calibration_error": calibration_error(given, left),
        }
        return {name: value for name, value in found.items() if value is not None}


def skill_of(wins: float, pairs: float, positives: float, negatives: float, least: int = ENOUGH) -> Skill | None:
    """AUC of pairs won with its interval; None while fewer than `least` of either, once per horizon, are known.

    The interval is that of Hanley & McNeil (Radiology, 1982).

    >>> [round(x, 3) for x in skill_of(750.0, 1_000.0, 25.0, 40.0)]
    [0.75, 0.623, 0.877]
    """
    if not pairs or min(positives, negatives) < least:
        return None
    auc = wins / pairs
    q1, q2 = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    spread = auc * (1 - auc) + (positives - 1) * (q1 - auc * auc) + (negatives - 1) * (q2 - auc * auc)
    half = Z * math.sqrt(max(0.0, spread) / (positives * negatives))
    return Skill(auc, max(0.0, auc - half), min(1.0, auc + half))


def _pairs_won(rows: list[tuple[float, int]]) -> tuple[float, int]:
    """Pairs of one who left and one who stayed: in how many the first had the higher probability, and how many."""
    rows = sorted(rows)
    stayed = won = 0.0
    left, i = 0, 0
    while i < len(rows):
        j, here = i, 0
        while j < len(rows) and rows[j][0] == rows[i][0]:
            here += rows[j][1]
            j += 1
        others = j - i - here
        won += here * (stayed + others / 2)
        stayed, left, i = stayed + others, left + here, j
    return won, left * int(stayed)
