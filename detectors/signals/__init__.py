"""The signal catalogue: one file per group; importing this registers every signal."""

from detectors.signals import (
    exit,
    price,
    promise,
    protect,
    relationship,
    service,
    service_conduct,
    technology,
    value,
)
from detectors.signals.base import CATALOGUE, Because, Moment, Signal, ramp

__all__ = [
    "CATALOGUE",
    "Because",
    "Moment",
    "Signal",
    "exit",
    "price",
    "promise",
    "protect",
    "ramp",
    "relationship",
    "service",
    "service_conduct",
    "technology",
    "value",
]
