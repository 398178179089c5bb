"""Subscription, prices, invoices and contract: decided as a price book first, so that every invoice agrees with it."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.billing import (
    InvoiceIssued,
    InvoicePaid,
    PaymentFailed,
    PlanChanged,
    PriceChanged,
    SubscriptionRenewed,
    SubscriptionStarted,
)
from schemas.usage import QuotaReported
from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S, HOUR_S, YEAR_S, Happening, Stream, in_order
from streams.simulation.people import PLANS, Person, moment


@dataclass(frozen=True, slots=True)
class PriceStep:
    """The price from `time_s` on, announced to the customer at `announced_s`; `plan` is set when the plan changes."""

    time_s: float
    announced_s: float
    mrr: float
    plan: str | None = None


@dataclass(frozen=True, slots=True)
class PriceBook:
    """All prices of one customer over time."""

    first_mrr: float
    steps: tuple[PriceStep, ...] = ()

    def mrr_at(self, time_s: float) -> float:
        """The monthly price that applies at a time."""
        mrr = self.first_mrr
        for step in self.steps:
            if step.time_s <= time_s:
                mrr = step.mrr
        return mrr

    def with_rise(self, share: float, time_s: float, announced_s: float) -> PriceBook:
        """The same book with one more rise at the end; `share` is 0.2 for a fifth more."""
        earlier = tuple(step for step in self.steps if step.time_s < time_s)
        risen = round(PriceBook(self.first_mrr, earlier).mrr_at(time_s) * (1.0 + share), 2)
        return PriceBook(self.first_mrr, (*earlier, PriceStep(time_s, announced_s, risen)))


def ordinary_prices(person: Person, dice: Dice) -> PriceBook:
    """A price that stays, or changes a little once a year, with notice; now and then another plan."""
    first = round(person.plan.mrr * dice.pick((1.0, 1.0, 1.0, 0.9, 0.8)), 2)
    steps: list[PriceStep] = []
    mrr, time_s = first, person.joined_s + dice.between(60.0, 420.0) * DAY_S
    while time_s < person.end_s:
        if dice.chance(0.6):
            mrr = round(mrr * dice.between(1.01, 1.035), 2)
            steps.append(PriceStep(time_s, time_s - dice.between(32.0, 50.0) * DAY_S, mrr))
        elif dice.chance(0.5):
            other = dice.pick(PLANS)
            mrr = round(mrr * (dice.between(1.2, 1.8) if dice.chance(0.8) else dice.between(0.7, 0.9)), 2)
            steps.append(PriceStep(time_s, time_s, mrr, other.name))
        time_s += dice.between(300.0, 420.0) * DAY_S
    return PriceBook(first, tuple(steps))


def subscription(person: Person, prices: PriceBook, dice: Dice, renews: bool = True) -> Stream:
    """The start of the subscription, and its renewals while `renews`: half of them weeks ahead."""
    ends_s = person.contract_ends_s
    yield Happening(
        person.joined_s,
        SubscriptionStarted(
            plan=person.plan.name,
            mrr=prices.first_mrr,
            currency="EUR",
            term_months=None if ends_s is None else 12,
            contract_ends_at=None if ends_s is None else moment(ends_s),
            acquired_via=dice.weighted(("search", "referral", "partner", "advert"), (0.4, 0.25, 0.15, 0.2)),
        ),
    )
    while renews and ends_s is not None and ends_s < person.end_s:
        ahead_s = dice.between(20.0, 50.0) * DAY_S if dice.chance(0.5) else HOUR_S
        renewed_s = max(ends_s - ahead_s, person.joined_s + DAY_S)
        ends_s += YEAR_S
        renewal = SubscriptionRenewed(
            plan=person.plan.name, mrr=prices.mrr_at(renewed_s), contract_ends_at=moment(ends_s)
        )
        yield Happening(renewed_s, renewal)


def price_changes(person: Person, prices: PriceBook) -> Stream:
    """The events of the price book: a price change is announced, a change of plan happens when it applies."""
    happenings: list[Happening] = []
    plan, mrr = person.plan.name, prices.first_mrr
    for step in prices.steps:
        if step.plan is None:
            change = PriceChanged(
                old_mrr=mrr, new_mrr=step.mrr, effective_at=moment(step.time_s), notified_at=moment(step.announced_s)
            )
            happenings.append(Happening(max(step.announced_s, person.joined_s + HOUR_S), change))
        else:
            switch = PlanChanged(old_plan=plan, new_plan=step.plan, old_mrr=mrr, new_mrr=step.mrr)
            happenings.append(Happening(step.time_s, switch))
            plan = step.plan
        mrr = step.mrr
    return in_order(happenings)


def invoices(person: Person, prices: PriceBook, dice: Dice, until_s: float | None = None) -> Stream:
    """An invoice per billing period, paid within two days; one in sixty fails at first and is paid the day after."""
    period_s = person.plan.billing_days * DAY_S
    share_of_month = person.plan.billing_days / 30.0
    stop_s = person.end_s if until_s is None else until_s
    time_s = person.joined_s + HOUR_S
    while time_s < stop_s:
        amount = round(prices.mrr_at(time_s) * share_of_month, 2)
        yield from _invoice(person, dice, time_s, amount)
        time_s += period_s


def _invoice(person: Person, dice: Dice, time_s: float, amount: float) -> Stream:
    invoice_id = person.reference("INV", time_s)
    used = round(dice.between(0.4, 0.95) * 1_000.0)
    yield Happening(time_s - 60.0, QuotaReported(used=used, included=1_000))
    yield Happening(time_s, InvoiceIssued(invoice_id=invoice_id, amount=amount, currency="EUR", quoted_amount=amount))
    paid_s = time_s + dice.between(0.1, 2.0) * DAY_S
    if dice.chance(1.0 / 60.0):
        yield Happening(paid_s, PaymentFailed(invoice_id=invoice_id, attempt=1, reason="insufficient_funds"))
        paid_s += dice.between(0.5, 1.5) * DAY_S
    yield Happening(paid_s, InvoicePaid(invoice_id=invoice_id, amount=amount))
