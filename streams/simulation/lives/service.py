"""Bad service: the same problem again and again, weeks of waiting, and people who do not want to help."""

from __future__ import annotations

from typing import Literal

from schemas.engagement import SurveyAnswered
from schemas.retention import CustomerContacted
from schemas.support import (
    CallAbandoned,
    CallAnswered,
    InteractionAssessed,
    RequestRefused,
    TicketOpened,
    TicketRated,
    TicketReopened,
    TicketResolved,
    TicketTransferred,
    TicketUpdated,
)
from streams.simulation.dice import Dice
from streams.simulation.everyday import TOPICS
from streams.simulation.happenings import DAY_S, HOUR_S, MINUTE_S
from streams.simulation.lives.story import Cause, Diary, Fate, Habits, Story, decision_s, draw_fate, troubled
from streams.simulation.people import Person

UNHELPED: tuple[Literal["none", "refused"], ...] = ("none", "refused")
HALF_HELPED: tuple[Literal["refused", "solved", "workaround"], ...] = ("refused", "solved", "workaround")
HOUR = HOUR_S / DAY_S
MINUTE = MINUTE_S / DAY_S

UNSOLVED = Cause(
    "service", ("service.unresolved", "service.repeat_contact", "service.call_abandoned", "service.bad_rating")
)
SLOW = Cause("service", ("service.slow_resolution", "service.slow_answer", "service.left_in_the_dark"))
RUDE = Cause("service", ("service.rude_treatment", "service.refused_request", "service.handoffs", "service.bad_rating"))


def failed_contact(diary: Diary, day: float, topic: str) -> None:
    """One round of it: calls in vain, a ticket passed around and closed with nothing, a bad rating."""
    dice = diary.dice
    day = diary.by_day(day)
    ticket_id, call_id = diary.name("T", day), diary.name("C", day)
    for again in range(dice.whole(1, 2)):
        given_up = CallAbandoned(call_id=f"{call_id}-{again}", wait_s=round(dice.between(60.0, 900.0), 1))
        diary.note(day + again * 20.0 * MINUTE, given_up)
    if dice.chance(0.5):
        wait_s = round(dice.between(200.0, 900.0), 1)
        diary.note(day + HOUR, CallAnswered(call_id=call_id, wait_s=wait_s, topic=topic))
    opened = day + 1.5 * HOUR
    diary.note(opened, TicketOpened(ticket_id=ticket_id, topic=topic, channel="web", priority="high"))
    if dice.chance(0.5):
        diary.note(opened + 5.0 * HOUR, TicketTransferred(ticket_id=ticket_id))
    diary.note(opened + dice.between(6.0, 30.0) * HOUR, TicketUpdated(ticket_id=ticket_id, by="customer"))
    if dice.chance(0.6):
        closed = opened + dice.between(31.0, 70.0) * HOUR
        diary.note(closed, TicketResolved(ticket_id=ticket_id, resolution=dice.pick(UNHELPED)))
        if dice.chance(0.6):
            diary.note(closed + HOUR, TicketRated(ticket_id=ticket_id, csat=dice.whole(1, 3)))
        if dice.chance(0.4):
            diary.note(closed + 2.0 * HOUR, TicketReopened(ticket_id=ticket_id))
    if dice.chance(0.3):
        diary.note(
            opened + 1.6 * HOUR,
            InteractionAssessed(
                interaction_id=call_id,
                agent_tone=round(dice.between(-0.7, 0.4), 2),
                customer_sentiment=round(dice.between(-0.9, -0.3), 2),
            ),
        )


def helped_at_last(diary: Diary, day: float) -> None:
    """Whatever is open is solved on that day, and half of them get a call that makes good for it."""
    day = diary.by_day(day)
    for happening in list(diary.told):
        if isinstance(happening.data, TicketOpened):
            diary.note(day, TicketResolved(ticket_id=happening.data.ticket_id, resolution="solved"))
    if diary.dice.chance(0.5):
        by = diary.dice.pick(("amira", "jonas", "wen"))
        diary.note(day + HOUR, CustomerContacted(playbook="call_back_and_own_it", channel="phone", by=by))


def _ended(name: str, cause: Cause, fate: Fate, diary: Diary, day: float) -> Story:
    """Those who stay are helped some days after the last failure; the others leave when they have had enough."""
    left_s = fate.onset_s + day * DAY_S + decision_s(diary.dice)
    if not fate.leaves:
        helped_at_last(diary, day + diary.dice.between(2.0, 9.0))
    return troubled(name, cause, fate, diary, left_s, Habits(), diary.dice.pick(("support", None)))


