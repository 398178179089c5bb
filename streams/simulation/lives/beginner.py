"""Leads and trials: some start to use what they tried, and pay; others never get going."""

from __future__ import annotations

from dataclasses import replace

from schemas.billing import RefundIssued, SubscriptionStarted
from schemas.engagement import LeadRegistered
from schemas.usage import CancelPageViewed, FeatureUsed, SessionEnded, SessionStarted
from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S, HOUR_S, Happening, Stream, in_order
from streams.simulation.lives.story import Story, cancellation, draw_fate, usual
from streams.simulation.people import Person, in_office_hours, moment

TRIAL_DAYS = 14.0


def _first_steps(trial_s: float, dice: Dice) -> list[Happening]:
    started_s = in_office_hours(trial_s + dice.between(0.0, 2.0) * DAY_S, dice)
    started_s = max(started_s, trial_s + HOUR_S)
    return [
        Happening(started_s, SessionStarted(client="web")),
        Happening(started_s + 60.0, FeatureUsed(feature="board")),
        Happening(started_s + 300.0, SessionEnded(duration_s=300.0)),
    ]


def beginner(person: Person, dice: Dice) -> Story:
    """A lead, then a trial; those who leave never come back after a first look, the others become subscribers."""
    fate = draw_fate(person, dice, leaving=0.65)
    lead_s = person.joined_s
    trial_s = lead_s + dice.between(0.5, 8.0) * DAY_S
    over_s = trial_s + TRIAL_DAYS * DAY_S
    told = [
        Happening(lead_s, LeadRegistered()),
        Happening(
            trial_s,
            SubscriptionStarted(
                plan=person.plan.name,
                mrr=person.plan.mrr,
                trial=True,
                contract_ends_at=moment(over_s),
                acquired_via="advert",
            ),
        ),
        *_first_steps(trial_s, dice),
    ]
    streams: tuple[Stream, ...]
    if fate.leaves:
        if dice.chance(0.5):
            told.append(Happening(over_s - dice.between(1.0, 5.0) * DAY_S, CancelPageViewed()))
        if dice.chance(0.25):
            told.append(Happening(over_s - HOUR_S, RefundIssued(amount=person.plan.mrr, reason="second thoughts")))
        streams = (in_order(told),)
    else:
        streams = (in_order(told), *usual(replace(person, joined_s=over_s, contract_ends_s=None), dice))
    return Story(
        person,
        "beginner",
        streams,
        churn_type="never_activated",
        cause_codes=("lead.stalled", "onboarding.second_thoughts"),
        onset_s=trial_s,
        churned_at_s=over_s if fate.leaves else None,
        aftermath=cancellation(person, dice, over_s, None) if fate.leaves else (),
    )
