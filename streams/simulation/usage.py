"""Sessions, features and the odd error: what a customer does when nothing is wrong, scaled by a level over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from schemas.app_errors import ErrorRaised
from schemas.usage import FeatureUsed, SessionEnded, SessionStarted
from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S, HOUR_S, MINUTE_S, Happening, Stream
from streams.simulation.people import FEATURES, Person

Level = Callable[[float], float]
"""How active a customer is at a time, 1 being as usual and 0 not at all."""


def steady(_time_s: float) -> float:
    """As active as usual at any time."""
    return 1.0


@dataclass(frozen=True, slots=True)
class Errors:
    """How often a session meets an error, and how often that error is fatal, as chances."""

    per_session: float = 0.04
    fatal: float = 0.06


Faults = Callable[[float], Errors]
"""What a session may meet at a time."""


def few_errors(_time_s: float, errors: Errors = Errors()) -> Errors:
    """What everybody meets now and then."""
    return errors


def holiday_level(person: Person, time_s: float) -> float:
    """How active the customer's holidays leave them at a time."""
    return min((away.level for away in person.holidays if away.start_s <= time_s < away.end_s), default=1.0)


def sessions(
    person: Person, dice: Dice, level: Level = steady, faults: Faults = few_errors, breadth: Level = steady
) -> Stream:
    """Sessions by the customer's rhythm, at the level of each day; whole days, so the stream stays in order.

    `breadth` is the share of the plan's features that the customer still turns to.
    """
    local_shift_s = person.utc_offset_h * HOUR_S
    day_s = person.joined_s // DAY_S * DAY_S
    while day_s < person.end_s:
        weekday = int(day_s // DAY_S + 3) % 7
        noon_s = day_s + DAY_S / 2.0
        share = level(noon_s) * holiday_level(person, noon_s)
        if dice.chance(person.rhythm.active_chance[weekday] * min(1.0, share)):
            count = max(1, round(dice.whole(*person.rhythm.sessions) * share))
            starts = sorted(_clock_time_s(person, dice) for _ in range(count))
            for index, start in enumerate(starts):
                latest = starts[index + 1] if index + 1 < count else DAY_S
                start_s = day_s + start - local_shift_s
                if start_s >= person.joined_s:
                    features = max(1.0, person.plan.features * breadth(noon_s))
                    yield from _session(dice, start_s, latest - start, features, faults(noon_s))
        day_s += DAY_S


def _clock_time_s(person: Person, dice: Dice) -> float:
    """Seconds since local midnight at which a session starts, by the hours of the rhythm."""
    opens, closes = person.rhythm.hours
    middle, reach = (opens + closes) / 2.0, (closes - opens) / 2.0
    hour = dice.bell(middle, reach / 1.8)
    return min(max(hour, 0.05), 23.5) * HOUR_S


def _session(dice: Dice, start_s: float, room_s: float, features: float, errors: Errors) -> Stream:
    duration_s = min(dice.gap(14.0 * MINUTE_S) + 20.0, room_s * 0.9)
    yield Happening(start_s, SessionStarted(client=dice.weighted(("web", "ios", "android"), (0.5, 0.3, 0.2))))
    steps = dice.whole(1, 2)
    for step in range(steps):
        feature = FEATURES[int(features * dice.between(0.0, 1.0) ** 1.6)]
        at_s = start_s + duration_s * (step + dice.between(0.1, 0.5)) / (steps + 1)
        yield Happening(at_s, FeatureUsed(feature=feature, count=dice.whole(1, 9)))
    if dice.chance(errors.per_session):
        fatal = dice.chance(errors.fatal)
        code = dice.pick(("E_TIMEOUT", "E_NETWORK", "E_STATE", "E_RENDER"))
        yield Happening(start_s + duration_s * 0.95, ErrorRaised(code=code, fatal=fatal, feature=dice.pick(FEATURES)))
    yield Happening(start_s + duration_s, SessionEnded(duration_s=round(duration_s, 1)))
