"""A logistic model that learns one outcome at a time and starts from what is believed before any.

Weights are a Gaussian belief: a mean and a full covariance. Each outcome moves both by one step of Newton's method on
its own likelihood (the extended Kalman filter of a logistic model; Spiegelhalter & Lauritzen, Networks, 1990; online
Newton steps: Hazan, Agarwal & Kale, Machine Learning, 2007). What is believed strongly moves slowly, what was never
seen moves at once, so a wrong sign turns within a few hundred outcomes. With time the belief widens a little, so that
it goes on learning.

Rules: a coordinate exists from the first time that it is not zero; every number is finite before it is learned from;
the state is plain numbers, and a belief that was stored and restored goes on bit for bit.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np

from detectors.model import probability

INTERCEPT: Final = ""
MAX_COORDINATES: Final = 400  # signals, known or not, features and some dozens of plans
FAR: Final = 30.0  # log-odds beyond which an outcome says nothing new


class Belief(msgspec.Struct):
    """What is believed of one weight before anything was learned, in log-odds."""

    mean: float = 0.0
    sd: float = 0.3


class Pace(msgspec.Struct, frozen=True):
    """How fast a belief moves."""

    weight: float = 0.5  # of an outcome: neighbouring landmarks of a customer share most of their horizon
    widening: float = 0.000015  # share of the first variance that comes back per day
    drift: float = 0.00005  # variance that the intercept gains per day: base rates move


class StoredBelief(msgspec.Struct):
    """The state as plain numbers: names, means, and the lower triangle of the covariance row by row."""

    names: list[str]
    means: list[float]
    covariance: list[float]
    learned: int
    time_s: int


class OnlineLogistic:
    """The belief, and how outcomes move it.

    >>> model = OnlineLogistic({"": Belief(-3.0, 1.0), "use.recency": Belief()})
    >>> for _ in range(50): model.learn({"use.recency": 2.0}, True)
    >>> model.log_odds({"use.recency": 2.0}) > model.log_odds({}) > -3.0
    True
    """

    def __init__(self, beliefs: Mapping[str, Belief], pace: Pace | None = None) -> None:
        self.beliefs = dict(beliefs)
        self.pace = pace if pace is not None else Pace()
        self.names: list[str] = []
        self.index: dict[str, int] = {}
        self.mean = np.zeros(0)
        self.covariance = np.zeros((0, 0))
        self.learned = 0
        self.time_s = 0
        self._grow([INTERCEPT])

    def _belief(self, name: str) -> Belief:
        return self.beliefs.get(name) or Belief()

    def _grow(self, names: list[str]) -> None:
        """Add coordinates with what is believed of them."""
        names = names[: max(0, MAX_COORDINATES - len(self.names))]
        if not names:
            return
        before, after = len(self.names), len(self.names) + len(names)
        covariance = np.zeros((after, after))
        covariance[:before, :before] = self.covariance
        for i, name in enumerate(names, start=before):
            self.index[name] = i
            covariance[i, i] = self._belief(name).sd ** 2
        self.mean = np.concatenate([self.mean, [self._belief(name).mean for name in names]])
        self.covariance = covariance
        self.names += names

    def log_odds(self, values: Mapping[str, float]) -> float:
        """Log-odds of leaving; coordinates that nothing was learned of count with their first belief."""
        z = float(self.mean[0])
        for name, value in values.items():
            i = self.index.get(name)
            z += value * (float(self.mean[i]) if i is not None else self._belief(name).mean)
        return z

    def learn(self, values: Mapping[str, float], left: bool, weight: float = 1.0) -> None:
        """Take up one outcome; raises ValueError, having changed nothing, if a number is not finite."""
        if not all(map(math.isfinite, values.values())) or not math.isfinite(weight):
            raise ValueError("every number of an example must be finite")
        index = self.index
        new = [name for name, value in values.items() if value and name not in index]
        if new:
            self._grow(sorted(new))
        at, xs = [0], [1.0]
        for name, value in values.items():
            i = index.get(name)
            if value and i is not None:
                at.append(i)
                xs.append(value)
        x = np.array(xs)
        px = self.covariance[:, at] @ x
        p = probability(max(-FAR, min(FAR, float(self.mean[at] @ x))))
        weight *= self.pace.weight
        curvature = weight * max(p * (1.0 - p), 1e-6)
        scale = 1.0 + curvature * max(0.0, float(px[at] @ x))
        self.covariance -= np.outer(px, px) * (curvature / scale)  # in this order it stays symmetric to the last bit
        self.mean += px * (weight * (float(left) - p) / scale)
        self.learned += 1

    def passed(self, time_s: int) -> None:
        """Widen the belief by the time since it was last widened, in seconds since the epoch, a day at least."""
        if not self.time_s:
            self.time_s = time_s
        days = (time_s - self.time_s) // 86_400
        if days <= 0:
            return
        self.time_s += days * 86_400
        first = np.array([self._belief(name).sd ** 2 for name in self.names])
        diagonal = np.einsum("ii->i", self.covariance)
        diagonal += np.minimum(first * (self.pace.widening * days), np.maximum(first - diagonal, 0.0))
        diagonal[0] = min(diagonal[0] + self.pace.drift * days, max(diagonal[0], first[0]))

    def weights(self) -> dict[str, float]:
        """The mean of every coordinate there is, the intercept under the empty name."""
        return {name: float(value) for name, value in zip(self.names, self.mean, strict=True)}

    def snapshot(self) -> dict[str, Any]:
        """The state as plain numbers."""
        lower = self.covariance[np.tril_indices(len(self.names))]
        stored = StoredBelief(list(self.names), self.mean.tolist(), lower.tolist(), self.learned, self.time_s)
        return msgspec.structs.asdict(stored)

    def restore(self, stored: StoredBelief) -> None:
        """Go on from a stored state; raises ValueError for one that is not whole or not finite."""
        n = len(stored.names)
        numbers = (*stored.means, *stored.covariance)
        if n == 0 or stored.names[0] != INTERCEPT or len(set(stored.names)) != n or n > MAX_COORDINATES:
            raise ValueError("names of a stored belief: the intercept first, and each once")
        if len(stored.means) != n or len(stored.covariance) != n * (n + 1) // 2:
            raise ValueError(f"a stored belief of {n} coordinates is truncated")
        if not all(map(math.isfinite, numbers)):
            raise ValueError("every number of a stored belief must be finite")
        covariance = np.zeros((n, n))
        covariance[np.tril_indices(n)] = stored.covariance
        self.covariance = covariance + np.tril(covariance, -1).T
        self.mean = np.array(stored.means)
        self.names, self.index = list(stored.names), {name: i for i, name in enumerate(stored.names)}
        self.learned, self.time_s = stored.learned, stored.time_s
