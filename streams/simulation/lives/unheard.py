"""Billed in silence: invoices and nothing else for months, until the first thing that goes wrong is the last."""

from __future__ import annotations

from dataclasses import replace

from schemas.engagement import OfferSent, SurveyAnswered
from schemas.support import TicketOpened, TicketUpdated
from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S, Happening, in_order
from streams.simulation.lives.story import Story, cancellation, draw_fate, usual
from streams.simulation.people import PLANS, Person, in_office_hours

BOX = next(plan for plan in PLANS if plan.billing_days == 14)


def unheard(person: Person, dice: Dice) -> Story:
    """Billed every two weeks, and never given a word from the first weeks on; then one bad moment."""
    fate = draw_fate(person, dice, leaving=0.55)
    told_s = person.end_s - person.joined_s
    fate = replace(fate, onset_s=max(fate.onset_s, person.joined_s + 0.6 * told_s))
    person = replace(person, plan=BOX)
    heard_until_s = person.joined_s + dice.between(0.02, 0.25) * told_s
    told: list[Happening] = []
    if dice.chance(0.6):
        offered_s = fate.onset_s - dice.between(5.0, 25.0) * DAY_S
        deal = OfferSent(
            offer_id=person.reference("OF", offered_s),
            channel="web",
            for_newcomers_only=True,
            mrr=round(person.plan.mrr * 0.7, 2),
        )
        told.append(Happening(offered_s, deal))
    asked_s = in_office_hours(fate.onset_s, dice)
    if dice.chance(0.3 + 0.4 * fate.severity):
        ticket_id = person.reference("T", asked_s)
        told.append(Happening(asked_s, TicketOpened(ticket_id=ticket_id, topic="delivery", channel="email")))
        told.append(Happening(asked_s + 2.0 * DAY_S, TicketUpdated(ticket_id=ticket_id, by="customer")))
    if dice.chance(0.4):
        told.append(Happening(asked_s + 3.0 * DAY_S, SurveyAnswered(kind="nps", score=dice.whole(2, 6))))
    left_s = fate.onset_s + dice.between(4.0, 30.0) * DAY_S
    return Story(
        person,
        "unheard",
        (*usual(person, dice, heard_until_s=heard_until_s, renews=not fate.leaves), in_order(told)),
        churn_type="unrecognised",
        cause_codes=("relationship.billed_in_silence",),
        onset_s=fate.onset_s,
        churned_at_s=left_s if fate.leaves else None,
        aftermath=cancellation(person, dice, left_s, None) if fate.leaves else (),
    )
