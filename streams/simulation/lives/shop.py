"""Shops without subscriptions: orders at the customer's own pace, until they stay away.

These never cancel. One who stays away is gone when INACTIVITY_DAYS have passed since the last order.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from schemas.billing import OrderPlaced
from schemas.engagement import ItemUnavailable, OrderDelayed, OrderFulfilled
from streams.simulation.dice import Dice
from streams.simulation.everyday import everyday
from streams.simulation.happenings import DAY_S, HOUR_S, Happening, Stream, until
from streams.simulation.lives.story import Cause, Diary, Fate, Story, draw_fate
from streams.simulation.people import Person, moment

INACTIVITY_DAYS = 90.0
ITEMS = ("kettle", "lamp", "rug", "shelf", "chair")
Response = Literal["none", "alternative", "partner", "deferred"]
REPULSED: tuple[Response, ...] = ("none", "none", "deferred")
HELPED: tuple[Response, ...] = ("alternative", "partner", "none")
TURNED_AWAY = Cause("product", ("availability.turned_away",))
QUIET = Cause("drifting", ("value.silence",))
NOT_FOR_SHOPS = frozenset({"seats", "look", "market", "discount", "terms", "news"})


def _orders(person: Person, dice: Dice, stop_s: float, own_gap_s: float, slows_s: float | None = None) -> Stream:
    """Orders with gaps around the customer's own; one delivery in twelve is late, and most of those are told so.

    From `slows_s` on each gap is longer than the one before.
    """
    time_s, gap_s = person.joined_s, own_gap_s
    while time_s < stop_s:
        order_id = person.reference("ORD", time_s)
        amount = round(10.0 + dice.gap(45.0), 2)
        promised_s = time_s + 3.0 * DAY_S
        yield Happening(time_s, OrderPlaced(order_id=order_id, amount=amount, items=dice.whole(1, 5)))
        fulfilled_s = time_s + dice.between(1.0, 2.9) * DAY_S
        if dice.chance(1.0 / 12.0):
            later_s = promised_s + dice.between(1.0, 3.0) * DAY_S
            delayed = OrderDelayed(
                order_id=order_id,
                promised_at=moment(promised_s),
                new_promised_at=moment(later_s),
                informed=dice.chance(0.8),
            )
            yield Happening(promised_s - HOUR_S, delayed)
            fulfilled_s = later_s - HOUR_S
        fulfilled = OrderFulfilled(order_id=order_id, promised_at=moment(promised_s), fulfilled_at=moment(fulfilled_s))
        yield Happening(fulfilled_s, fulfilled)
        if slows_s is not None and time_s > slows_s:
            gap_s *= 1.5
        time_s = max(time_s + gap_s * dice.between(0.6, 1.5), fulfilled_s + HOUR_S)


def _shop(
    name: str, cause: Cause | None, fate: Fate, diary: Diary, stop_s: float, slows_s: float | None = None
) -> Story:
    """A shopper who places no order from `stop_s` on if leaving is their fate."""
    person, dice = diary.person, diary.dice
    own_gap_s = dice.between(9.0, 24.0) * DAY_S
    if not fate.leaves:
        stop_s = person.end_s

    def orders() -> Stream:  # each call draws the same orders again
        return _orders(person, dice.branch("orders"), stop_s, own_gap_s, slows_s)

    noise = everyday(person, dice.branch("everyday"), without=NOT_FOR_SHOPS)
    began_s = fate.onset_s if cause is not None else None
    if not fate.leaves:
        return Story(person, name, (orders(), diary.stream(), noise), cause, began_s)
    last_s = [order.time_s for order in orders() if isinstance(order.data, OrderPlaced)][-1]
    heard = until(noise, stop_s + 20.0 * DAY_S)
    return Story(person, name, (orders(), diary.stream(), heard), cause, began_s, last_s + INACTIVITY_DAYS * DAY_S)


def shopper(person: Person, dice: Dice) -> Story:
    """Orders again and again, and has no reason not to."""
    fate = Fate(person.end_s, 0.0, leaves=False)
    return _shop("shopper", None, fate, Diary(person, person.joined_s, dice), person.end_s)


def turned_away(person: Person, dice: Dice) -> Story:
    """What was wanted is not there, two to four times within weeks: some take the alternative, the others go."""
    fate = draw_fate(person, dice)
    fate = replace(fate, onset_s=min(fate.onset_s, max(person.end_s - 150.0 * DAY_S, person.joined_s + 50.0 * DAY_S)))
    diary, day = Diary(person, fate.onset_s, dice), 0.0
    for _ in range(2 + round(2.0 * fate.severity)):
        response = dice.pick(REPULSED if fate.leaves else HELPED)
        diary.note(diary.by_day(day), ItemUnavailable(item=dice.pick(ITEMS), response=response))
        day += dice.between(4.0, 14.0)
    return _shop("turned_away", TURNED_AWAY, fate, diary, fate.onset_s + (day - 3.0) * DAY_S)


def quiet_shopper(person: Person, dice: Dice) -> Story:
    """Nothing goes wrong: each gap is longer than the one before, and then there is no other order."""
    fate = draw_fate(person, dice)
    fate = replace(fate, onset_s=min(fate.onset_s, max(person.end_s - 190.0 * DAY_S, person.joined_s + 50.0 * DAY_S)))
    diary = Diary(person, fate.onset_s, dice)
    stop_s = fate.onset_s + dice.between(15.0, 60.0) * DAY_S
    slows_s = fate.onset_s if fate.leaves else None
    if fate.leaves:
        return _shop("quiet_shopper", QUIET, fate, diary, stop_s, slows_s)
    return _shop("quiet_shopper", None, fate, diary, stop_s)
