"""Unrecognised: billed and never spoken to, loyal and never thanked, written to and never listened to."""

from __future__ import annotations

from dataclasses import replace

from schemas.engagement import OfferDismissed, OfferSent, OptedOut, SurveyAnswered
from schemas.support import PromiseBroken, PromiseMade, TicketOpened, TicketUpdated
from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S, YEAR_S
from streams.simulation.lives.story import Cause, Diary, Fate, Habits, Story, decision_s, draw_fate, troubled
from streams.simulation.people import PLANS, Person, moment

SILENCE = Cause(
    "unrecognised",
    (
        "relationship.billed_in_silence",
        "relationship.moment_of_truth_failed",
        "relationship.giving_balance",
    ),
)
OVERLOOKED = Cause("unrecognised", ("loyalty.newcomer_deal", "loyalty.unrecognised"))
BADGERED = Cause("unrecognised", ("marketing.irrelevant", "marketing.opted_out", "marketing.unheard"))
BOX = next(plan for plan in PLANS if plan.billing_days == 14)
NOTHING_GIVEN = frozenset({"contact", "benefit", "courtesy", "survey", "offer"})


def unheard(person: Person, dice: Dice) -> Story:
    """Billed every two weeks and never given a word; then something goes wrong, and that was the last thing."""
    fate = draw_fate(person, dice)
    told_s = person.end_s - person.joined_s
    failed_s = max(fate.onset_s, person.joined_s + 0.55 * told_s // DAY_S * DAY_S)
    began_s = person.joined_s + dice.between(0.02, 0.2) * told_s
    person = replace(person, plan=BOX)
    diary = Diary(person, failed_s, dice)
    at = diary.by_day(0.0)
    if dice.chance(0.4 + 0.4 * fate.severity):
        ticket_id = diary.name("T", at)
        diary.note(at, TicketOpened(ticket_id=ticket_id, topic="delivery", channel="email"))
        diary.note(at + 2.0, TicketUpdated(ticket_id=ticket_id, by="customer"))
    else:
        promise_id = diary.name("P", at)
        due_at = moment(failed_s + (at + 3.0) * DAY_S)
        diary.note(at, PromiseMade(promise_id=promise_id, due_at=due_at, what="a call back"))
        diary.note(at + 4.0, PromiseBroken(promise_id=promise_id))
    if dice.chance(0.4):
        diary.note(at + 5.0, SurveyAnswered(kind="nps", score=dice.whole(2, 7)))
    left_s = failed_s + decision_s(dice)
    habits = Habits(heard_until_s=began_s, recognised=False, without=NOTHING_GIVEN - {"contact"})
    fate = Fate(began_s, fate.severity, fate.leaves)
    return troubled("unheard", SILENCE, fate, diary, left_s, habits)


def overlooked(person: Person, dice: Dice) -> Story:
    """A customer for years without a thank-you, who sees again and again what those get who come today."""
    fate = draw_fate(person, dice)
    person = replace(person, since_s=person.joined_s - dice.between(1.2, 3.0) * YEAR_S)
    diary, day = Diary(person, fate.onset_s, dice), 0.0
    for _ in range(2 + round(2.0 * fate.severity)):
        at = diary.by_day(day)
        mrr = round(person.plan.mrr * (0.95 - 0.35 * fate.severity), 2)
        deal = OfferSent(offer_id=diary.name("OF", at), channel="web", for_newcomers_only=True, mrr=mrr)
        diary.note(at, deal)
        day += dice.between(5.0, 20.0)
    if dice.chance(0.4):
        diary.note(day - 2.0, SurveyAnswered(kind="nps", score=dice.whole(3, 7)))
    left_s = fate.onset_s + day * DAY_S + decision_s(dice)
    habits = Habits(recognised=False, without=frozenset({"benefit"}))
    return troubled("overlooked", OVERLOOKED, fate, diary, left_s, habits, dice.pick(("newcomers pay less", None)))


def badgered(person: Person, dice: Dice) -> Story:
    """Offers for things they do not want, every few days; what they say about it is answered by nobody."""
    fate = draw_fate(person, dice)
    diary, day = Diary(person, fate.onset_s, dice), 0.0
    lasts = 35.0 + 35.0 * fate.severity
    while day < lasts:
        at = diary.by_day(day)
        offer_id = diary.name("OF", at)
        diary.note(at, OfferSent(offer_id=offer_id, channel=dice.pick(("email", "sms", "phone"))))
        if dice.chance(0.35):
            diary.note(at + dice.between(0.1, 2.0), OfferDismissed(offer_id=offer_id))
        day += dice.between(3.0, 14.0 - 6.0 * fate.severity)
    said = dice.between(8.0, 20.0)
    diary.note(said, SurveyAnswered(kind="feedback"))
    for channel in ("email", "sms")[: dice.whole(0, 1 + round(fate.severity))]:
        diary.note(dice.between(15.0, lasts), OptedOut(channel=channel))
    left_s = fate.onset_s + 0.8 * lasts * DAY_S + decision_s(dice)
    habits = Habits(without=frozenset({"offer", "survey"}))
    return troubled("badgered", BADGERED, fate, diary, left_s, habits, dice.pick(("too much advertising", None)))
