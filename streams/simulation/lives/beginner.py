"""Beginners: leads and trials that stall, and purchases that are regretted; some start to use what they tried."""

from __future__ import annotations

from dataclasses import replace

from schemas.billing import RefundIssued, SubscriptionStarted
from schemas.engagement import LeadRegistered
from schemas.usage import CancelPageViewed, FeatureUsed, SessionEnded, SessionStarted
from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S, HOUR_S, Stream
from streams.simulation.lives.story import (
    Cause,
    Diary,
    Habits,
    Story,
    cancellation,
    draw_fate,
    usual,
)
from streams.simulation.people import Person, moment

STALLED = Cause("never_activated", ("lead.stalled",))
REGRET = Cause("never_activated", ("onboarding.second_thoughts",))


def _look(diary: Diary, day: float) -> None:
    at = diary.by_day(day)
    diary.note(at, SessionStarted(client="web"))
    diary.note(at + 60.0 / DAY_S, FeatureUsed(feature="board"))
    diary.note(at + 300.0 / DAY_S, SessionEnded(duration_s=300.0))


def stalled_trial(person: Person, dice: Dice) -> Story:
    """A lead, then a trial of two to six weeks; those who leave have a look or two, the others become subscribers."""
    fate = draw_fate(person, dice)
    lead_s = person.joined_s // DAY_S * DAY_S
    waits, trial = dice.between(1.0, 12.0), dice.pick((14.0, 30.0, 30.0, 42.0))
    diary, over = Diary(person, lead_s, dice), waits + trial
    over_s = lead_s + over * DAY_S
    started = SubscriptionStarted(
        plan=person.plan.name, mrr=person.plan.mrr, trial=True, contract_ends_at=moment(over_s), acquired_via="advert"
    )
    diary.note(0.4, LeadRegistered())
    diary.note(waits, started)
    _look(diary, waits + 1.0)
    if not fate.leaves:
        for step in range(round(trial) - 3):
            if dice.chance(0.35):
                _look(diary, waits + 2.0 + step)
        paying = replace(person, joined_s=over_s, since_s=over_s, contract_ends_s=None)
        streams: tuple[Stream, ...] = (diary.stream(), *usual(paying, dice, Habits()))
        return Story(person, "stalled_trial", streams, STALLED, lead_s)
    if dice.chance(0.5):
        _look(diary, waits + dice.between(2.0, 0.4 * trial))
    if dice.chance(0.4):
        diary.note(over - dice.between(1.0, 6.0), CancelPageViewed())
    ended = cancellation(person, dice, over_s, None)
    return Story(person, "stalled_trial", (diary.stream(),), STALLED, lead_s + waits * DAY_S, over_s, ended)


def second_thoughts(person: Person, dice: Dice) -> Story:
    """Bought, and regretted: hardly begun with, no word from the business, a look at the exit, money back."""
    fate = draw_fate(person, dice)
    person = replace(person, since_s=person.joined_s)
    began_s = person.joined_s
    quiet_days = dice.between(25.0, 40.0)
    low = 0.25 - 0.2 * fate.severity

    def level(time_s: float) -> float:
        return low if time_s < began_s + quiet_days * DAY_S or fate.leaves else 1.0

    diary = Diary(person, began_s, dice)
    if dice.chance(0.3 + 0.5 * fate.severity):
        diary.note(dice.between(4.0, 16.0), CancelPageViewed())
    if dice.chance(0.2 + 0.4 * fate.severity):
        diary.note(dice.between(6.0, 20.0), RefundIssued(amount=round(person.plan.mrr * 0.5, 2), reason="regret"))
    habits = Habits(level=level, renews=not fate.leaves, without=frozenset({"contact", "benefit", "courtesy"}))
    streams = (*usual(person, dice, habits), diary.stream())
    if not fate.leaves:
        return Story(person, "second_thoughts", streams, REGRET, began_s)
    left_s = began_s + dice.between(20.0, 60.0) * DAY_S + HOUR_S
    ended = cancellation(person, dice, left_s, dice.pick(("changed my mind", None)))
    return Story(person, "second_thoughts", streams, REGRET, began_s, left_s, ended)
