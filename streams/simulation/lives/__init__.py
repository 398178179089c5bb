"""One file per kind of life. A new kind is a function from a customer and dice to a story, and a row of LIVES."""

from __future__ import annotations

from typing import Final

from streams.simulation.lives.beginner import beginner
from streams.simulation.lives.crashes import crashes
from streams.simulation.lives.drifting import drifting
from streams.simulation.lives.healthy import healthy, moved_away
from streams.simulation.lives.payment import payment
from streams.simulation.lives.price import price
from streams.simulation.lives.recovered import recovered
from streams.simulation.lives.rival import rival
from streams.simulation.lives.service import service
from streams.simulation.lives.shop import shop
from streams.simulation.lives.story import Life, Story
from streams.simulation.lives.unheard import unheard

LIVES: Final[tuple[tuple[Life, float], ...]] = (
    (healthy, 0.47),
    (drifting, 0.09),
    (service, 0.09),
    (price, 0.06),
    (payment, 0.06),
    (crashes, 0.05),
    (rival, 0.05),
    (unheard, 0.03),
    (recovered, 0.03),
    (shop, 0.03),
    (beginner, 0.03),
    (moved_away, 0.01),
)
"""Each kind of life, and the share of customers who lead it."""

__all__ = ["LIVES", "Life", "Story"]
