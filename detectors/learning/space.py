"""The coordinates of an example: which number stands for which strength, unknown signal or feature.

Rules: a signal's coordinates follow from its number, which is never given twice; a fingerprint over all names says
whether two programs mean the same, so that numbers of another meaning are refused and not learned from.
"""

import math
import zlib
from collections.abc import Iterable, Mapping
from typing import Final

from detectors.customer import Customer
from detectors.learning.features import FEATURES, plain
from detectors.learning.rest import unknown
from detectors.model import Model, probability
from detectors.policy import Policy
from detectors.signals import CATALOGUE

UNKNOWN, FEATURE = 500, 1_000  # strengths below, by the signal's number; then the unknown; then the features
SCALE: Final = 1_000

NAMES: Final[dict[int, str]] = {
    **{s.number: s.code for s in CATALOGUE.values()},
    **{UNKNOWN + s.number: unknown(s.code) for s in CATALOGUE.values()},
    **{FEATURE + i: feature.name for i, feature in enumerate(FEATURES)},
}
"""Coordinate → the name that models know it by."""

SPACE: Final = zlib.crc32("\n".join(f"{at} {name}" for at, name in sorted(NAMES.items())).encode())
"""Fingerprint of all coordinates."""

_UNKNOWN_BITS: Final = tuple((1 << s.number, UNKNOWN + s.number) for s in CATALOGUE.values())


def frozen(c: Customer, now_s: int, policy: Policy, lost_s: int = 0, by_use: bool = False) -> dict[int, int]:
    """Everything a model may know of a customer now, in whole thousandths; its signals have been read.

    `lost_s` and `by_use` as for `detectors.learning.features.plain`.
    """
    values = {number: round(strength * SCALE) for number, strength in c.strengths.items() if number in NAMES}
    values.update((at, SCALE) for bit, at in _UNKNOWN_BITS if not c.known & bit)
    values.update((FEATURE + i, round(value * SCALE)) for i, value in plain(c, now_s, policy, lost_s, by_use).items())
    return {at: value for at, value in values.items() if value}


class Answers:
    """Gives probabilities of frozen values, by one model; `weights` are those of the strengths by number."""

    def __init__(self, model: Model, weights: Mapping[int, float]) -> None:
        self.model = model
        by_name = {name: at for at, name in NAMES.items()}
        self._weights = dict(weights)
        self._weights.update((by_name[name], weight) for name, weight in model.features.items() if name in by_name)

    def give(self, values: Mapping[int, int], segments: Iterable[str]) -> float:
        """The probability that the model gives."""
        weights, features = self._weights, self.model.features
        z = math.fsum(weights.get(at, 0.0) * value for at, value in values.items()) / SCALE
        return probability(self.model.intercept + z + math.fsum(features.get(name, 0.0) for name in segments))


def named(values: dict[int, int], segments: tuple[str, ...]) -> dict[str, float]:
    """The values of an example by name; raises KeyError for a coordinate that is not there."""
    found = {NAMES[at]: value / SCALE for at, value in values.items()}
    found.update((name, 1.0) for name in segments)
    return found
