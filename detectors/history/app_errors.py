"""What is remembered of errors and outages."""

from detectors import kinds
from detectors.customer import Customer, case_of, close_case, count_day, count_hour, note, open_case
from detectors.history.routes import on
from schemas.app_errors import ErrorRaised, OutageEnded, OutageStarted

EVIDENCE = 3  # of a burst of errors, an alert names this many


@on(ErrorRaised)
def error_raised(c: Customer, d: ErrorRaised, time_s: int, event_id: str) -> None:
    count_day(c, kinds.ERRORS, time_s, d.count)
    count_hour(c, kinds.ERRORS, time_s, d.count)
    count_day(c, kinds.FAULTS, time_s)
    note(c, kinds.ERROR, time_s, d.count, event_id, d.code[:32], keep=EVIDENCE)
    if d.fatal:
        count_day(c, kinds.FATALS, time_s, d.count)
        note(c, kinds.FATAL, time_s, d.count, event_id, d.code[:32], keep=EVIDENCE)


@on(OutageStarted)
def outage_started(c: Customer, d: OutageStarted, time_s: int, event_id: str) -> None:
    outage = case_of(c, kinds.OUTAGE, d.outage_id)
    if open_case(outage, time_s, event_id):
        outage.label = d.service[:64]


@on(OutageEnded)
def outage_ended(c: Customer, d: OutageEnded, time_s: int, event_id: str) -> None:
    close_case(case_of(c, kinds.OUTAGE, d.outage_id), time_s, kinds.ENDED)
