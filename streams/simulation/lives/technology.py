"""A product that breaks: crashes that are reported and not fixed, outages again and again, or a slow decline."""

from __future__ import annotations

from schemas.app_errors import ErrorRaised, OutageEnded, OutageStarted
from schemas.support import InteractionAssessed, TicketOpened, TicketResolved, TicketUpdated
from schemas.usage import SessionEnded, SessionStarted
from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S, HOUR_S, MINUTE_S
from streams.simulation.lives.story import Cause, Diary, Habits, Story, decision_s, draw_fate, troubled
from streams.simulation.people import FEATURES, Person
from streams.simulation.usage import Errors

CRASHES = Cause("product", ("tech.crashes", "tech.error_burst", "tech.unsupported"))
OUTAGES = Cause("product", ("tech.outage",))
DECLINE = Cause("product", ("quality.decline",))
MINUTE = MINUTE_S / DAY_S
HOUR = HOUR_S / DAY_S


def _crashing_day(diary: Diary, day: float, severity: float) -> None:
    """Attempts that end in errors, more of them and more fatal the more severe it is."""
    dice, at = diary.dice, diary.by_day(day)
    for _ in range(dice.whole(1, 3)):
        diary.note(at, SessionStarted(client="android"))
        for error in range(dice.whole(1, 2 + round(6.0 * severity))):
            fatal = dice.chance(0.15 + 0.5 * severity)
            raised = ErrorRaised(code="E_CRASH" if fatal else "E_STATE", fatal=fatal, feature=dice.pick(FEATURES))
            diary.note(at + (0.3 + error * 0.25) * MINUTE, raised)
        diary.note(at + 4.0 * MINUTE, SessionEnded(duration_s=240.0))
        at += dice.between(10.0, 60.0) * MINUTE


def crashes(person: Person, dice: Dice) -> Story:
    """Two to six weeks of crashes, more often from week to week; reported, and fixed only for those who stay."""
    fate = draw_fate(person, dice)
    diary = Diary(person, fate.onset_s, dice)
    lasts = dice.whole(14, 21) + round(20.0 * fate.severity)
    for day in range(lasts):
        if dice.chance((0.2 + 0.5 * fate.severity) * (0.4 + 0.8 * day / lasts)):
            _crashing_day(diary, float(day), fate.severity)
            if dice.chance(0.15):
                at = diary.by_day(day + 1.0)
                asked = TicketOpened(ticket_id=diary.name("T", at), topic="crash", channel="app", sla_hours=48.0)
                diary.note(at, asked)
                diary.note(at + 5.0 * HOUR, TicketUpdated(ticket_id=diary.name("T", at), by="agent"))
    for happening in list(diary.told):
        if not isinstance(happening.data, TicketOpened):
            continue
        if not fate.leaves:
            diary.note(lasts + 1.0, TicketResolved(ticket_id=happening.data.ticket_id, resolution="solved"))
        elif dice.chance(0.3):
            closed = (happening.time_s - fate.onset_s) / DAY_S + 3.0
            diary.note(closed, TicketResolved(ticket_id=happening.data.ticket_id, resolution="none"))
    left_s = fate.onset_s + 0.7 * lasts * DAY_S + decision_s(dice)
    return troubled("crashes", CRASHES, fate, diary, left_s, Habits(), dice.pick(("does not work", None)))


def outages(person: Person, dice: Dice) -> Story:
    """The part that this customer is on goes down again and again, for half an hour to three, weeks on end."""
    fate = draw_fate(person, dice)
    diary, day = Diary(person, fate.onset_s, dice), 0.0
    for _ in range(2 + round(5.0 * fate.severity)):
        at = diary.by_day(day)
        outage_id = diary.name("O", at)
        lasts = dice.between(20.0, 60.0 + 120.0 * fate.severity) * MINUTE
        diary.note(at, OutageStarted(outage_id=outage_id, service=person.service))
        for _ in range(dice.whole(0, 3)):
            raised = ErrorRaised(code="E_UNAVAILABLE", fatal=dice.chance(0.1), feature=dice.pick(FEATURES))
            diary.note(at + lasts * dice.between(0.05, 0.9), raised)
        diary.note(at + lasts, OutageEnded(outage_id=outage_id))
        if dice.chance(0.3):
            ticket_id = diary.name("T", at)
            diary.note(at + 0.5 * lasts, TicketOpened(ticket_id=ticket_id, topic="outage", channel="app"))
            diary.note(
                at + lasts + dice.between(1.0, 30.0) * HOUR, TicketResolved(ticket_id=ticket_id, resolution="solved")
            )
        day += dice.between(3.0, 11.0)
    left_s = fate.onset_s + day * DAY_S + decision_s(dice)
    return troubled("outages", OUTAGES, fate, diary, left_s, Habits(), dice.pick(("unreliable", None)))


def decline(person: Person, dice: Dice) -> Story:
    """It was good and gets worse from week to week: more errors in every session, more to complain of, all answered."""
    fate = draw_fate(person, dice)
    lasts_s = dice.between(40.0, 70.0) * DAY_S
    worst = 0.12 + 0.3 * fate.severity

    def faults(time_s: float) -> Errors:
        worse = min(1.0, max(0.0, (time_s - fate.onset_s) / (0.7 * lasts_s)))
        if not fate.leaves and time_s > fate.onset_s + lasts_s:
            worse = 0.0
        return Errors(per_session=0.04 + (worst - 0.04) * worse)

    diary, day = Diary(person, fate.onset_s, dice), dice.between(8.0, 20.0)
    while day < lasts_s / DAY_S:
        at = diary.by_day(day)
        ticket_id = diary.name("T", at)
        diary.note(at, TicketOpened(ticket_id=ticket_id, topic=dice.pick(("sync", "export")), channel="app"))
        diary.note(at + dice.between(4.0, 30.0) * HOUR, TicketResolved(ticket_id=ticket_id, resolution="workaround"))
        if dice.chance(0.3):
            mood = round(dice.between(-0.8, -0.2), 2)
            diary.note(at + 1.0, InteractionAssessed(interaction_id=ticket_id, agent_tone=0.4, customer_sentiment=mood))
        day += dice.between(7.0, 32.0 - 20.0 * fate.severity)
    left_s = fate.onset_s + 0.6 * lasts_s + decision_s(dice)
    habits = Habits(faults=faults)
    return troubled("decline", DECLINE, fate, diary, left_s, habits, dice.pick(("got worse", None)))
