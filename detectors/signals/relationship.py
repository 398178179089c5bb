"""K. Relationship: giving and asking."""

from collections import Counter
from datetime import UTC, datetime
from typing import NamedTuple

from detectors import kinds
from detectors.counts import by_day, since
from detectors.customer import DAY_S, HOUR_S, Case, Customer, Point
from detectors.signals.base import Because, Moment, listed, newest, ramp, signal, times
from schemas.app_errors import ErrorRaised
from schemas.billing import InvoiceIssued
from schemas.engagement import BenefitGranted, ContactMade
from schemas.retention import CustomerContacted
from schemas.support import (
    PromiseBroken,
    PromiseKept,
    PromiseMade,
    TicketOpened,
    TicketReopened,
    TicketResolved,
)

GIVEN_BY = (ContactMade, BenefitGranted, CustomerContacted)
FAILED_BY = (TicketOpened, TicketResolved, TicketReopened, PromiseMade, PromiseKept, PromiseBroken, ErrorRaised)


@signal(
    "relationship.billed_in_silence",
    number=44,
    depends=(InvoiceIssued, *GIVEN_BY),
)
def billed_in_silence(c: Customer, at: Moment) -> float | None:
    """Invoices since the last contact that gave something."""
    invoices = c.days.get(kinds.INVOICES)
    if not invoices:
        return None
    return float(since(invoices, c.given_s // DAY_S + 1)[0])


@billed_in_silence.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    since = (
        f"since the last contact that gave something, on {datetime.fromtimestamp(c.given_s, UTC):%Y-%m-%d}"
        if c.given_s
        else "and never a contact that gave something"
    )
    bills = [p for p in c.points.get(kinds.BILL, ()) if p.time_s > c.given_s]
    return Because(f"{times(value, 'invoice')} {since}.", newest(bills))


class Failure(NamedTuple):
    """A moment of truth that went badly: when, which event, and what it was."""

    time_s: int
    event_id: str
    what: str


TICKET, PROMISE, CRASHES = "a ticket not solved in its time", "a broken promise", "a burst of crashes"
MANY = {TICKET: "tickets not solved in their time", PROMISE: "broken promises", CRASHES: "bursts of crashes"}


def overrun_s(ticket: Case, at: Moment) -> int:
    """When a ticket ran over its time, 0 where it did not (yet)."""
    if not ticket.opened_s:
        return 0
    due_s = ticket.due_s or ticket.opened_s + round(at.policy.service.sla_hours * HOUR_S)
    if not ticket.is_open:
        return due_s if ticket.closed_s > due_s else 0
    since_s = max(due_s, ticket.reopened_s)
    if since_s <= at.now_s:
        return since_s
    at.until(since_s)
    return 0


def failures(c: Customer, at: Moment) -> list[Failure]:
    """Moments of truth within the window that went badly, oldest first."""
    found = [
        Failure(late_s, ticket.event_id, TICKET)
        for ticket in c.cases.get(kinds.TICKET, {}).values()
        if (late_s := overrun_s(ticket, at))
    ]
    found += [Failure(p.time_s, p.event_id, PROMISE) for p in c.points.get(kinds.PROMISE_LOST, ())]
    for promise in c.cases.get(kinds.PROMISE, {}).values():
        if promise.opened_s and promise.is_open:
            if promise.due_s <= at.now_s:
                found.append(Failure(promise.due_s, promise.event_id, PROMISE))
            at.until(promise.due_s)
    for day, n in by_day(c.days.get(kinds.FATALS)):
        if n >= at.policy.tech.crash_burst_per_day:
            ids = [p.event_id for p in c.points.get(kinds.FATAL, ()) if p.time_s // DAY_S == day]
            found.append(Failure(day * DAY_S, ids[-1] if ids else "", CRASHES))
    found = sorted(f for f in found if f.time_s // DAY_S > at.day - at.row.window_d and f.time_s <= at.now_s)
    if found:
        at.until((found[0].time_s // DAY_S + at.row.window_d) * DAY_S)
    return found


def first_failure(c: Customer, at: Moment) -> tuple[Failure, int, float] | None:
    """The first failure that fell into a billed silence, the invoices of the silence by then, and its strength."""
    row = at.policy.signals.get("relationship.billed_in_silence")
    if row is None:
        return None
    given_day = c.given_s // DAY_S
    if ramp(since(c.days.get(kinds.INVOICES), given_day + 1)[0], row) <= 0:
        return None
    invoices = [(day, n) for day, n in by_day(c.days.get(kinds.INVOICES)) if day > given_day]
    for failure in failures(c, at):
        billed = sum(n for day, n in invoices if day <= failure.time_s // DAY_S)
        if failure.time_s > c.given_s and (strength := ramp(billed, row)) > 0:
            return failure, billed, strength
    return None


@signal(
    "relationship.moment_of_truth_failed",
    number=45,
    depends=(InvoiceIssued, *GIVEN_BY, *FAILED_BY),
)
def moment_of_truth_failed(c: Customer, at: Moment) -> float | None:
    """The first failure after a billed silence: the strength that `relationship.billed_in_silence` had by then.

    A failure is a ticket not solved in its time, a broken promise, or a burst of crashes (`tech.crash_burst_per_day`).
    """
    if not c.days.get(kinds.INVOICES) or not (
        kinds.ERRORS in c.days or kinds.TICKET in c.cases or kinds.PROMISE in c.cases or kinds.PROMISE_LOST in c.points
    ):
        return None
    found = first_failure(c, at)
    return found[2] if found is not None else 0.0


@moment_of_truth_failed.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    found = first_failure(c, at)
    assert found is not None
    failure, billed, _ = found
    bills = [p for p in c.points.get(kinds.BILL, ()) if c.given_s < p.time_s <= failure.time_s]
    return Because(
        f"After {times(billed, 'invoice')} without a contact that gave something came {failure.what}, "
        f"on {datetime.fromtimestamp(failure.time_s, UTC):%Y-%m-%d}: the first time they needed us, we failed them.",
        [event_id for event_id in (*(b.event_id for b in bills), failure.event_id) if event_id],
    )


GIVES = (kinds.BENEFIT, kinds.CHECK_IN, kinds.APOLOGY, kinds.NEWS, kinds.INCIDENT_NOTICE)


def given_and_failed(c: Customer, at: Moment) -> tuple[list[Point], list[Failure]]:
    """Giving moments of the window, and moments of truth in it that went badly."""
    given = at.in_points(c.points.get(kinds.GIVEN), at.row.window_d)
    return [p for p in given if p.value in GIVES], failures(c, at)


@signal(
    "relationship.giving_balance",
    number=46,
    depends=(*GIVEN_BY, *FAILED_BY),
)
def giving_balance(c: Customer, at: Moment) -> float | None:
    """Giving moments less the moments of truth that went badly, within the window."""
    given, failed = given_and_failed(c, at)
    return float(len(given) - len(failed)) if len(given) + len(failed) >= at.row.at_least else None


@giving_balance.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    given, failed = given_and_failed(c, at)
    counts = Counter(f.what for f in failed)
    said = listed([f"{n} {MANY[what]}" if n > 1 else what for what, n in counts.items()] or ["nothing that went badly"])
    gave = times(len(given), "moment") if given else "no moment"
    return Because(
        f"In {at.row.window_d} days: {said}, against {gave} in which we gave something.",
        [f.event_id for f in failed if f.event_id][-5:] or newest(given),
    )
