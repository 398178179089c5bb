"""What made-up businesses are written in: facts of a story that begins on a fixed day."""

from __future__ import annotations

import math
import random
from typing import Final

from benchmarks.events import START_S

DAY_S: Final = 86_400
Fact = tuple[float, str, str, dict[str, object]]  # when (s), type, customer, data


def poisson(rng: random.Random, mean: float) -> int:
    """A Poisson number (Knuth), for small means."""
    edge, n, product = math.exp(-mean), 0, rng.random()
    while product > edge:
        n += 1
        product *= rng.random()
    return n


def day(d: float) -> float:
    """The start of a day of the story, in seconds since the epoch."""
    return START_S - START_S % DAY_S + d * DAY_S
