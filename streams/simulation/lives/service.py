"""Bad service: the same problem again and again, calls that nobody answers, tickets closed without an answer."""

from __future__ import annotations

from typing import Literal

from schemas.retention import CustomerContacted
from schemas.support import (
    CallAbandoned,
    CallAnswered,
    InteractionAssessed,
    PromiseBroken,
    PromiseMade,
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
from streams.simulation.happenings import DAY_S, HOUR_S, MINUTE_S, Happening, in_order
from streams.simulation.lives.story import Story, cancellation, draw_fate, usual
from streams.simulation.people import Person, in_office_hours, moment

UNHELPED: tuple[Literal["none", "refused"], ...] = ("none", "refused")
CAUSES = ("service.unresolved", "service.repeat_contact", "service.call_abandoned", "service.bad_rating")


def failed_contact(person: Person, time_s: float, topic: str, dice: Dice) -> list[Happening]:
    """One round of it: calls in vain, a ticket passed around and closed with nothing, a bad rating."""
    called_s = in_office_hours(time_s, dice)
    ticket_id, call_id = person.reference("T", called_s), person.reference("C", called_s)
    told: list[Happening] = []
    for again in range(dice.whole(1, 2)):
        given_up = CallAbandoned(call_id=f"{call_id}-{again}", wait_s=round(dice.between(150.0, 900.0), 1))
        told.append(Happening(called_s + again * 20.0 * MINUTE_S, given_up))
    if dice.chance(0.5):
        answered = CallAnswered(call_id=call_id, wait_s=round(dice.between(300.0, 900.0), 1), topic=topic)
        told.append(Happening(called_s + HOUR_S, answered))
    opened_s = called_s + 1.5 * HOUR_S
    told.append(Happening(opened_s, TicketOpened(ticket_id=ticket_id, topic=topic, channel="web", priority="high")))
    if dice.chance(0.6):
        told.append(Happening(opened_s + 5.0 * HOUR_S, TicketTransferred(ticket_id=ticket_id)))
    asked_again_s = opened_s + dice.between(6.0, 30.0) * HOUR_S
    told.append(Happening(asked_again_s, TicketUpdated(ticket_id=ticket_id, by="customer")))
    if dice.chance(0.6):
        closed_s = opened_s + dice.between(31.0, 70.0) * HOUR_S
        resolution = dice.pick(UNHELPED)
        told.append(Happening(closed_s, TicketResolved(ticket_id=ticket_id, resolution=resolution)))
        if dice.chance(0.6):
            told.append(Happening(closed_s + HOUR_S, TicketRated(ticket_id=ticket_id, csat=dice.whole(1, 2))))
        if dice.chance(0.4):
            told.append(Happening(closed_s + 2.0 * HOUR_S, TicketReopened(ticket_id=ticket_id)))
    if dice.chance(0.4):
        assessed = InteractionAssessed(
            interaction_id=call_id,
            agent_tone=round(dice.between(-0.9, 0.1), 2),
            customer_sentiment=round(dice.between(-0.9, -0.3), 2),
        )
        told.append(Happening(opened_s + 1.6 * HOUR_S, assessed))
    return told


def broken_word(person: Person, time_s: float, dice: Dice) -> list[Happening]:
    """A promise that is not kept, and a request refused with nothing offered instead."""
    promise_id = person.reference("P", time_s)
    due_s = time_s + dice.between(2.0, 4.0) * DAY_S
    return [
        Happening(time_s, PromiseMade(promise_id=promise_id, due_at=moment(due_s), what="a fix")),
        Happening(due_s + HOUR_S, PromiseBroken(promise_id=promise_id)),
        Happening(due_s + DAY_S, RequestRefused(request="a credit", alternative_offered=False)),
    ]


def retention_call(time_s: float, dice: Dice) -> Happening:
    """A retention agent calls to make good for it."""
    by = dice.pick(("amira", "jonas", "wen"))
    return Happening(time_s, CustomerContacted(playbook="call_back_and_own_it", channel="phone", by=by))


def service(person: Person, dice: Dice) -> Story:
    """Two to six rounds of failed contact within weeks; those who stay are helped at last."""
    fate = draw_fate(person, dice, leaving=0.6)
    topic = dice.pick(TOPICS)
    told: list[Happening] = []
    time_s = fate.onset_s
    for _ in range(1 + round(5.0 * fate.severity)):
        told.extend(failed_contact(person, time_s, topic, dice))
        time_s += dice.between(2.0, 7.0) * DAY_S
    if dice.chance(0.5):
        told.extend(broken_word(person, in_office_hours(time_s, dice), dice))
    left_s = time_s + dice.between(3.0, 15.0) * DAY_S
    if not fate.leaves:
        open_ids = [happening.data.ticket_id for happening in told if isinstance(happening.data, TicketOpened)]
        solved_s = in_office_hours(time_s + 4.0 * DAY_S, dice)
        told.extend(
            Happening(solved_s, TicketResolved(ticket_id=ticket_id, resolution="solved")) for ticket_id in open_ids
        )
        if dice.chance(0.5):
            told.append(retention_call(solved_s + HOUR_S, dice))
    return Story(
        person,
        "service",
        (*usual(person, dice, renews=not fate.leaves), in_order(told)),
        churn_type="service",
        cause_codes=CAUSES,
        onset_s=fate.onset_s,
        churned_at_s=left_s if fate.leaves else None,
        aftermath=cancellation(person, dice, left_s, dice.pick(("support", None))) if fate.leaves else (),
    )
