"""Subscription, prices, invoices and contract: decided as a price book first, so that every invoice agrees with it."""

from __future__ import annotations

from collections.abc import Callable
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
from schemas.engagement import BenefitGranted
from schemas.usage import QuotaReported, SessionStarted
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

    def plan_at(self, time_s: float, first: str) -> str:
        """The plan that applies at a time, `first` being the one that was bought."""
        plan = first
        for step in self.steps:
            if step.time_s <= time_s and step.plan is not None:
                plan = step.plan
        return plan

    def with_rise(self, share: float, time_s: float, announced_s: float) -> PriceBook:
        """The same book with one more rise at the end; `share` is 0.2 for a fifth more."""
        earlier = tuple(step for step in self.steps if step.time_s < time_s)
        risen = round(PriceBook(self.first_mrr, earlier).mrr_at(time_s) * (1.0 + share), 2)
        return PriceBook(self.first_mrr, (*earlier, PriceStep(time_s, announced_s, risen)))


def ordinary_prices(person: Person, dice: Dice) -> PriceBook:
    """The rises that everybody gets, from which one in seven is spared, and now and then another plan."""
    first = round(person.plan.mrr * dice.pick((1.0, 1.0, 1.0, 0.9, 0.8)), 2)
    steps: list[PriceStep] = []
    mrr = first
    switch_s = person.joined_s + dice.gap(900.0) * DAY_S + 60.0 * DAY_S
    for rise in person.world.rises:
        if rise.announced_s > person.joined_s and dice.chance(6.0 / 7.0):
            mrr = round(mrr * (1.0 + rise.share), 2)
            steps.append(PriceStep(rise.time_s, rise.announced_s, mrr))
    if switch_s < person.end_s and all(abs(switch_s - step.time_s) > 70.0 * DAY_S for step in steps):
        other = dice.pick([plan for plan in PLANS if plan.name != person.plan.name])
        factor = dice.between(1.2, 1.8) if dice.chance(0.8) else dice.between(0.75, 0.9)
        steps = [step for step in steps if step.time_s < switch_s]
        mrr = round((steps[-1].mrr if steps else first) * factor, 2)
        steps.append(PriceStep(switch_s, switch_s, mrr, other.name))
    return PriceBook(first, tuple(steps))


def subscription(person: Person, prices: PriceBook, dice: Dice, renews: bool = True, recognised: bool = True) -> Stream:
    """The start of the subscription, and its renewals while `renews`: half of them weeks ahead.

    Who is a customer for longer than what is told has a past as well: the start of the subscription at its own time,
    the first use, the present contract, and for most (`recognised`) the last thing that they were given.
    """
    ends_s = person.contract_ends_s
    old = person.since_s < person.joined_s
    yield Happening(
        person.since_s,
        SubscriptionStarted(
            plan=person.plan.name,
            mrr=prices.first_mrr,
            currency="EUR",
            term_months=None if ends_s is None else 12,
            contract_ends_at=None if ends_s is None or old else moment(ends_s),
            acquired_via=dice.weighted(("search", "referral", "partner", "advert"), (0.4, 0.25, 0.15, 0.2)),
        ),
    )
    past = [Happening(person.since_s + HOUR_S, SessionStarted(client="web"))] if old else []
    if old and ends_s is not None:
        renewal = SubscriptionRenewed(plan=person.plan.name, mrr=prices.first_mrr, contract_ends_at=moment(ends_s))
        past.append(Happening(max(ends_s - YEAR_S, person.since_s + HOUR_S), renewal))
    given_s = person.joined_s - dice.between(5.0, 300.0) * DAY_S
    if recognised and given_s > person.since_s + 30.0 * DAY_S and dice.chance(0.8):
        past.append(Happening(given_s, BenefitGranted(kind="credit", value=10.0)))
    yield from in_order(past)
    while renews and ends_s is not None and ends_s < person.end_s:
        ahead_s = dice.between(20.0, 50.0) * DAY_S if dice.chance(0.5) else HOUR_S
        renewed_s = max(ends_s - ahead_s, person.joined_s + DAY_S)
        ends_s += YEAR_S
        renewal = SubscriptionRenewed(
            plan=prices.plan_at(renewed_s, person.plan.name),
            mrr=prices.mrr_at(renewed_s),
            contract_ends_at=moment(ends_s),
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


Bill = Callable[[float, InvoiceIssued, Dice], InvoiceIssued]
"""What a life makes of an ordinary invoice at a time."""
Quota = Callable[[float, Dice], float]
"""The share of the plan's quota that was used in the period before a time."""


def as_quoted(_time_s: float, invoice: InvoiceIssued, _dice: Dice) -> InvoiceIssued:
    """The invoice as the customer was told that it would be."""
    return invoice


def well_used(_time_s: float, dice: Dice) -> float:
    """Two fifths of the quota, up to nearly all of it."""
    return dice.between(0.4, 0.95)


def invoices(
    person: Person,
    prices: PriceBook,
    dice: Dice,
    until_s: float | None = None,
    bill: Bill = as_quoted,
    quota: Quota = well_used,
) -> Stream:
    """An invoice per billing period, paid within two days; one in sixty fails at first and is paid the day after."""
    period_s = person.plan.billing_days * DAY_S
    share_of_month = person.plan.billing_days / 30.0
    stop_s = person.end_s if until_s is None else until_s
    time_s = person.joined_s + HOUR_S
    while time_s < stop_s:
        amount = round(prices.mrr_at(time_s) * share_of_month, 2)
        used = round(quota(time_s, dice) * 1_000.0)
        invoice = InvoiceIssued(
            invoice_id=person.reference("INV", time_s), amount=amount, currency="EUR", quoted_amount=amount
        )
        yield Happening(time_s - 60.0, QuotaReported(used=used, included=1_000))
        yield from _settled(time_s, bill(time_s, invoice, dice), dice)
        time_s += period_s


def _settled(time_s: float, invoice: InvoiceIssued, dice: Dice) -> Stream:
    yield Happening(time_s, invoice)
    paid_s = time_s + dice.between(0.1, 2.0) * DAY_S
    if dice.chance(1.0 / 60.0):
        failed = PaymentFailed(invoice_id=invoice.invoice_id, attempt=1, reason="insufficient_funds")
        yield Happening(paid_s, failed)
        paid_s += dice.between(0.5, 1.5) * DAY_S
    yield Happening(paid_s, InvoicePaid(invoice_id=invoice.invoice_id, amount=invoice.amount))
