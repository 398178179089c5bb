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

__all__ = [
    "CATALOGUE",
    "Because",
    "Moment",
    "Signal",
    "availability",
    "exit",
    "loyalty",
    "marketing",
    "price",
    "promise",
    "protect",
    "quality",
    "ramp",
    "relationship",
    "service",
    "service_conduct",
    "stages",
    "technology",
    "value",
]
