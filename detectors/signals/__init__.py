"""The signal catalogue: one file per group; importing this registers every signal."""

from detectors.signals import exit, price, protect, relationship, service, technology, value
from detectors.signals.base import CATALOGUE, Because, Moment, Signal, ramp

__all__ = [
    "CATALOGUE",
    "Because",
    "Moment",
    "Signal",
    "exit",
    "price",
    "protect",
    "ramp",
    "relationship",
    "service",
    "technology",
    "value",
]
