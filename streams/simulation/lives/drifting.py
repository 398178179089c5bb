"""Drifting away: uses less from week to week, then nothing, then cancels; some come back from what was a holiday."""

from __future__ import annotations

from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S
from streams.simulation.lives.story import Story, cancellation, draw_fate, usual
from streams.simulation.people import Person


def drifting(person: Person, dice: Dice) -> Story:
    """Activity fades over one to four weeks to nothing, or to a part of it for those who stay."""
    fate = draw_fate(person, dice, leaving=0.65)
    fade_s = dice.between(8.0, 28.0) * DAY_S
    silent_s = dice.between(6.0, 20.0) * DAY_S
    back_s = fate.onset_s + fade_s + silent_s * 0.7
    floor = 0.0 if fate.leaves else 0.7 - 0.6 * fate.severity

    def level(time_s: float) -> float:
        if time_s < fate.onset_s or (not fate.leaves and time_s > back_s):
            return 1.0
        return max(floor, 1.0 - (time_s - fate.onset_s) / fade_s)

    left_s = fate.onset_s + fade_s + silent_s
    return Story(
        person,
        "drifting",
        usual(person, dice, level=level, renews=not fate.leaves),
        churn_type="drifting",
        cause_codes=("value.usage_drop", "value.silence"),
        onset_s=fate.onset_s,
        churned_at_s=left_s if fate.leaves else None,
        aftermath=cancellation(person, dice, left_s, "not used any more") if fate.leaves else (),
    )
