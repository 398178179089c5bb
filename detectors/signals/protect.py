"""L. What protects."""

from detectors import kinds
from detectors.customer import DAY_S, HOUR_S, Case, Customer, Point
from detectors.signals.base import Because, Moment, signal
from detectors.signals.service import is_bad
from schemas.engagement import SurveyAnswered
from schemas.support import TicketOpened, TicketRated, TicketReopened, TicketResolved


def was_trouble(ticket: Case, at: Moment) -> bool:
    """Whether a ticket gave cause to be dissatisfied: reopened, or solved after its time."""
    due_s = ticket.due_s or ticket.opened_s + round(at.policy.service.sla_hours * HOUR_S)
    return ticket.count > 0 or (ticket.opened_s > 0 and ticket.closed_s > due_s)


def recovery(c: Customer, at: Moment) -> tuple[Point, Case] | None:
    """The newest good rating of a solved ticket after something had gone wrong."""
    ratings = at.in_points(c.points.get(kinds.RATING), at.row.window_d)
    tickets = c.cases.get(kinds.TICKET, {})
    service = at.policy.service
    for i in range(len(ratings) - 1, -1, -1):
        good = ratings[i]
        name = good.label.partition(":")[2]
        ticket = tickets.get(name)
        if good.value < service.csat_good or ticket is None or ticket.is_open or ticket.outcome != kinds.SOLVED:
            continue
        bad_before = any(
            is_bad(p, at) and p.time_s >= good.time_s - service.recovered_within_d * DAY_S for p in ratings[:i]
        )
        if bad_before or was_trouble(ticket, at):
            return good, ticket
    return None


@signal(
    "protect.recovered",
    number=50,
    depends=(TicketOpened, TicketReopened, TicketResolved, TicketRated, SurveyAnswered),
)
def recovered(c: Customer, at: Moment) -> float | None:
    """1 where dissatisfaction was followed by a solved ticket, well rated; else 0."""
    if kinds.RATING not in c.points:
        return None
    return 1.0 if recovery(c, at) else 0.0


@recovered.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    found = recovery(c, at)
    assert found is not None
    good, ticket = found
    return Because(
        f"Was dissatisfied, then a ticket was solved and rated {good.value} of 5.",
        [event_id for event_id in (ticket.event_id, good.event_id) if event_id],
    )
