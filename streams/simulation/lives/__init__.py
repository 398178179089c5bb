"""One file per kind of trouble. A new life is a function from a customer and dice to a story, and a row of a table."""

from __future__ import annotations

from typing import Final

from streams.simulation.lives.beginner import second_thoughts, stalled_trial
from streams.simulation.lives.fees import hidden_fees
from streams.simulation.lives.healthy import advocate, healthy, need_gone
from streams.simulation.lives.payment import payment
from streams.simulation.lives.price import (
    cheaper_elsewhere,
    discount,
    ever_new_terms,
    misfit,
    price,
    stepping_down,
)
from streams.simulation.lives.promises import broken_promises, late_parcels
from streams.simulation.lives.recovered import recovered
from streams.simulation.lives.rival import contract_ends, rival
from streams.simulation.lives.service import rude, slow, unsolved
from streams.simulation.lives.shop import quiet_shopper, shopper, turned_away
from streams.simulation.lives.story import LEAVING, Cause, Life, Story
from streams.simulation.lives.technology import crashes, decline, outages
from streams.simulation.lives.unheard import badgered, overlooked, unheard
from streams.simulation.lives.value import drifting, fewer_seats, outgrown, outlived

QUIET_LIVES: Final[tuple[tuple[Life, float], ...]] = (
    (healthy, 0.84),
    (advocate, 0.07),
    (shopper, 0.05),
    (recovered, 0.03),
    (need_gone, 0.01),
)
"""The lives of those whom nothing makes leave, and the share of each among them."""

TROUBLED_LIVES: Final[tuple[tuple[Life, float], ...]] = (
    (unsolved, 10.0),
    (slow, 8.0),
    (rude, 5.0),
    (broken_promises, 5.0),
    (late_parcels, 3.0),
    (price, 7.0),
    (discount, 3.0),
    (cheaper_elsewhere, 3.0),
    (misfit, 3.0),
    (ever_new_terms, 2.0),
    (stepping_down, 2.0),
    (hidden_fees, 4.0),
    (payment, 9.0),
    (crashes, 5.0),
    (outages, 3.0),
    (decline, 3.0),
    (turned_away, 4.0),
    (rival, 5.0),
    (contract_ends, 4.0),
    (unheard, 5.0),
    (overlooked, 3.0),
    (badgered, 3.0),
    (stalled_trial, 5.0),
    (second_thoughts, 4.0),
    (drifting, 8.0),
    (quiet_shopper, 3.0),
    (outgrown, 2.0),
    (outlived, 2.0),
    (fewer_seats, 3.0),
)
"""The lives of those with a reason to leave, and how often each comes among them; service is what fails most."""

LIVES: Final = tuple(life for life, _ in (*QUIET_LIVES, *TROUBLED_LIVES))
"""Every kind of life."""

__all__ = ["LEAVING", "LIVES", "QUIET_LIVES", "TROUBLED_LIVES", "Cause", "Life", "Story"]
