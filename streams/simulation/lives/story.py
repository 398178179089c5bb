"""What every kind of life is made of: a fate that is drawn first, and the streams that lead up to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from schemas.alerts import ChurnType
from schemas.billing import AutoRenewDisabled, SubscriptionCancelled
from schemas.fields import Data
from schemas.retention import ErasureRequested
from schemas.usage import CancelPageViewed, DataExported
from streams.simulation.billing import (
    Bill,
    PriceBook,
    Quota,
    as_quoted,
    invoices,
    ordinary_prices,
    price_changes,
    subscription,
    well_used,
)
from streams.simulation.dice import Dice
from streams.simulation.everyday import everyday
from streams.simulation.happenings import DAY_S, HOUR_S, Happening, Stream, in_order, merged, until
from streams.simulation.people import Person, in_office_hours, moment
from streams.simulation.usage import Faults, Level, few_errors, sessions, steady

LEAVING = 0.58
"""How many of those in trouble leave because of it; the others are helped, or put up with it."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a life makes customers leave: what type of leaving, and the signals of the catalogue it shows in.

    The first signal is what is really wrong, and its group is the true one; the others are what else is seen of it.
    """

    churn_type: ChurnType
    signals: tuple[str, ...]

    @property
    def group(self) -> str:
        """The signal group of what is really wrong.

        >>> Cause("price", ("fairness.hidden_fee", "promise.price_gap")).group
        'fairness'
        """
        return self.signals[0].partition(".")[0]


@dataclass(frozen=True, slots=True)
class Fate:
    """When trouble starts, how bad it is (0 to 1), and whether the customer leaves because of it."""

    onset_s: float
    severity: float
    leaves: bool


def draw_fate(person: Person, dice: Dice, leaving: float = LEAVING) -> Fate:
    """A fate with trouble in the middle of what is told; `leaving` is the chance to leave at middle severity.

    Worse trouble makes more of them leave, and some stay all the same: that is what makes a probability worth learning.
    """
    told_s = person.end_s - person.joined_s
    onset_s = (person.joined_s + dice.between(0.3, 0.8) * told_s) // DAY_S * DAY_S
    severity = dice.between(0.2, 1.0)
    return Fate(onset_s, severity, dice.chance(leaving + (severity - 0.6)))


def decision_s(dice: Dice) -> float:
    """How long somebody who has had enough takes to leave, in seconds: one in five is gone within days."""
    return (dice.between(3.0, 10.0) if dice.chance(0.2) else dice.between(12.0, 45.0)) * DAY_S


class Diary:
    """Collects what happens in one trouble, at days after it began."""

    def __init__(self, person: Person, began_s: float, dice: Dice) -> None:
        self.person, self.began_s, self.dice = person, began_s, dice
        self.told: list[Happening] = []

    def note(self, day: float, data: Data) -> None:
        """Something happens exactly so many days after the beginning."""
        self.told.append(Happening(self.began_s + day * DAY_S, data))

    def by_day(self, day: float) -> float:
        """The day of a time in office hours on that day: what is told at it happens while a desk is open."""
        return (in_office_hours(self.began_s + day * DAY_S, self.dice) - self.began_s) / DAY_S

    def name(self, kind: str, day: float) -> str:
        """A ticket, call or promise number that no other happening has."""
        return self.person.reference(kind, self.began_s + day * DAY_S)

    def stream(self) -> Stream:
        """All of it in time order."""
        return in_order(self.told)


@dataclass(frozen=True, slots=True)
class Story:
    """One customer's life: all that happens, and what is known about why it ended."""

    person: Person
    life: str
    streams: tuple[Stream, ...]
    cause: Cause | None = None
    """What would make this customer leave; None where nothing would, or nothing that leaves a trace."""
    began_s: float | None = None
    """When the trouble began."""
    left_s: float | None = None
    aftermath: tuple[Happening, ...] = ()
    """What happens at and after the end; everything else stops there."""

    def happenings(self) -> Stream:
        """The whole life in time order, up to the end of what is told."""
        end_s = self.person.end_s
        if self.left_s is not None:
            end_s = min(end_s, self.left_s)
        return until(merged((until(merged(self.streams), end_s), in_order(self.aftermath))), self.person.end_s)


