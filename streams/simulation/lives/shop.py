"""A shop without subscriptions: orders at the customer's own pace, until what was wanted was not there too often.

These never cancel. One who stays away is gone when INACTIVITY_DAYS have passed since the last order.
"""

from __future__ import annotations

from typing import Literal

from schemas.billing import OrderPlaced
from schemas.engagement import ItemUnavailable, OrderDelayed, OrderFulfilled
from streams.simulation.dice import Dice
from streams.simulation.everyday import everyday
from streams.simulation.happenings import DAY_S, HOUR_S, Happening, Stream, in_order, until
from streams.simulation.lives.story import Story, draw_fate
from streams.simulation.people import Person, in_office_hours, moment

INACTIVITY_DAYS = 90.0
ITEMS = ("kettle", "lamp", "rug", "shelf", "chair")
Response = Literal["none", "alternative", "partner", "deferred"]
REPULSED: tuple[Response, ...] = ("none", "none", "deferred")
HELPED: tuple[Response, ...] = ("alternative", "partner", "none")


def _orders(person: Person, dice: Dice, stop_s: float) -> Stream:
    """Orders with gaps around the customer's own; one delivery in twelve is late, and most of those are told so."""
    own_gap_s = dice.between(9.0, 24.0) * DAY_S
    time_s = person.joined_s
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
        time_s = max(time_s + own_gap_s * dice.between(0.6, 1.5), fulfilled_s + HOUR_S)


def shop(person: Person, dice: Dice) -> Story:
    """Turned away two to four times: those who leave order no more, the others take the alternative."""
    fate = draw_fate(person, dice, leaving=0.55)
    told: list[Happening] = []
    time_s = fate.onset_s
    for _ in range(1 + round(3.0 * fate.severity)):
        asked_s = in_office_hours(time_s, dice)
        response = dice.pick(REPULSED if fate.leaves else HELPED)
        told.append(Happening(asked_s, ItemUnavailable(item=dice.pick(ITEMS), response=response)))
        time_s += dice.between(3.0, 10.0) * DAY_S
    orders_stop_s = fate.onset_s + DAY_S if fate.leaves else person.end_s
    # The same branch draws the same orders again: this pass only asks when the last one is placed.
    orders = list(_orders(person, dice.branch("orders"), orders_stop_s)) if fate.leaves else []
    placed_s = [order.time_s for order in orders if isinstance(order.data, OrderPlaced)]
    streams = (
        _orders(person, dice.branch("orders"), orders_stop_s),
        in_order(told),
        until(everyday(person, dice.branch("everyday")), time_s if fate.leaves else person.end_s),
    )
    return Story(
        person,
        "shop",
        streams,
        churn_type="service",
        cause_codes=("availability.turned_away", "value.silence"),
        onset_s=fate.onset_s,
        churned_at_s=placed_s[-1] + INACTIVITY_DAYS * DAY_S if fate.leaves else None,
    )
