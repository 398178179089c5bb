"""Lives without trouble: those who simply stay, and those who leave for reasons that no business could see."""

from __future__ import annotations

from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S
from streams.simulation.lives.story import Story, cancellation, usual
from streams.simulation.people import Person


def healthy(person: Person, dice: Dice) -> Story:
    """Stays, by one of several rhythms, with no more than everyday trouble."""
    return Story(person, "healthy", usual(person, dice))


def moved_away(person: Person, dice: Dice) -> Story:
    """Leaves from one day to the next, for a reason that left no trace: no signal can find these."""
    left_s = person.joined_s + dice.between(0.3, 0.95) * (person.end_s - person.joined_s) + DAY_S
    reason = dice.pick((None, "moved", "no longer needed"))
    return Story(
        person,
        "moved_away",
        usual(person, dice, renews=False),
        churned_at_s=left_s,
        aftermath=cancellation(person, dice, left_s, reason),
    )
