"""Lives without trouble: those who simply stay, those who speak well of us, and those whose need is gone."""

from __future__ import annotations

from schemas.engagement import ContactMade, FeedbackAnswered, OfferAccepted, OfferSent, ReferralMade, SurveyAnswered
from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S
from streams.simulation.lives.story import Diary, Habits, Story, cancellation, usual
from streams.simulation.people import Person


def healthy(person: Person, dice: Dice) -> Story:
    """Stays, by one of several rhythms, with no more than everyday trouble."""
    return Story(person, "healthy", usual(person, dice, Habits()))


def advocate(person: Person, dice: Dice) -> Story:
    """Stays, brings others along, takes what is offered, and says so in every survey."""
    diary, day = Diary(person, person.joined_s, dice), dice.between(5.0, 40.0)
    while day < (person.end_s - person.joined_s) / DAY_S:
        at = diary.by_day(day)
        match dice.pick(("referral", "nps", "offer", "invitation")):
            case "referral":
                diary.note(at, ReferralMade())
            case "nps":
                diary.note(at, SurveyAnswered(kind="nps", score=dice.whole(9, 10)))
                diary.note(at + dice.between(1.0, 6.0), FeedbackAnswered())
            case "offer":
                diary.note(at, OfferSent(offer_id=diary.name("OF", at), channel="email"))
                diary.note(at + 0.5, OfferAccepted(offer_id=diary.name("OF", at)))
            case _:
                diary.note(at, ContactMade(purpose="invitation", channel="email"))
        day += dice.gap(30.0) + 1.0
    return Story(person, "advocate", (*usual(person, dice, Habits()), diary.stream()))


def need_gone(person: Person, dice: Dice) -> Story:
    """Leaves from one day to the next, for a reason that left no trace: no signal can find these."""
    left_s = person.joined_s + dice.between(0.3, 0.95) * (person.end_s - person.joined_s) + DAY_S
    reason = dice.pick((None, "moved", "no longer needed"))
    streams = usual(person, dice, Habits(renews=False))
    return Story(person, "need_gone", streams, left_s=left_s, aftermath=cancellation(person, dice, left_s, reason))