Life = Callable[[Person, Dice], Story]
"""A kind of life: from a customer and dice to a story."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What a life changes about the ordinary streams of a subscriber."""

    level: Level = steady
    breadth: Level = steady
    faults: Faults = few_errors
    prices: PriceBook | None = None
    bill: Bill = as_quoted
    quota: Quota = well_used
    billed_until_s: float | None = None
    heard_until_s: float | None = None
    recognised: bool = True
    renews: bool = True
    without: frozenset[str] = field(default_factory=frozenset)


def usual(person: Person, dice: Dice, habits: Habits) -> tuple[Stream, ...]:
    """The ordinary streams of a subscriber, with what this life changes about them."""
    h = habits
    book = h.prices or ordinary_prices(person, dice.branch("prices"))
    return (
        subscription(person, book, dice.branch("subscription"), h.renews, h.recognised),
        price_changes(person, book),
        invoices(person, book, dice.branch("invoices"), h.billed_until_s, h.bill, h.quota),
        sessions(person, dice.branch("sessions"), h.level, h.faults, h.breadth),
        everyday(person, dice.branch("everyday"), h.heard_until_s, h.without),
    )


def troubled(
    name: str, cause: Cause, fate: Fate, diary: Diary, left_s: float, habits: Habits, reason: str | None = None
) -> Story:
    """The story of a subscriber whose trouble is in the diary, and who leaves at `left_s` if that is their fate.

    Half of those who leave turn away from the product in the last weeks, and some look for the way out.
    """
    person, dice = diary.person, diary.dice.branch("end")
    if not fate.leaves:
        return Story(person, name, (*usual(person, dice, habits), diary.stream()), cause, fate.onset_s)
    weeks_s = min(left_s - fate.onset_s, dice.between(10.0, 30.0) * DAY_S)
    weary = dice.between(0.4, 0.9) if dice.chance(0.5) else 1.0
    before = habits.level

    def level(time_s: float) -> float:
        return before(time_s) * (weary if time_s > left_s - weeks_s else 1.0)

    habits = replace(habits, level=level, renews=False)
    streams = (*usual(person, dice, habits), diary.stream(), _last_looks(left_s, person, dice.branch("looks")))
    aftermath = cancellation(person, dice, left_s, reason)
    return Story(person, name, streams, cause, fate.onset_s, left_s, aftermath)


def _last_looks(left_s: float, person: Person, dice: Dice) -> Stream:
    told: list[Happening] = []
    if dice.chance(0.4):
        told.append(Happening(left_s - dice.gap(5.0) * DAY_S - HOUR_S, CancelPageViewed()))
    if dice.chance(0.15):
        told.append(Happening(left_s - dice.between(0.1, 8.0) * DAY_S, DataExported(what="everything")))
    if person.contract_ends_s is not None and dice.chance(0.2):
        told.append(Happening(left_s - dice.between(2.0, 25.0) * DAY_S, AutoRenewDisabled()))
    return in_order(each for each in told if each.time_s > person.joined_s)


def cancellation(
    person: Person, dice: Dice, time_s: float, reason: str | None, *, voluntary: bool = True
) -> tuple[Happening, ...]:
    """The cancellation that ends a life, and for one in twelve the wish to be forgotten some days later."""
    effective_s = time_s + dice.between(0.0, 20.0) * DAY_S
    cancelled = SubscriptionCancelled(voluntary=voluntary, reason=reason, effective_at=moment(effective_s))
    told = [Happening(time_s, cancelled)]
    if dice.chance(1.0 / 12.0):
        forgotten_s = time_s + dice.between(2.0, 12.0) * DAY_S
        told.append(Happening(forgotten_s, ErasureRequested(request_id=person.reference("E", time_s))))
    return tuple(told)
