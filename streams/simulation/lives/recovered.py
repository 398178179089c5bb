"""Won back by good service: badly served at first, then well; these become the most loyal."""

from __future__ import annotations

from schemas.engagement import BenefitGranted, ContactMade, ReferralMade
from schemas.support import TicketOpened, TicketRated, TicketResolved, TicketUpdated
from streams.simulation.dice import Dice
from streams.simulation.everyday import TOPICS
from streams.simulation.happenings import DAY_S, HOUR_S, Happening, in_order
from streams.simulation.lives.service import failed_contact
from streams.simulation.lives.story import Story, draw_fate, usual
from streams.simulation.people import Person, in_office_hours


def recovered(person: Person, dice: Dice) -> Story:
    """Two rounds of failed contact, then an apology, a solution within hours, a top rating; all of them stay."""
    fate = draw_fate(person, dice, leaving=0.0)
    topic = dice.pick(TOPICS)
    told = failed_contact(person, fate.onset_s, topic, dice)
    again_s = fate.onset_s + dice.between(2.0, 5.0) * DAY_S
    told.extend(failed_contact(person, again_s, topic, dice))
    open_ids = [happening.data.ticket_id for happening in told if isinstance(happening.data, TicketOpened)]
    solved_s = in_office_hours(again_s + 5.0 * DAY_S, dice)
    last_id = person.reference("T", solved_s)
    told.append(Happening(solved_s, ContactMade(purpose="apology", channel="phone")))
    told.append(Happening(solved_s + 0.1 * HOUR_S, TicketOpened(ticket_id=last_id, topic=topic, channel="phone")))
    told.append(Happening(solved_s + 0.5 * HOUR_S, TicketUpdated(ticket_id=last_id, by="agent")))
    for ticket_id in (*open_ids, last_id):
        told.append(Happening(solved_s + 2.0 * HOUR_S, TicketResolved(ticket_id=ticket_id, resolution="solved")))
    told.append(Happening(solved_s + 3.0 * HOUR_S, TicketRated(ticket_id=last_id, csat=dice.whole(4, 5))))
    told.append(Happening(solved_s + DAY_S, BenefitGranted(kind="credit", value=15.0)))
    if dice.chance(0.4):
        told.append(Happening(solved_s + dice.between(5.0, 30.0) * DAY_S, ReferralMade()))
    return Story(
        person,
        "recovered",
        (*usual(person, dice), in_order(told)),
        cause_codes=("protect.recovered",),
        onset_s=fate.onset_s,
    )
