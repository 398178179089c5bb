"""What a learned model adds besides the signals: the customer's own part of the intercept, exact and by what it means.

Rules: what is known of a customer's signals (known or not) and of the customer is read at the same moment; the parts
add up to the log-odds of the model; the prior model has no features, and costs nothing here.
"""

from collections.abc import Mapping
from typing import NamedTuple

from detectors.customer import Customer
from detectors.learning.features import FEATURES, plain
from detectors.model import Model
from detectors.policy import Policy


class Rest(NamedTuple):
    """Log-odds besides weight × strength: all of it, and how much of that speaks for which signal."""

    log_odds: float
    speaks_for: dict[int, float]  # signal number → its share


def unknown(code: str) -> str:
    """The coordinate that is 1 while a signal has not seen its inputs."""
    return f"unknown:{code}"


def segments(c: Customer) -> dict[str, float]:
    """The groups that a customer is of, each with an intercept of its own."""
    found = {}
    if c.plan:
        found[f"plan:{c.plan}"] = 1.0
    if c.channel:
        found[f"via:{c.channel}"] = 1.0
    return found


class Reader:
    """Reads the rest of customers with one model; `numbers` are those of the signals by code."""

    def __init__(self, policy: Policy, model: Model, numbers: Mapping[str, int]) -> None:
        self.policy, self.model = policy, model
        self.learned = bool(model.features)
        self._weights = tuple(model.features.get(feature.name, 0.0) for feature in FEATURES)
        self._speaks = tuple(numbers.get(feature.speaks_for, 0) for feature in FEATURES)
        self._usual = tuple(model.usual.get(feature.name, 0.0) for feature in FEATURES)
        # What features add at their usual values is said of nobody in particular.
        self._offset: dict[int, float] = {}
        for number, weight, usual in zip(self._speaks, self._weights, self._usual, strict=True):
            if number:
                self._offset[number] = self._offset.get(number, 0.0) - weight * usual
        self._unknown = tuple(
            (1 << number, weight)
            for code, number in sorted(numbers.items(), key=lambda item: item[1])
            if (weight := model.features.get(unknown(code), 0.0))
        )

    def read(self, c: Customer, now_s: int, lost_s: int = 0, by_use: bool = False) -> Rest:
        """The rest of a customer at a time in seconds since the epoch; its signals have been read.

        `lost_s` and `by_use` as for `detectors.learning.features.plain`.
        """
        z = self.model.intercept
        if not self.learned:
            return Rest(z, {})
        weights, speaks, shares = self._weights, self._speaks, dict(self._offset)
        for i, value in plain(c, now_s, self.policy, lost_s, by_use).items():
            part = weights[i] * value
            z += part
            if number := speaks[i]:
                shares[number] += part
        for bit, weight in self._unknown:
            if not c.known & bit:
                z += weight
        for name in segments(c):
            z += self.model.features.get(name, 0.0)
        return Rest(z, shares)
