"""H. Technology: errors, crashes, outages."""

from detectors import kinds
from detectors.counts import since
from detectors.customer import DAY_S, HOUR_S, Customer
from detectors.signals.base import Because, Moment, newest, signal, times
from schemas.app_errors import ErrorRaised
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
    return Because(
        f"{times(errors, 'error')} in 24 hours, {value:.1f} times the usual {usual:.0f} a day.",
        newest(c.points.get(kinds.ERROR, ())),
    )


@signal("tech.crashes", number=35, depends=(ErrorRaised, SessionStarted))
def crashes(c: Customer, at: Moment) -> float | None:
    """Fatal errors ÷ sessions within the window."""
    sessions = at.in_days(c.days.get(kinds.SESSIONS), at.row.window_d)
    fatal = at.in_days(c.days.get(kinds.FATALS), at.row.window_d)
    return fatal / sessions if sessions >= at.row.at_least else None


@crashes.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    sessions = at.in_days(c.days.get(kinds.SESSIONS), at.row.window_d)
    fatal = at.in_days(c.days.get(kinds.FATALS), at.row.window_d)
    return Because(
        f"{times(fatal, 'crash', 'crashes')} in {times(sessions, 'session')} "
        f"within {at.row.window_d} days ({value:.0%}).",
        newest(c.points.get(kinds.FATAL, ())),
    )
