"""L. What protects."""

from detectors import kinds
from detectors.customer import DAY_S, HOUR_S, Case, Customer, Point
from detectors.history.engagement import PROMOTED, REFERRED, TOOK_OFFER
from detectors.signals.base import Because, Moment, listed, newest, often, signal, times
from detectors.signals.service import is_bad
from detectors.signals.value import days_before, now_and_before
from schemas.billing import OrderPlaced
from schemas.engagement import OfferAccepted, OfferSent, ReferralMade, SurveyAnswered
from schemas.support import TicketOpened, TicketRated, TicketReopened, TicketResolved
from schemas.usage import FeatureUsed, SessionStarted


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


@signal("protect.advocate", number=51, depends=(ReferralMade, SurveyAnswered, OfferAccepted, OfferSent))
def advocate(c: Customer, at: Moment) -> float | None:
    """Referrals, NPS answers of 9 or 10 and offers accepted, within the window."""
    if kinds.ADVOCACY not in c.points:
        return 0.0 if kinds.SURVEY in c.points or kinds.OFFERED in c.cases else None
    return float(len(at.in_points(c.points[kinds.ADVOCACY], at.row.window_d)))


@advocate.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    found = at.in_points(c.points.get(kinds.ADVOCACY), at.row.window_d)
    counts = {what: sum(p.value == what for p in found) for what in (REFERRED, PROMOTED, TOOK_OFFER)}
    said = []
    if n := counts[REFERRED]:
        said.append(f"recommended us {often(n)}")
    if n := counts[PROMOTED]:
        said.append(f"rated us 9 or 10 of 10 {often(n)}")
    if n := counts[TOOK_OFFER]:
        said.append(f"took {times(n, 'offer')}")
    text = listed(said)
    return Because(f"{text[:1].upper()}{text[1:]} in {at.row.window_d} days.", newest(found))


@signal("protect.engaged", number=52, depends=(SessionStarted, FeatureUsed, OrderPlaced), of_days=True)
def engaged(c: Customer, at: Moment) -> float | None:
    """Days of use within the window ÷ those of the window before it, of the days on which anybody was heard."""
    recent, before = now_and_before(c, at)
    usual = (c.used & before).bit_count()
    if not usual or usual < at.row.at_least:
        return None
    return (c.used & recent).bit_count() / usual * (days_before(c, at) / at.row.window_d)


@engaged.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    recent, before = now_and_before(c, at)
    return Because(
        f"Used it on {times((c.used & recent).bit_count(), 'day')} of the last {at.row.window_d}, "
        f"where {(c.used & before).bit_count()} were usual.",
        [c.active_id] if c.active_id else [],
    )
