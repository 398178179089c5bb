"""H. Technology: errors, crashes, outages."""

from detectors import kinds
from detectors.counts import since
from detectors.customer import DAY_S, HOUR_S, Case, Customer
from detectors.history.app_errors import first_and_last
from detectors.signals.base import Because, Moment, newest, signal, span, times
from schemas.app_errors import ErrorRaised, OutageEnded, OutageStarted
from schemas.support import TicketOpened, TicketReopened, TicketResolved
from schemas.usage import SessionStarted


def burst(c: Customer, at: Moment) -> tuple[int, float]:
    """Errors in the last 24 hours, and the usual number of a day (never under the floor)."""
    hour = at.now_s // HOUR_S
    errors, oldest = 0, 0
    for h, n in c.hours.get(kinds.ERRORS, {}).items():
        if h > hour - 24:
            errors += n
            oldest = h if not oldest else min(oldest, h)
    if oldest:
        at.until((oldest + 24) * HOUR_S)
        at.until((at.day + 1) * DAY_S)  # then the usual day is another one
    usual_days = at.policy.tech.usual_days
    days, yesterday = c.days.get(kinds.ERRORS), at.day - 1
    before = since(days, yesterday - usual_days)[0] - since(days, yesterday)[0]
    return errors, max(at.policy.tech.errors_floor_per_day, before / usual_days)


@signal("tech.error_burst", number=34, depends=(ErrorRaised,))
def error_burst(c: Customer, at: Moment) -> float | None:
    """Errors in 24 hours ÷ own usual day, or the floor where that is higher."""
    if kinds.ERRORS not in c.hours:
        return None
    errors, usual = burst(c, at)
    return errors / usual


@error_burst.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    errors, usual = burst(c, at)
    usual_words = f"usual {round(usual, 1):g}"
    if usual <= at.policy.tech.errors_floor_per_day:
        usual_words = f"{usual:g} that anybody may have in"
    return Because(
        f"{times(errors, 'error')} in 24 hours, {round(value, 1):g} times the {usual_words} a day.",
        newest(c.points.get(kinds.ERROR, ())),
    )


@signal("tech.crashes", number=35, depends=(ErrorRaised, SessionStarted))
def crashes(c: Customer, at: Moment) -> float | None:
    """Fatal errors ÷ sessions within the window, from `tech.crashes_least` of them."""
    sessions = at.in_days(c.days.get(kinds.SESSIONS), at.row.window_d)
    fatal = at.in_days(c.days.get(kinds.FATALS), at.row.window_d)
    if sessions < at.row.at_least:
        return None
    return fatal / sessions if fatal >= at.policy.tech.crashes_least else 0.0


@crashes.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    sessions = at.in_days(c.days.get(kinds.SESSIONS), at.row.window_d)
    fatal = at.in_days(c.days.get(kinds.FATALS), at.row.window_d)
    return Because(
        f"{times(fatal, 'crash', 'crashes')} in {times(sessions, 'session')} "
        f"within {at.row.window_d} days{f' ({value:.0%})' if value <= 1 else ''}.",
        newest(c.points.get(kinds.FATAL, ())),
    )


def outages(c: Customer, at: Moment) -> tuple[int, list[Case]]:
    """Seconds within the window in which a service was down, each counted once, and the outages they come from."""
    start_s = (at.day - at.row.window_d + 1) * DAY_S
    seconds, until_s, found = 0, start_s, []
    for o in sorted(c.cases.get(kinds.OUTAGE, {}).values(), key=lambda o: (o.opened_s, o.event_id)):
        end_s = at.now_s if o.is_open else min(o.closed_s, at.now_s)
        if not o.opened_s or end_s <= start_s or o.opened_s > at.now_s:
            at.until(o.opened_s)
            continue
        found.append(o)
        at.until(o.closed_s)
        at.until((max(o.opened_s, start_s) // DAY_S + at.row.window_d) * DAY_S)
        if end_s > until_s:
            seconds += end_s - max(o.opened_s, until_s)
            until_s = end_s
    return seconds, found


@signal("tech.outage", number=36, depends=(OutageStarted, OutageEnded))
def outage(c: Customer, at: Moment) -> float | None:
    """Minutes within the window in which a service that the customer uses was down; an open outage grows."""
    if kinds.OUTAGE not in c.cases:
        return None
    seconds, found = outages(c, at)
    if any(o.is_open for o in found):
        return at.growing(at.now_s - seconds, 60)
    return seconds / 60


@outage.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    seconds, found = outages(c, at)
    names = ", ".join(dict.fromkeys(o.label for o in reversed(found) if o.label))
    many, goes_on = len(found) > 1, any(o.is_open for o in found)
    what = f" of “{names}”" if names and not many else ""
    which = f", in {len(found)} outages{f' ({names})' if names else ''}" if many else ""
    still = f"{'; one' if many else ', and it'} is still going on" if goes_on else ""
    return Because(
        f"{span(seconds).capitalize()} of outage{what} in {at.row.window_d} days{which}{still}.",
        [o.event_id for o in found[-5:]],
    )


def came_of_an_error(c: Customer, ticket: Case, within_h: int) -> bool:
    """Whether an error came within so many hours before the ticket: exact from 24 hours up.

    Of a day its first and last error are known; of less than 24 hours, one between them can be missed.
    """
    from_s = ticket.opened_s - within_h * HOUR_S
    for day, packed in c.error_days.items():
        first, last = first_and_last(packed)
        if from_s <= day * DAY_S + first <= ticket.opened_s or from_s <= day * DAY_S + last <= ticket.opened_s:
            return True
    return False


def unsupported_tickets(c: Customer, at: Moment) -> list[Case]:
    """Tickets of the window that came of an error and are open, or were closed without a solution; oldest first."""
    if not c.error_days:
        return []
    found = []
    for ticket in c.cases.get(kinds.TICKET, {}).values():
        day = ticket.opened_s // DAY_S
        unsolved = ticket.is_open or ticket.outcome in (kinds.UNANSWERED, kinds.DECLINED)
        if (
            unsolved
            and ticket.opened_s
            and day > at.day - at.row.window_d
            and came_of_an_error(c, ticket, at.policy.tech.contact_within_h)
        ):
            found.append(ticket)
            at.until((day + at.row.window_d) * DAY_S)
    return sorted(found, key=lambda t: (t.opened_s, t.event_id))


@signal("tech.unsupported", number=37, depends=(ErrorRaised, TicketOpened, TicketResolved, TicketReopened))
def unsupported(c: Customer, at: Moment) -> float | None:
    """Tickets within the window that followed an error within `tech.contact_within_h` and stay unresolved."""
    if not c.error_days or kinds.TICKET not in c.cases:
        return None
    return float(len(unsupported_tickets(c, at)))


@unsupported.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    tickets = unsupported_tickets(c, at)
    topics = ", ".join(f"“{t}”" for t in dict.fromkeys(t.label for t in reversed(tickets) if t.label))
    about = f" about {topics}" if topics else ""
    solved = "and not solved" if len(tickets) == 1 else "and none of them solved"
    return Because(
        f"{times(len(tickets), 'contact')}{about} within {at.policy.tech.contact_within_h} hours of an error, "
        f"{solved}, in {at.row.window_d} days.",
        [t.event_id for t in tickets[-5:]],
    )
