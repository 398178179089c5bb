"""On the way to a competitor: prices compared, data exported, automatic renewal off, gone when the contract ends."""

from __future__ import annotations

from dataclasses import replace

from schemas.billing import AutoRenewDisabled
from schemas.engagement import MarketPriceSeen
from schemas.support import InteractionAssessed
from schemas.usage import CancelPageViewed, DataExported, IntegrationRemoved, SeatsChanged
from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S, Happening, in_order
from streams.simulation.lives.story import Story, cancellation, draw_fate, usual
from streams.simulation.people import Person, in_office_hours


def rival(person: Person, dice: Dice) -> Story:
    """The contract ends five to eight weeks after the onset; who stays looks around too, but less, and renews."""
    fate = draw_fate(person, dice, leaving=0.6)
    ends_s = fate.onset_s + dice.between(35.0, 55.0) * DAY_S
    person = replace(person, contract_ends_s=ends_s)
    weight = fate.severity if fate.leaves else 0.4 * fate.severity
    told: list[Happening] = []

    def perhaps(chance: float, after_days: tuple[float, float], happening: Happening) -> None:
        if dice.chance(chance):
            at_s = in_office_hours(fate.onset_s + dice.between(*after_days) * DAY_S, dice)
            told.append(happening._replace(time_s=at_s))

    market = MarketPriceSeen(competitor="Northwind", mrr=round(person.plan.mrr * dice.between(0.65, 0.9), 2))
    named = InteractionAssessed(
        interaction_id=person.reference("C", fate.onset_s),
        customer_sentiment=round(dice.between(-0.6, 0.1), 2),
        competitor="Northwind",
        mentions_leaving=dice.chance(0.6),
    )
    perhaps(0.8, (0.0, 10.0), Happening(0.0, market))
    perhaps(0.4 + 0.5 * weight, (2.0, 15.0), Happening(0.0, named))
    perhaps(0.3 + 0.5 * weight, (8.0, 30.0), Happening(0.0, DataExported(what="everything")))
    perhaps(0.2 + 0.4 * weight, (8.0, 30.0), Happening(0.0, IntegrationRemoved(name="calendar")))
    perhaps(0.4 + 0.5 * weight, (5.0, 34.0), Happening(0.0, CancelPageViewed()))
    perhaps(0.5 * weight, (5.0, 34.0), Happening(0.0, CancelPageViewed()))
    if fate.leaves:
        perhaps(0.7, (10.0, 34.0), Happening(0.0, AutoRenewDisabled()))
    if person.plan.seats > 1:
        seats = person.plan.seats
        fewer = SeatsChanged(old=seats, new=max(1, seats - 1 - round(5.0 * weight)))
        perhaps(weight, (5.0, 30.0), Happening(0.0, fewer))
    left_s = ends_s - dice.between(0.0, 3.0) * DAY_S
    return Story(
        person,
        "rival",
        (*usual(person, dice, renews=not fate.leaves), in_order(told)),
        churn_type="competitor",
        cause_codes=("exit.intent", "exit.contract_window", "exit.competitor"),
        onset_s=fate.onset_s,
        churned_at_s=left_s if fate.leaves else None,
        aftermath=cancellation(person, dice, left_s, "switched") if fate.leaves else (),
    )
