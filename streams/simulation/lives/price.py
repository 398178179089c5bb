"""A price rise: a tenth to two fifths more for the same plan, with or without notice; then a complaint."""

from __future__ import annotations

from typing import Literal

from schemas.support import TicketOpened, TicketResolved
from schemas.usage import CancelPageViewed
from streams.simulation.billing import ordinary_prices
from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S, HOUR_S, Happening, in_order
from streams.simulation.lives.story import Story, cancellation, draw_fate, usual
from streams.simulation.people import Person, in_office_hours


def price(person: Person, dice: Dice) -> Story:
    """The rise comes into force at the onset; who leaves does so within six weeks, half of them after a complaint."""
    fate = draw_fate(person, dice, leaving=0.55)
    rise = 0.08 + 0.3 * fate.severity
    notice_s = dice.pick((0.0, 7.0, 14.0, 35.0)) * DAY_S
    in_force_s = fate.onset_s + notice_s
    prices = ordinary_prices(person, dice.branch("prices")).with_rise(rise, in_force_s, fate.onset_s)
    left_s = in_force_s + dice.between(4.0, 42.0) * DAY_S
    told: list[Happening] = []
    if dice.chance(0.3 + 0.4 * fate.severity):
        asked_s = in_office_hours(in_force_s + DAY_S, dice)
        ticket_id = person.reference("T", asked_s)
        answer: Literal["refused", "solved"] = "refused" if fate.leaves else "solved"
        told.append(Happening(asked_s, TicketOpened(ticket_id=ticket_id, topic="billing", channel="email")))
        told.append(Happening(asked_s + 5.0 * HOUR_S, TicketResolved(ticket_id=ticket_id, resolution=answer)))
    if fate.leaves and dice.chance(0.5):
        told.append(Happening(left_s - dice.between(0.2, 3.0) * DAY_S, CancelPageViewed()))
    return Story(
        person,
        "price",
        (*usual(person, dice, prices=prices, renews=not fate.leaves), in_order(told)),
        churn_type="price",
        cause_codes=("price.increase",),
        onset_s=fate.onset_s,
        churned_at_s=left_s if fate.leaves else None,
        aftermath=cancellation(person, dice, left_s, "too expensive") if fate.leaves else (),
    )
