"""What is remembered of errors and outages."""

from detectors import kinds
from detectors.customer import DAY_S, Customer, case_of, close_case, count_day, count_hour, note, open_case
from detectors.history.routes import on
from schemas.app_errors import ErrorRaised, OutageEnded, OutageStarted

EVIDENCE = 3  # of a burst of errors, an alert names this many
ERROR_DAYS = 20  # the newest days with an error; who has more of them in a month makes contact for all of them
SECOND_BITS = 17  # a day has 86,400 seconds


def first_and_last(packed: int) -> tuple[int, int]:
    """The first and the last second of a day with an error.

    >>> first_and_last(5 << SECOND_BITS | 70_000)
    (5, 70000)
    """
    return packed >> SECOND_BITS, packed & ((1 << SECOND_BITS) - 1)


def mark_error(c: Customer, time_s: int) -> None:
    """Note when on a day there were errors: its first and last are enough to know what came within 48 hours."""
    day, second = divmod(time_s, DAY_S)
    days = c.error_days
    packed = days.get(day)
    first, last = (second, second) if packed is None else first_and_last(packed)
    days[day] = min(first, second) << SECOND_BITS | max(last, second)
    if len(days) > ERROR_DAYS:
        del days[min(days)]


@on(ErrorRaised)
def error_raised(c: Customer, d: ErrorRaised, time_s: int, event_id: str) -> None:
    count_day(c, kinds.ERRORS, time_s, d.count)
    count_hour(c, kinds.ERRORS, time_s, d.count)
    count_day(c, kinds.FAULTS, time_s)
    mark_error(c, time_s)
    note(c, kinds.ERROR, time_s, d.count, event_id, d.code[:32], keep=EVIDENCE)
    if d.fatal:
        count_day(c, kinds.FATALS, time_s, d.count)
        note(c, kinds.FATAL, time_s, d.count, event_id, d.code[:32], keep=EVIDENCE)


@on(OutageStarted)
def outage_started(c: Customer, d: OutageStarted, time_s: int, event_id: str) -> None:
    count_day(c, kinds.FAULTS, time_s)
    outage = case_of(c, kinds.OUTAGE, d.outage_id)
    if open_case(outage, time_s, event_id):
        outage.label = d.service[:64]


@on(OutageEnded)
def outage_ended(c: Customer, d: OutageEnded, time_s: int, event_id: str) -> None:
    close_case(case_of(c, kinds.OUTAGE, d.outage_id), time_s, kinds.ENDED)
