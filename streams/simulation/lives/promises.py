"""Promises that are not kept: call-backs that never come, and deliveries after the promised day."""

from __future__ import annotations

from dataclasses import replace

from schemas.engagement import OrderDelayed, OrderFulfilled
from schemas.support import CallAnswered, PromiseBroken, PromiseKept, PromiseMade, TicketOpened, TicketResolved
from streams.simulation.dice import Dice
from streams.simulation.everyday import TOPICS
from streams.simulation.happenings import DAY_S, Happening, Stream
from streams.simulation.lives.story import Cause, Diary, Habits, Story, decision_s, draw_fate, troubled
from streams.simulation.people import PLANS, Person, moment

BROKEN = Cause("service", ("promise.broken",))
LATE = Cause("service", ("promise.missed_date", "availability.uninformed_delay"))
BOX = next(plan for plan in PLANS if plan.name == "box")


def broken_promises(person: Person, dice: Dice) -> Story:
    """A call back, a fix, a credit by Friday: two to five promises, most of them broken, some of those in silence."""
    fate = draw_fate(person, dice)
    diary, day = Diary(person, fate.onset_s, dice), 0.0
    for _ in range(2 + round(3.0 * fate.severity)):
        at = diary.by_day(day)
        promise_id, ticket_id = diary.name("P", at), diary.name("T", at)
        due = at + dice.between(2.0, 6.0)
        due_at = moment(fate.onset_s + due * DAY_S)
        topic, written = dice.pick(TOPICS), dice.chance(0.4)
        if written:
            diary.note(at - 0.05, TicketOpened(ticket_id=ticket_id, topic=topic, channel="email"))
            diary.note(due + dice.between(0.0, 2.0), TicketResolved(ticket_id=ticket_id, resolution="workaround"))
        else:
            diary.note(
                at - 0.01, CallAnswered(call_id=diary.name("C", at), wait_s=dice.between(5.0, 120.0), topic=topic)
            )
        made = PromiseMade(promise_id=promise_id, due_at=due_at, what=dice.pick(("a call back", "a fix", "a credit")))
        diary.note(at, made)
        if dice.chance(0.2):
            diary.note(due - 0.2, PromiseKept(promise_id=promise_id))
        elif dice.chance(0.6):
            diary.note(due + 0.1, PromiseBroken(promise_id=promise_id))
        day += dice.between(7.0, 16.0)
    left_s = fate.onset_s + day * DAY_S + decision_s(dice)
    return troubled("broken_promises", BROKEN, fate, diary, left_s, Habits(), dice.pick(("support", None)))


def late_parcels(person: Person, dice: Dice) -> Story:
    """A box every two weeks that always came in time, and then mostly does not, and nobody says so."""
    fate = draw_fate(person, dice)
    person = replace(person, plan=BOX)
    diary = Diary(person, fate.onset_s, dice)
    troubled_days = dice.between(35.0, 60.0) if fate.leaves else 14.0 + 30.0 * fate.severity
    left_s = fate.onset_s + troubled_days * DAY_S + decision_s(dice)
    story = troubled("late_parcels", LATE, fate, diary, left_s, Habits(), "delivery")
    boxes = _boxes(person, dice.branch("boxes"), fate.onset_s, fate.onset_s + troubled_days * DAY_S, fate.severity)
    return replace(story, streams=(*story.streams, boxes))


def _boxes(person: Person, dice: Dice, from_s: float, to_s: float, severity: float) -> Stream:
    time_s = person.joined_s + 5.0 * DAY_S
    while time_s < person.end_s:
        order_id = person.reference("ORD", time_s)
        promised_s = time_s + 2.0 * DAY_S
        fulfilled_s = promised_s - dice.between(0.1, 1.5) * DAY_S
        bad = from_s <= time_s < to_s and dice.chance(0.65 + 0.3 * severity)
        if bad or dice.chance(1.0 / 25.0):
            fulfilled_s = promised_s + dice.between(1.0, 2.5 + 6.0 * severity * bad) * DAY_S
            delayed = OrderDelayed(
                order_id=order_id,
                promised_at=moment(promised_s),
                informed=dice.chance(0.2 if bad else 0.9),
                new_promised_at=moment(fulfilled_s),
            )
            yield Happening(promised_s - 0.1 * DAY_S, delayed)
        arrived = OrderFulfilled(order_id=order_id, promised_at=moment(promised_s), fulfilled_at=moment(fulfilled_s))
        yield Happening(fulfilled_s, arrived)
        time_s = max(time_s + 14.0 * DAY_S, fulfilled_s + DAY_S)
