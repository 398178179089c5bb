"""The signal catalogue: one file per group; importing this registers every signal."""

from detectors.signals import (
    availability,
    exit,
    loyalty,
    marketing,
    price,
    promise,
    protect,
    quality,
    relationship,
    service,
    service_conduct,
    stages,
    technology,
    value,
)
from detectors.signals.base import CATALOGUE, Because, Moment, Signal, ramp

GROUPS = (
    service,
    service_conduct,
    promise,
    price,
    marketing,
    loyalty,
    value,
    quality,
    technology,
    exit,
    availability,
    relationship,
    stages,
    protect,
)
"""The files of the catalogue, in its order."""

__all__ = ["CATALOGUE", "GROUPS", "Because", "Moment", "Signal", "ramp"]
