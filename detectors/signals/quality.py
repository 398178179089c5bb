"""G. Quality against its own past."""

from detectors import kinds
from detectors.counts import sums
from detectors.customer import DAY_S, Customer
from detectors.signals.base import Because, Moment, signal, times
from schemas.app_errors import ErrorRaised, OutageStarted
from schemas.billing import DisputeOpened
from schemas.support import TicketOpened


def now_and_before(c: Customer, at: Moment) -> tuple[int, float | None]:
    """Faults within the window, and as many as the customer's own past would make expect; None with too short a past.

    The past begins where the customer does, if that is later.
    """
    p, window_d = at.policy.quality, at.row.window_d
    days = c.days.get(kinds.FAULTS, b"")
    recent_from = at.day - window_d + 1
    before_from = min(recent_from, max(recent_from - p.prior_d, c.first_s // DAY_S))
    (recent, _), (total, _) = sums(days, (recent_from, before_from))
    if recent > at.row.from_ * p.faults_floor:  # fewer are no decline whatever the past, and a day only takes away
        at.until((at.day + 1) * DAY_S)
    length_d = recent_from - before_from
    if length_d < p.prior_least_d:
        at.until((c.first_s // DAY_S + p.prior_least_d + window_d - 1) * DAY_S)
        return recent, None
    return recent, (total - recent) / length_d * window_d


@signal("quality.decline", number=33, depends=(ErrorRaised, OutageStarted, TicketOpened, DisputeOpened), looks_up=True)
def decline(c: Customer, at: Moment) -> float | None:
    """Faults and complaints (errors, outages, tickets, disputes) within the window ÷ own rate of the 84 days before.

    The rate before is not taken below `quality.faults_floor` a window.
    """
    if kinds.FAULTS not in c.days:
        return None
    recent, expected = now_and_before(c, at)
    return None if expected is None else recent / max(expected, at.policy.quality.faults_floor)


@decline.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    recent, expected = now_and_before(c, at)
    from_day = at.day - at.row.window_d
    tickets = [(t.opened_s, t.event_id) for t in c.cases.get(kinds.TICKET, {}).values() if t.event_id]
    disputes = [(d.opened_s, d.event_id) for d in c.cases.get(kinds.DISPUTE, {}).values() if d.event_id]
    outages = [(o.opened_s, o.event_id) for o in c.cases.get(kinds.OUTAGE, {}).values() if o.event_id]
    errors = [(p.time_s, p.event_id) for p in c.points.get(kinds.ERROR, ())]
    carried = sorted(e for e in tickets + disputes + outages + errors if e[0] // DAY_S > from_day)
    return Because(
        f"{times(recent, 'fault or complaint', 'faults and complaints')} in {at.row.window_d} days, "
        f"where {f'{round(expected, 1):g}' if expected else 'none'} {'was' if expected == 1 else 'were'} usual.",
        [event_id for _, event_id in carried[-5:]],
    )