def unsolved(person: Person, dice: Dice) -> Story:
    """The same problem in two to six rounds of failed contact, each some days after the one before."""
    fate = draw_fate(person, dice)
    diary, day, topic = Diary(person, fate.onset_s, dice), 0.0, dice.pick(TOPICS)
    for _ in range(1 + round(5.0 * fate.severity)):
        failed_contact(diary, day, topic)
        day += dice.between(3.0, 11.0)
    return _ended("unsolved", UNSOLVED, fate, diary, day)


def slow(person: Person, dice: Dice) -> Story:
    """Different questions, each answered kindly and far too late: long waits, tickets that lie for weeks."""
    fate = draw_fate(person, dice)
    diary, day = Diary(person, fate.onset_s, dice), 0.0
    for _ in range(2 + round(3.0 * fate.severity)):
        at, topic = diary.by_day(day), dice.pick(TOPICS)
        call_id, ticket_id = diary.name("C", at), diary.name("T", at)
        if dice.chance(0.3):
            given_up = CallAbandoned(call_id=f"{call_id}-0", wait_s=round(dice.between(90.0, 900.0), 1))
            diary.note(at - 30.0 * MINUTE, given_up)
        if dice.chance(0.7):
            wait_s = round(dice.between(240.0, 600.0 + 900.0 * fate.severity), 1)
            diary.note(at, CallAnswered(call_id=call_id, wait_s=wait_s, topic=topic))
        sla_hours = dice.pick((24.0, 48.0, None))
        opened = TicketOpened(ticket_id=ticket_id, topic=topic, channel="phone", sla_hours=sla_hours)
        diary.note(at + 10.0 * MINUTE, opened)
        lasts = dice.between(4.0, 8.0 + 12.0 * fate.severity)
        diary.note(at + 0.4 * lasts, TicketUpdated(ticket_id=ticket_id, by="customer"))
        if dice.chance(0.4):
            diary.note(at + 0.7 * lasts, TicketUpdated(ticket_id=ticket_id, by="agent"))
        if dice.chance(0.8):
            diary.note(at + lasts, TicketResolved(ticket_id=ticket_id, resolution="solved"))
            if dice.chance(0.4):
                diary.note(at + lasts + 2.0 * HOUR, TicketRated(ticket_id=ticket_id, csat=dice.whole(1, 4)))
        day += dice.between(5.0, 16.0)
    return _ended("slow", SLOW, fate, diary, day)


def rude(person: Person, dice: Dice) -> Story:
    """Passed from one to the next, refused by the book with nothing offered instead, and talked down to."""
    fate = draw_fate(person, dice)
    diary, day = Diary(person, fate.onset_s, dice), 0.0
    for _ in range(2 + round(3.0 * fate.severity)):
        at = diary.by_day(day)
        ticket_id = diary.name("T", at)
        diary.note(at, TicketOpened(ticket_id=ticket_id, topic=dice.pick(TOPICS), channel="chat"))
        for again in range(dice.whole(0, 1 + round(3.0 * fate.severity))):
            diary.note(at + (1.0 + again) * HOUR, TicketTransferred(ticket_id=ticket_id))
        diary.note(at + 5.0 * HOUR, TicketUpdated(ticket_id=ticket_id, by="agent"))
        if dice.chance(0.75):
            tone = round(dice.between(-0.95, -0.1), 2)
            sentiment = round(dice.between(-0.9, -0.2), 2)
            diary.note(
                at + 6.0 * HOUR,
                InteractionAssessed(interaction_id=ticket_id, agent_tone=tone, customer_sentiment=sentiment),
            )
        if dice.chance(0.6):
            diary.note(at + 6.5 * HOUR, RequestRefused(request="an exception", alternative_offered=False))
        resolution = dice.pick(HALF_HELPED)
        diary.note(at + dice.between(8.0, 40.0) * HOUR, TicketResolved(ticket_id=ticket_id, resolution=resolution))
        if dice.chance(0.4):
            diary.note(at + 41.0 * HOUR, TicketRated(ticket_id=ticket_id, csat=dice.whole(1, 3)))
        if dice.chance(0.2):
            diary.note(at + 50.0 * HOUR, SurveyAnswered(kind="nps", score=dice.whole(0, 6)))
        day += dice.between(6.0, 18.0)
    return _ended("rude", RUDE, fate, diary, day)
