"""All customers of a run: who leads which life, their happenings in one stream, and the truth about each of them."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from streams.durations import format_time
from streams.simulation.dice import Dice
from streams.simulation.lives import LIVES, Life, Story
from streams.simulation.people import World, make_person
from streams.simulation.wire import Told

by_time = attrgetter("time_s")


def stories(world: World, customers: int) -> list[Story]:
    """One story per customer; the first customers lead one life of each kind, the others by the shares of LIVES."""
    dice = Dice(f"{world.seed}/lives")
    dealt: list[Life] = [life for life, _share in dice.shuffled(LIVES)]
    kinds, shares = [life for life, _share in LIVES], [share for _life, share in LIVES]
    told: list[Story] = []
    for number in range(customers):
        own = Dice(f"{world.seed}/customer/{number}")
        life = dealt[number] if number < len(dealt) else dice.weighted(kinds, shares)
        told.append(life(make_person(world, number, own.branch("person")), own.branch("life")))
    return told


def told_in_order(all_stories: list[Story]) -> Iterator[Told]:
    """Everything that happens to everybody, in time order; at the same time, in the order of the customers."""
    return heapq.merge(*(numbered(story) for story in all_stories), key=by_time)


def numbered(story: Story) -> Iterator[Told]:
    """One customer's life with its happenings numbered from 1."""
    customer_id = story.person.customer_id
    for number, happening in enumerate(story.happenings(), start=1):
        yield Told(happening.time_s, customer_id, number, happening.data)


def truth(story: Story) -> dict[str, Any]:
    """What is known about a customer that the events do not say: the life, its cause, and whether it ended in time.

    `cause` is a `churn_type` of the alert, or null where nothing would make this customer leave; `cause_codes` are
    the signals it shows in. A customer with a cause and no `churned_at` had the trouble and stayed.
    """
    churned_at_s = story.churned_at_s
    if churned_at_s is not None and churned_at_s >= story.person.end_s:
        churned_at_s = None
    return {
        "customer_id": story.person.customer_id,
        "life": story.life,
        "cause": story.churn_type,
        "cause_codes": list(story.cause_codes),
        "onset_at": None if story.onset_s is None else format_time(story.onset_s),
        "churned_at": None if churned_at_s is None else format_time(churned_at_s),
    }
