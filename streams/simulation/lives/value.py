"""It gives less than it did: drifting away, growing out of it, outliving it, and teams that shrink."""

from __future__ import annotations

from dataclasses import replace

from schemas.billing import PlanChanged
from schemas.usage import FeatureReleased, IntegrationRemoved, SeatsChanged
from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S, YEAR_S
from streams.simulation.lives.story import Cause, Diary, Habits, Story, decision_s, draw_fate, troubled
from streams.simulation.people import PLANS, Person

DRIFT = Cause("drifting", ("value.usage_drop", "value.silence"))
SHALLOW = Cause("drifting", ("value.shallow_use", "value.no_news_used"))
OUTLIVED = Cause("drifting", ("lifecycle.past_optimum", "value.usage_drop"))
SEATS = Cause("drifting", ("value.seats_shrinking",))
TEAM = next(plan for plan in PLANS if plan.seats > 1)


def drifting(person: Person, dice: Dice) -> Story:
    """Less from week to week over two to eight weeks, to nothing, or to a part of it and back for those who stay."""
    fate = draw_fate(person, dice)
    fade_s = dice.between(14.0, 56.0) * DAY_S
    back_s = fate.onset_s + fade_s * dice.between(0.9, 1.3)
    floor = 0.0 if fate.leaves else 0.75 - 0.6 * fate.severity

    def level(time_s: float) -> float:
        if time_s < fate.onset_s or (not fate.leaves and time_s > back_s):
            return 1.0
        return max(floor, 1.0 - (time_s - fate.onset_s) / fade_s)

    left_s = fate.onset_s + 0.8 * fade_s + decision_s(dice)
    diary = Diary(person, fate.onset_s, dice)
    return troubled("drifting", DRIFT, fate, diary, left_s, Habits(level=level), "not used any more")


def outgrown(person: Person, dice: Dice) -> Story:
    """Comes as often as ever, for less and less of what is there; what is new is left alone."""
    fate = draw_fate(person, dice)
    person = replace(person, plan=max(person.plan, PLANS[1], key=lambda plan: plan.features))
    lasts_s = dice.between(28.0, 60.0) * DAY_S
    least = 0.5 - 0.4 * fate.severity

    def breadth(time_s: float) -> float:
        if not fate.leaves and time_s > fate.onset_s + 1.5 * lasts_s:
            return 1.0
        return min(1.0, max(least, 1.0 - (time_s - fate.onset_s) / lasts_s))

    diary = Diary(person, fate.onset_s, dice)
    for number in range(1 + round(fate.severity)):
        diary.note(dice.between(0.0, 50.0), FeatureReleased(feature=f"for-some-{number}"))
    left_s = fate.onset_s + lasts_s + decision_s(dice)
    habits = Habits(breadth=breadth, without=frozenset({"news"}))
    return troubled("outgrown", SHALLOW, fate, diary, left_s, habits, "not enough for me")


def outlived(person: Person, dice: Dice) -> Story:
    """Here for two to four years, longer than the need lasts for most; a little less each month, then no more."""
    fate = draw_fate(person, dice)
    person = replace(person, since_s=person.joined_s - dice.between(2.0, 3.2) * YEAR_S)
    fade_s = dice.between(70.0, 130.0) * DAY_S
    least = 0.35 if fate.leaves else 0.7

    def level(time_s: float) -> float:
        return min(1.0, max(least, 1.0 - (time_s - fate.onset_s) / fade_s))

    left_s = fate.onset_s + 0.7 * fade_s + decision_s(dice)
    diary = Diary(person, fate.onset_s, dice)
    return troubled("outlived", OUTLIVED, fate, diary, left_s, Habits(level=level), "no longer needed")


def fewer_seats(person: Person, dice: Dice) -> Story:
    """A team that has fewer people in it every few weeks, then a smaller plan, then none."""
    fate = draw_fate(person, dice)
    person = replace(person, plan=TEAM)
    diary, day, seats = Diary(person, fate.onset_s, dice), 0.4, TEAM.seats
    steps: list[tuple[float, float]] = []
    for _ in range(1 + round(3.0 * fate.severity)):
        fewer = max(1, seats - dice.whole(1, 1 + round(2.5 * fate.severity)))
        diary.note(day, SeatsChanged(old=seats, new=fewer))
        seats = fewer
        steps.append((fate.onset_s + day * DAY_S, 0.4 + 0.6 * seats / TEAM.seats))
        day += dice.between(8.0, 22.0)
    if dice.chance(0.3):
        diary.note(day - 4.0, IntegrationRemoved(name="calendar"))
    if fate.leaves and dice.chance(0.3):
        mrr = TEAM.mrr
        smaller = PlanChanged(old_plan="team", new_plan="plus", old_mrr=mrr, new_mrr=round(mrr * 0.6, 2))
        diary.note(day, smaller)

    def level(time_s: float) -> float:
        return next((share for since_s, share in reversed(steps) if time_s >= since_s), 1.0)

    left_s = fate.onset_s + day * DAY_S + decision_s(dice)
    habits = Habits(level=level, without=frozenset({"seats"}))
    return troubled("fewer_seats", SEATS, fate, diary, left_s, habits, dice.pick(("team dissolved", None)))
