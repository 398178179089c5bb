"""What is remembered of tickets, calls, ratings, promises and refusals."""

from detectors import kinds
from detectors.customer import HOUR_S, Customer, case_of, close_case, count_day, note, open_case
from detectors.history.routes import on
from schemas.support import (
    CallAbandoned,
    CallAnswered,
    InteractionAssessed,
    PromiseBroken,
    PromiseKept,
    PromiseMade,
    RequestRefused,
    TicketOpened,
    TicketRated,
    TicketReopened,
    TicketResolved,
    TicketTransferred,
    TicketUpdated,
)

OUTCOMES = {
    "solved": kinds.SOLVED,
    "workaround": kinds.WORKAROUND,
    "none": kinds.UNANSWERED,
    "refused": kinds.DECLINED,
}
CSAT = "csat"
CONTACTS = 12  # about all topics together; four about one are the most that is asked for
RUDE_BELOW = 0.0  # agent_tone; where rude begins is for the policy to say, but it is never above
SLOW_S = 60  # a call that is answered sooner is no evidence of a long wait
SLOW_CALLS, TRANSFERS = 3, 4  # of a long wait and a ticket that is handed on, an alert names this many
LEAVING_SAID = kinds.SAID_LEAVING


def spoke(c: Customer, time_s: int) -> None:
    """Somebody of the business spoke with the customer, of whatever is open."""
    c.spoke_s = max(c.spoke_s, time_s)


@on(TicketOpened)
def ticket_opened(c: Customer, d: TicketOpened, time_s: int, event_id: str) -> None:
    ticket = case_of(c, kinds.TICKET, d.ticket_id)
    if open_case(ticket, time_s, event_id):
        ticket.due_s = time_s + round(d.sla_hours * HOUR_S) if d.sla_hours is not None else 0
        ticket.label = (d.topic or "")[:64]
    if d.topic:
        note(c, kinds.CONTACT, time_s, 0, event_id, d.topic[:64], keep=CONTACTS)
    count_day(c, kinds.FAULTS, time_s)


@on(TicketUpdated)
def ticket_updated(c: Customer, d: TicketUpdated, time_s: int, event_id: str) -> None:
    ticket = case_of(c, kinds.TICKET, d.ticket_id)
    if d.by == "agent":
        ticket.heard_s = max(ticket.heard_s, time_s)


@on(TicketTransferred)
def ticket_transferred(c: Customer, d: TicketTransferred, time_s: int, event_id: str) -> None:
    case_of(c, kinds.TICKET, d.ticket_id).moved += 1
    note(c, kinds.TRANSFERRED, time_s, 0, event_id, d.ticket_id[:64], keep=TRANSFERS)


@on(TicketReopened)
def ticket_reopened(c: Customer, d: TicketReopened, time_s: int, event_id: str) -> None:
    ticket = case_of(c, kinds.TICKET, d.ticket_id)
    ticket.count += 1
    ticket.reopened_s = max(ticket.reopened_s, time_s)


@on(TicketResolved)
def ticket_resolved(c: Customer, d: TicketResolved, time_s: int, event_id: str) -> None:
    close_case(case_of(c, kinds.TICKET, d.ticket_id), time_s, OUTCOMES[d.resolution])


@on(TicketRated)
def ticket_rated(c: Customer, d: TicketRated, time_s: int, event_id: str) -> None:
    note(c, kinds.RATING, time_s, round(d.csat), event_id, f"{CSAT}:{d.ticket_id}")


@on(CallAnswered)
def call_answered(c: Customer, d: CallAnswered, time_s: int, event_id: str) -> None:
    count_day(c, kinds.CALLS, time_s)
    count_day(c, kinds.WAITED, time_s, round(d.wait_s))
    spoke(c, time_s)
    if d.wait_s >= SLOW_S:
        note(c, kinds.SLOW_CALL, time_s, round(d.wait_s), event_id, keep=SLOW_CALLS)
    if d.topic:
        note(c, kinds.CONTACT, time_s, 0, event_id, d.topic[:64], keep=CONTACTS)


@on(CallAbandoned)
def call_abandoned(c: Customer, d: CallAbandoned, time_s: int, event_id: str) -> None:
    count_day(c, kinds.CALLS, time_s)
    count_day(c, kinds.GIVEN_UP, time_s)
    note(c, kinds.ABANDONED, time_s, round(d.wait_s * 1000), event_id)


@on(InteractionAssessed)
def interaction_assessed(c: Customer, d: InteractionAssessed, time_s: int, event_id: str) -> None:
    if d.agent_tone is not None:
        c.heard |= kinds.TONE
        if d.agent_tone < RUDE_BELOW:
            note(c, kinds.RUDE, time_s, round(d.agent_tone * 1000), event_id)
    if d.competitor:
        note(c, kinds.COMPETITOR, time_s, 0, event_id, d.competitor[:64])
    if d.mentions_leaving:
        note(c, kinds.EXIT, time_s, LEAVING_SAID, event_id)


@on(PromiseMade)
def promise_made(c: Customer, d: PromiseMade, time_s: int, event_id: str) -> None:
    promise = case_of(c, kinds.PROMISE, d.promise_id)
    if open_case(promise, time_s, event_id):
        promise.due_s = int(d.due_at.timestamp())
        promise.label = (d.what or "")[:64]


@on(PromiseKept)
def promise_kept(c: Customer, d: PromiseKept, time_s: int, event_id: str) -> None:
    close_case(case_of(c, kinds.PROMISE, d.promise_id), time_s, kinds.KEPT)


@on(PromiseBroken)
def promise_broken(c: Customer, d: PromiseBroken, time_s: int, event_id: str) -> None:
    close_case(case_of(c, kinds.PROMISE, d.promise_id), time_s, kinds.BROKEN)
    note(c, kinds.PROMISE_LOST, time_s, 0, event_id, d.promise_id[:64])


@on(RequestRefused)
def request_refused(c: Customer, d: RequestRefused, time_s: int, event_id: str) -> None:
    c.heard |= kinds.REQUEST
    if not d.alternative_offered:
        note(c, kinds.REFUSED, time_s, 0, event_id, (d.request or "")[:64])
