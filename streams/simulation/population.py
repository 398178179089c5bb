"""All customers of a run: who leads which life, their happenings in one stream, and the truth about each of them."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from operator import attrgetter
from typing import Any, Final

from streams.durations import format_time
from streams.simulation.dice import Dice
from streams.simulation.lives import LEAVING, LIVES, QUIET_LIVES, TROUBLED_LIVES, Life, Story
from streams.simulation.people import World, make_person
from streams.simulation.wire import Told

by_time = attrgetter("time_s")


LEAVING_SHARE: Final = 0.18
"""About so many of the customers leave within what is told, where nobody says otherwise."""


def stories(world: World, customers: int, leaving_share: float = LEAVING_SHARE) -> list[Story]:
    """One story per customer; the first ones lead one life of each kind, of the others about `leaving_share` leave.

    Those in trouble are more than those who leave: some are helped, and some put up with it.
    """
    dice = Dice(f"{world.seed}/lives")
    dealt = dice.shuffled(LIVES)
    told: list[Story] = []
    for number in range(customers):
        own = Dice(f"{world.seed}/customer/{number}")
        in_trouble = dice.chance(leaving_share / LEAVING)
        life = _drawn(TROUBLED_LIVES if in_trouble else QUIET_LIVES, dice)
        if number < len(dealt):
            life = dealt[number]
        told.append(life(make_person(world, number, own.branch("person")), own.branch("life")))
    return told


def _drawn(lives: tuple[tuple[Life, float], ...], dice: Dice) -> Life:
    return dice.weighted([life for life, _ in lives], [share for _, share in lives])


def told_in_order(all_stories: list[Story]) -> Iterator[Told]:
    """Everything that happens to everybody, in time order; at the same time, in the order of the customers."""
    return heapq.merge(*(numbered(story) for story in all_stories), key=by_time)


def numbered(story: Story) -> Iterator[Told]:
    """One customer's life with its happenings numbered from 1."""
    customer_id = story.person.customer_id
    for number, happening in enumerate(story.happenings(), start=1):
        yield Told(happening.time_s, customer_id, number, happening.data)


def truth(story: Story) -> dict[str, Any]:
    """What is known about a customer that the events do not say: what was wrong since when, and whether they left.

    `churn_type`, `group` and `signal` are those of an alert that names the cause, null where nothing would make this
    customer leave; `shows_in` are all signals that the trouble is seen in. Who has a cause and no `left_at` had the
    trouble and stayed.
    """
    cause, left_s = story.cause, story.left_s
    if left_s is not None and left_s >= story.person.end_s:
        left_s = None
    return {
        "customer_id": story.person.customer_id,
        "life": story.life,
        "churn_type": None if cause is None else cause.churn_type,
        "group": None if cause is None else cause.group,
        "signal": None if cause is None else cause.signals[0],
        "shows_in": [] if cause is None else list(cause.signals),
        "joined_at": format_time(story.person.joined_s),
        "began_at": None if story.began_s is None else format_time(story.began_s),
        "left_at": None if left_s is None else format_time(left_s),
    }
