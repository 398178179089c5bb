"""On the way out: to a competitor with everything packed, or quietly at the end of the contract."""

from __future__ import annotations

from dataclasses import replace

from schemas.billing import AutoRenewDisabled
from schemas.engagement import MarketPriceSeen
from schemas.support import InteractionAssessed
from schemas.usage import CancelPageViewed, DataExported, IntegrationRemoved, SeatsChanged
from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S
from streams.simulation.lives.story import Cause, Diary, Habits, Story, draw_fate, troubled
from streams.simulation.people import Person

RIVAL = Cause("competitor", ("exit.competitor", "exit.intent", "price.above_market"))
ENDING = Cause("competitor", ("exit.contract_window", "exit.intent"))


def rival(person: Person, dice: Dice) -> Story:
    """Names a competitor, compares, packs; gone five to ten weeks later. Who stays looks around too, but less."""
    fate = draw_fate(person, dice)
    weight = fate.severity if fate.leaves else 0.4 * fate.severity
    diary = Diary(person, fate.onset_s, dice)

    def named(day: float) -> None:
        at = diary.by_day(day)
        told = InteractionAssessed(
            interaction_id=diary.name("C", at),
            agent_tone=round(dice.between(0.0, 0.8), 2),
            customer_sentiment=round(dice.between(-0.6, 0.2), 2),
            competitor="Northwind",
            mentions_leaving=dice.chance(0.4 * weight),
        )
        diary.note(at, told)

    market = MarketPriceSeen(competitor="Northwind", mrr=round(person.plan.mrr * dice.between(0.7, 1.05), 2))
    if dice.chance(0.5):
        diary.note(diary.by_day(dice.between(0.0, 12.0)), market)
    named(dice.between(0.0, 15.0))
    if dice.chance(0.3 + 0.6 * weight):
        named(dice.between(10.0, 35.0))
    if dice.chance(0.2 + 0.6 * weight):
        diary.note(diary.by_day(dice.between(15.0, 40.0)), DataExported(what="everything"))
    if dice.chance(0.1 + 0.5 * weight):
        diary.note(diary.by_day(dice.between(15.0, 40.0)), IntegrationRemoved(name="calendar"))
    if dice.chance(0.2 + 0.5 * weight):
        diary.note(diary.by_day(dice.between(10.0, 40.0)), CancelPageViewed())
    if person.plan.seats > 1 and dice.chance(0.5 * weight):
        seats = person.plan.seats
        fewer = SeatsChanged(old=seats, new=max(1, seats - 1 - round(5.0 * weight)))
        diary.note(diary.by_day(dice.between(15.0, 35.0)), fewer)
    left_s = fate.onset_s + dice.between(35.0, 70.0) * DAY_S
    return troubled("rival", RIVAL, fate, diary, left_s, Habits(), "switched")


def contract_ends(person: Person, dice: Dice) -> Story:
    """Does not mean to renew: turns automatic renewal off some weeks ahead, and is gone when the contract ends."""
    fate = draw_fate(person, dice)
    ends_s = fate.onset_s + dice.between(30.0, 60.0) * DAY_S
    person = replace(person, contract_ends_s=ends_s)
    diary = Diary(person, fate.onset_s, dice)
    if dice.chance(0.7 if fate.leaves else 0.2):
        diary.note(diary.by_day(dice.between(0.0, 25.0)), AutoRenewDisabled())
    if dice.chance(0.3 + 0.3 * fate.severity):
        diary.note(diary.by_day(dice.between(0.0, 28.0)), CancelPageViewed())
    left_s = ends_s - dice.between(0.0, 2.0) * DAY_S
    return troubled("contract_ends", ENDING, fate, diary, left_s, Habits(), dice.pick(("contract ended", None)))
