"""How good probabilities were, once it is known who left.

Every figure is prequential: the probability was given before the outcome was known, and is not revised
(Dawid, Present position and potential developments: the prequential approach, JRSS A, 1984).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

EDGE = 1e-12  # a probability of exactly 0 or 1 has no finite loss


class Quality(NamedTuple):
    """Figures over all judged rows; None where they are not defined (all of one outcome)."""

    rows: int
    left: int
    roc_auc: float | None
    roc_auc_within_landmarks: float | None
    average_precision: float | None
    log_loss: float | None
    calibration_error: float | None
    precision_at_budget: float | None


def roc_auc(p: Sequence[float], left: Sequence[int]) -> float | None:
    """Probability that one who left was given more than one who stayed; ties count half (Mann-Whitney).

    >>> roc_auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.75
    """
    positives = sum(left)
    negatives = len(left) - positives
    if not positives or not negatives:
        return None
    rank_sum, i, order = 0.0, 0, sorted(range(len(p)), key=p.__getitem__)
    while i < len(order):
        j = i
        while j < len(order) and p[order[j]] == p[order[i]]:
            j += 1
        rank_sum += (i + j + 1) / 2 * sum(left[k] for k in order[i:j])
        i = j
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def average_precision(p: Sequence[float], left: Sequence[int]) -> float | None:
    """Precision at each one who left, averaged; rows of equal probability are taken together.

    >>> round(average_precision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]), 3)
    0.833
    """
    positives = sum(left)
    if not positives:
        return None
    order = sorted(range(len(p)), key=lambda k: -p[k])
    found, total, area, i = 0, 0, 0.0, 0
    while i < len(order):
        j = i
        while j < len(order) and p[order[j]] == p[order[i]]:
            j += 1
        hits = sum(left[k] for k in order[i:j])
        found, total, i = found + hits, j, j
        area += hits * found / total
    return area / positives


def log_loss(p: Sequence[float], left: Sequence[int]) -> float | None:
    """Mean negative log-likelihood, in nats.

    >>> round(log_loss([0.5, 0.5], [0, 1]), 4)
    0.6931
    """
    if not p:
        return None
    return -math.fsum(math.log(max(EDGE, q if y else 1 - q)) for q, y in zip(p, left, strict=True)) / len(p)


def calibration_error(p: Sequence[float], left: Sequence[int], bins: int = 10) -> float | None:
    """Mean distance of said and seen over bins of equally many rows (Naeini et al., AAAI 2015).

    >>> calibration_error([0.5, 0.5, 0.5, 0.5], [0, 1, 0, 1], bins=1)
    0.0
    """
    n = len(p)
    if not n:
        return None
    order = sorted(range(n), key=p.__getitem__)
    error = 0.0
    for b in range(bins):
        rows = order[n * b // bins : n * (b + 1) // bins]
        if rows:
            error += abs(math.fsum(p[k] for k in rows) - sum(left[k] for k in rows))
    return error / n


class Reliable(NamedTuple):
    """About a tenth of the rows, those with the most similar probabilities: what was given, and the share that left."""

    rows: int
    left: int
    given: float
    observed: float


def reliability(p: Sequence[float], left: Sequence[int], bins: int = 10) -> list[Reliable]:
    """The reliability table over bins of equally many rows, lowest probabilities first (DeGroot & Fienberg, 1983).

    >>> reliability([0.1, 0.9, 0.2, 0.8], [0, 1, 0, 1], bins=2)
    [Reliable(rows=2, left=0, given=0.15, observed=0.0), Reliable(rows=2, left=2, given=0.85, observed=1.0)]
    """
    n = len(p)
    order = sorted(range(n), key=lambda k: (p[k], k))
    table = []
    for b in range(bins):
        rows = order[n * b // bins : n * (b + 1) // bins]
        if rows:
            hits = sum(left[k] for k in rows)
            table.append(
                Reliable(len(rows), hits, round(math.fsum(p[k] for k in rows) / len(rows), 6), hits / len(rows))
            )
    return table


class Judged:
    """Collects (landmark, probability, outcome) and says how good the probabilities were."""

    def __init__(self, budget_share: float) -> None:
        self.budget_share = budget_share  # of the customers of a landmark, how many can be acted on
        self.p: list[float] = []
        self.left: list[int] = []
        self._landmarks: list[tuple[int, int]] = []

    def landmark(self, p: Sequence[float], left: Sequence[int]) -> None:
        """Add one landmark's rows."""
        start = len(self.p)
        self.p += p
        self.left += left
        self._landmarks.append((start, len(self.p)))

    def quality(self) -> Quality:
        """The figures over everything collected."""
        hits = taken = 0
        within: list[float] = []
        for start, end in self._landmarks:
            p, left = self.p[start:end], self.left[start:end]
            if (auc := roc_auc(p, left)) is not None:
                within.append(auc)
            best = sorted(range(len(p)), key=lambda k: (-p[k], k))[: math.ceil(len(p) * self.budget_share)]
            hits += sum(left[k] for k in best)
            taken += len(best)
        return Quality(
            rows=len(self.p),
            left=sum(self.left),
            roc_auc=roc_auc(self.p, self.left),
            roc_auc_within_landmarks=math.fsum(within) / len(within) if within else None,
            average_precision=average_precision(self.p, self.left),
            log_loss=log_loss(self.p, self.left),
            calibration_error=calibration_error(self.p, self.left),
            precision_at_budget=hits / taken if taken else None,
        )
