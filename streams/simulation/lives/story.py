"""What every kind of life is made of: a fate that is drawn first, and the streams that lead up to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from schemas.billing import SubscriptionCancelled
from schemas.retention import ErasureRequested
from streams.simulation.billing import PriceBook, invoices, ordinary_prices, price_changes, subscription
from streams.simulation.dice import Dice
from streams.simulation.everyday import everyday
from streams.simulation.happenings import DAY_S, Happening, Stream, in_order, merged, until
from streams.simulation.people import Person, moment
from streams.simulation.usage import Errors, Level, sessions, steady


@dataclass(frozen=True, slots=True)
class Fate:
    """When trouble starts, how bad it is (0 to 1), and whether the customer leaves because of it."""

    onset_s: float
    severity: float
    leaves: bool


def draw_fate(person: Person, dice: Dice, leaving: float) -> Fate:
    """A fate with trouble in the middle of what is told; `leaving` is the chance to leave at middle severity.

    Worse trouble makes more of them leave, and some stay all the same: that is what makes a probability worth learning.
    """
    told_s = person.end_s - person.joined_s
    onset_s = person.joined_s + dice.between(0.3, 0.85) * told_s
    severity = dice.between(0.2, 1.0)
    return Fate(onset_s, severity, dice.chance(leaving + (severity - 0.6)))


@dataclass(frozen=True, slots=True)
class Story:
    """One customer's life: all that happens, and what is known about why it ended."""

    person: Person
    life: str
    streams: tuple[Stream, ...]
    churn_type: str | None = None
    """Why the trouble of this life makes customers leave, by the names of the alert's `churn_type`; None: no cause."""
    cause_codes: tuple[str, ...] = ()
    """The signals of the catalogue that this trouble shows in."""
    onset_s: float | None = None
    churned_at_s: float | None = None
    aftermath: tuple[Happening, ...] = ()
    """What happens at and after the end; everything else stops there."""

    def happenings(self) -> Stream:
        """The whole life in time order, up to the end of what is told."""
        end_s = self.person.end_s
        if self.churned_at_s is not None:
            end_s = min(end_s, self.churned_at_s)
        return until(merged((until(merged(self.streams), end_s), in_order(self.aftermath))), self.person.end_s)


Life = Callable[[Person, Dice], Story]
"""A kind of life: from a customer and dice to a story."""


def usual(
    person: Person,
    dice: Dice,
    *,
    level: Level = steady,
    errors: Errors | None = None,
    prices: PriceBook | None = None,
    billed_until_s: float | None = None,
    heard_until_s: float | None = None,
    renews: bool = True,
) -> tuple[Stream, ...]:
    """The ordinary streams of a subscriber, with what this life changes about them."""
    book = prices or ordinary_prices(person, dice.branch("prices"))
    return (
        subscription(person, book, dice.branch("subscription"), renews),
        price_changes(person, book),
        invoices(person, book, dice.branch("invoices"), billed_until_s),
        sessions(person, dice.branch("sessions"), level, errors),
        everyday(person, dice.branch("everyday"), heard_until_s),
    )


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
