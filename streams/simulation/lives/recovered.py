"""Won back by good service: badly served at first, then well; these become the most loyal."""

from __future__ import annotations

from schemas.engagement import BenefitGranted, ContactMade, ReferralMade
from schemas.support import TicketOpened, TicketRated, TicketResolved, TicketUpdated
from streams.simulation.dice import Dice
from streams.simulation.everyday import TOPICS
from streams.simulation.lives.service import HOUR, UNSOLVED, failed_contact
from streams.simulation.lives.story import Diary, Habits, Story, draw_fate, usual
from streams.simulation.people import Person


def recovered(person: Person, dice: Dice) -> Story:
    """Two rounds of failed contact, then an apology, a solution within hours, a top rating; all of them stay."""
    fate = draw_fate(person, dice)
    topic = dice.pick(TOPICS)
    diary = Diary(person, fate.onset_s, dice)
    failed_contact(diary, 0.0, topic)
    again = dice.between(3.0, 9.0)
    failed_contact(diary, again, topic)
    open_ids = [happening.data.ticket_id for happening in diary.told if isinstance(happening.data, TicketOpened)]
    solved = diary.by_day(again + 5.0)
    last_id = diary.name("T", solved)
    diary.note(solved, ContactMade(purpose="apology", channel="phone"))
    diary.note(solved + 0.1 * HOUR, TicketOpened(ticket_id=last_id, topic=topic, channel="phone"))
    diary.note(solved + 0.5 * HOUR, TicketUpdated(ticket_id=last_id, by="agent"))
    for ticket_id in (*open_ids, last_id):
        diary.note(solved + 2.0 * HOUR, TicketResolved(ticket_id=ticket_id, resolution="solved"))
    diary.note(solved + 3.0 * HOUR, TicketRated(ticket_id=last_id, csat=dice.whole(4, 5)))
    diary.note(solved + 1.0, BenefitGranted(kind="credit", value=15.0))
    if dice.chance(0.4):
        diary.note(solved + dice.between(5.0, 30.0), ReferralMade())
    streams = (*usual(person, dice, Habits()), diary.stream())
    return Story(person, "recovered", streams, UNSOLVED, fate.onset_s)
