"""A product that breaks: bursts of errors and crashes, reported and not fixed."""

from __future__ import annotations

from schemas.app_errors import ErrorRaised
from schemas.support import TicketOpened, TicketResolved
from schemas.usage import SessionEnded, SessionStarted
from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S, MINUTE_S, Happening, in_order
from streams.simulation.lives.story import Story, cancellation, draw_fate, usual
from streams.simulation.people import FEATURES, Person, in_office_hours


def crashing_day(day_s: float, severity: float, dice: Dice) -> list[Happening]:
    """A day of attempts that end in errors, more of them and more fatal the more severe it is."""
    told: list[Happening] = []
    time_s = in_office_hours(day_s, dice)
    for _ in range(dice.whole(1, 3)):
        told.append(Happening(time_s, SessionStarted(client="android")))
        for error in range(dice.whole(2, 3 + round(7.0 * severity))):
            fatal = dice.chance(0.2 + 0.5 * severity)
            raised = ErrorRaised(code="E_CRASH" if fatal else "E_STATE", fatal=fatal, feature=dice.pick(FEATURES))
            told.append(Happening(time_s + 20.0 + error * 15.0, raised))
        told.append(Happening(time_s + 4.0 * MINUTE_S, SessionEnded(duration_s=240.0)))
        time_s += dice.between(10.0, 60.0) * MINUTE_S
    return told


def crashes(person: Person, dice: Dice) -> Story:
    """One to five weeks of crashes on most days; a ticket about it that is solved only for those who stay."""
    fate = draw_fate(person, dice, leaving=0.6)
    lasts_days = dice.whole(4, 8) + round(20.0 * fate.severity)
    told: list[Happening] = []
    for day in range(lasts_days):
        if dice.chance(0.4 + 0.4 * fate.severity):
            told.extend(crashing_day(fate.onset_s + day * DAY_S, fate.severity, dice))
    reported_s = in_office_hours(fate.onset_s + dice.between(1.0, 4.0) * DAY_S, dice)
    ticket_id = person.reference("T", reported_s)
    told.append(Happening(reported_s, TicketOpened(ticket_id=ticket_id, topic="crash", channel="app", sla_hours=24.0)))
    over_s = fate.onset_s + lasts_days * DAY_S
    if not fate.leaves:
        told.append(Happening(over_s, TicketResolved(ticket_id=ticket_id, resolution="solved")))
    left_s = over_s + dice.between(1.0, 8.0) * DAY_S
    return Story(
        person,
        "crashes",
        (*usual(person, dice, renews=not fate.leaves), in_order(told)),
        churn_type="product",
        cause_codes=("tech.error_burst", "tech.crashes"),
        onset_s=fate.onset_s,
        churned_at_s=left_s if fate.leaves else None,
        aftermath=cancellation(person, dice, left_s, "does not work") if fate.leaves else (),
    )
