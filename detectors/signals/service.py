"""A. Service: slow, unresolved, indifferent."""

from collections import Counter

from detectors import kinds
from detectors.customer import DAY_S, HOUR_S, Case, Customer, Point
from detectors.signals.base import Because, Moment, newest, often, openings, signal, span, times, wait
from schemas.engagement import SurveyAnswered
from schemas.support import (
    CallAbandoned,
    CallAnswered,
    TicketOpened,
    TicketRated,
    TicketReopened,
    TicketResolved,
    TicketTransferred,
)


def answered(c: Customer, at: Moment) -> tuple[int, int]:
    """Calls that were answered within the window, and the seconds that they waited together."""
    calls = at.in_days(c.days.get(kinds.CALLS), at.row.window_d)
    abandoned = at.in_days(c.days.get(kinds.GIVEN_UP), at.row.window_d)
    return calls - abandoned, at.in_days(c.days.get(kinds.WAITED), at.row.window_d)


@signal("service.slow_answer", number=1, depends=(CallAnswered, CallAbandoned))
def slow_answer(c: Customer, at: Moment) -> float | None:
    """Mean wait before a call was answered within the window, in seconds."""
    calls, waited_s = answered(c, at)
    return waited_s / calls if calls > 0 else None


@slow_answer.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    calls, _ = answered(c, at)
    slow = at.in_points(c.points.get(kinds.SLOW_CALL), at.row.window_d)
    what = f"on average before {calls} calls in {at.row.window_d} days were answered"
    if calls == 1:
        what = f"before the one call in {at.row.window_d} days was answered"
    return Because(f"Waited {wait(value)} {what}.", newest(slow))


def given_up(c: Customer, at: Moment) -> tuple[float, float, list[Point]]:
    """Calls, those of them given up after a real wait, and the newest of these; who hung up sooner did not call.

    Of the newest few the waits are known; their share of long ones speaks for all that were given up.
    """
    calls = at.in_days(c.days.get(kinds.CALLS), at.row.window_d)
    abandoned = at.in_days(c.days.get(kinds.GIVEN_UP), at.row.window_d)
    points = at.in_points(c.points.get(kinds.ABANDONED), at.row.window_d)
    long = [p for p in points if p.value > at.policy.service.abandon_after_s * 1000]
    after_a_wait = abandoned * len(long) / len(points) if points else 0.0
    return calls - abandoned + after_a_wait, after_a_wait, long


@signal("service.call_abandoned", number=2, depends=(CallAnswered, CallAbandoned))
def call_abandoned(c: Customer, at: Moment) -> float | None:
    """Abandoned calls ÷ calls, waits over `service.abandon_after_s` only."""
    calls, after_a_wait, _ = given_up(c, at)
    return after_a_wait / calls if calls >= at.row.at_least else None


@call_abandoned.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    calls, after_a_wait, long = given_up(c, at)
    wait_s = sum(p.value for p in long) / 1000 / max(1, len(long))
    return Because(
        f"Gave up {after_a_wait:.0f} of {times(round(calls), 'call')} in {at.row.window_d} days, "
        f"after waiting {wait(wait_s)}{' on average' if len(long) > 1 else ''}.",
        newest(long),
    )


def age_by_sla(ticket: Case, at: Moment) -> float | None:
    """Age of a ticket ÷ its SLA, of one resolved within the window the time to that; else None.

    A reopened one was not solved, so it counts from the start, unless it had rested for longer than the window.
    """
    if not ticket.opened_s:
        return None
    sla_s = ticket.due_s - ticket.opened_s if ticket.due_s else at.policy.service.sla_hours * HOUR_S
    sla_s = max(1, sla_s)  # a promise of less than a second is one of a second
    since_s = ticket.opened_s
    if ticket.reopened_s - since_s > at.row.window_d * DAY_S:
        since_s = ticket.reopened_s
    if ticket.is_open:
        return at.growing(since_s, sla_s)
    forgotten_day = ticket.closed_s // DAY_S + at.row.window_d
    if at.day >= forgotten_day:
        return None
    at.until(forgotten_day * DAY_S)
    return max(0.0, (ticket.closed_s - since_s) / sla_s)


def slowest(c: Customer, at: Moment) -> tuple[float, Case] | None:
    """The ticket that took longest against its SLA, and how many times that."""
    found = [(age, t) for t in c.cases.get(kinds.TICKET, {}).values() if (age := age_by_sla(t, at)) is not None]
    return max(found, key=lambda f: (f[0], f[1].opened_s, f[1].event_id)) if found else None


@signal("service.slow_resolution", number=3, depends=(TicketOpened, TicketReopened, TicketResolved))
def slow_resolution(c: Customer, at: Moment) -> float | None:
    """Age ÷ SLA of the open ticket that is furthest past it, or of those resolved within the window."""
    if kinds.TICKET not in c.cases:
        return None
    found = slowest(c, at)
    return found[0] if found else 0.0


@slow_resolution.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    found = slowest(c, at)
    assert found is not None
    ticket = found[1]
    sla_s = ticket.due_s - ticket.opened_s if ticket.due_s else at.policy.service.sla_hours * HOUR_S
    about = f" about “{ticket.label}”" if ticket.label else ""
    took = "has been open for" if ticket.is_open else "took"
    done = "" if ticket.is_open else " to resolve"
    return Because(
        f"A ticket{about} {took} {span(value * sla_s)}{done}, {value:.1f} times its SLA of {span(sla_s)}.",
        [ticket.event_id],
    )


def unsolved(c: Customer, at: Moment) -> tuple[list[Case], list[Case]]:
    """Tickets that are open, and those that were closed without a solution within the window."""
    tickets = c.cases.get(kinds.TICKET, {}).values()
    still_open = [t for t in tickets if t.is_open]
    sent_away = []
    for t in tickets:
        if (
            not t.is_open
            and t.outcome in (kinds.UNANSWERED, kinds.DECLINED)
            and t.closed_s // DAY_S > at.day - at.row.window_d
        ):
            sent_away.append(t)
            at.until((t.closed_s // DAY_S + at.row.window_d) * DAY_S)
    return still_open, sent_away


@signal("service.unresolved", number=4, depends=(TicketOpened, TicketResolved, TicketReopened))
def unresolved(c: Customer, at: Moment) -> float | None:
    """Open tickets, plus those closed without a solution within the window."""
    if kinds.TICKET not in c.cases:
        return None
    still_open, sent_away = unsolved(c, at)
    return float(len(still_open) + len(sent_away))


@unresolved.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    still_open, sent_away = unsolved(c, at)
    said = [f"{times(len(still_open), 'ticket')} open"] if still_open else []
    if still_open and (oldest_s := min(t.opened_s for t in still_open)):
        said.append(f"{'the oldest ' if len(still_open) > 1 else ''}for {span(at.now_s - oldest_s)}")
    if sent_away:
        count = f"{len(sent_away)}" if still_open else times(len(sent_away), "ticket")
        said.append(f"{count} closed without a solution in {at.row.window_d} days")
    return Because(", ".join(said).capitalize() + ".", openings(still_open + sent_away))


def repeats(c: Customer, at: Moment) -> tuple[str, int, list[str], int, list[str]]:
    """The topic most often asked about with its contacts, and the most reopened ticket with its rounds."""
    contacts = at.in_points(c.points.get(kinds.CONTACT), at.row.window_d)
    topic, most = "", 0
    for label, n in sorted(Counter(p.label for p in contacts).items()):
        if n > most:
            topic, most = label, n
    rounds, opened_by = 0, ""
    for t in c.cases.get(kinds.TICKET, {}).values():
        if t.count and t.reopened_s // DAY_S > at.day - at.row.window_d:
            at.until((t.reopened_s // DAY_S + at.row.window_d) * DAY_S)
            if (1 + t.count, t.event_id) > (rounds, opened_by):
                rounds, opened_by = 1 + t.count, t.event_id
    return topic, most, newest([p for p in contacts if p.label == topic]), rounds, [opened_by] if opened_by else []


@signal("service.repeat_contact", number=5, depends=(TicketOpened, TicketReopened, CallAnswered))
def repeat_contact(c: Customer, at: Moment) -> float | None:
    """Contacts about one topic within the window, or rounds of one ticket that was reopened."""
    if kinds.CONTACT not in c.points and kinds.TICKET not in c.cases:
        return None
    _, contacts, _, rounds, _ = repeats(c, at)
    return float(max(contacts, rounds))


@repeat_contact.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    topic, contacts, events, rounds, opened_by = repeats(c, at)
    about = f" about “{topic}”" if topic else ""
    if contacts >= rounds:
        return Because(f"Had to get in touch {often(contacts)}{about} in {at.row.window_d} days.", events)
    return Because(f"One ticket was opened {often(rounds)}, the last time within {at.row.window_d} days.", opened_by)


def most_moved(c: Customer, at: Moment) -> tuple[int, str]:
    """The most transfers of one ticket that is open or was closed within the window, and its name."""
    most, name = 0, ""
    for key, t in c.cases.get(kinds.TICKET, {}).items():
        if not t.moved:
            continue
        if not t.is_open:  # of one whose opening nobody told of, the newest transfers are known
            moves = (p.time_s for p in c.points.get(kinds.TRANSFERRED, ()) if p.label == key[:64])
            forgotten_day = (t.closed_s or max(moves, default=0)) // DAY_S + at.row.window_d
            if at.day >= forgotten_day:
                continue
            at.until(forgotten_day * DAY_S)
        most, name = max((most, name), (t.moved, key))
    return most, name


@signal("service.handoffs", number=6, depends=(TicketOpened, TicketReopened, TicketTransferred, TicketResolved))
def handoffs(c: Customer, at: Moment) -> float | None:
    """Transfers of one ticket that is open, or was closed within the window."""
    if kinds.TICKET not in c.cases:
        return None
    return float(most_moved(c, at)[0])


@handoffs.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    _, name = most_moved(c, at)
    ticket = c.cases[kinds.TICKET][name]
    moves = [p for p in c.points.get(kinds.TRANSFERRED, ()) if p.label == name[:64]]
    about = f"a ticket about “{ticket.label}”" if ticket.label else "one ticket"
    now = ", which is still open" if ticket.is_open else ", which is closed now" if ticket.closed_s else ""
    return Because(
        f"Was handed on {often(value)} with {about}{now}.",
        ([ticket.event_id] if ticket.event_id else []) + newest(moves)[-4:],
    )


def is_bad(p: Point, at: Moment) -> bool:
    """Whether a rating is a bad one, by its kind."""
    return p.value <= (at.policy.service.nps_bad if p.label == "nps" else at.policy.service.csat_bad)


@signal("service.bad_rating", number=7, depends=(TicketRated, SurveyAnswered))
def bad_rating(c: Customer, at: Moment) -> float | None:
    """Bad ratings in the window, the newest rating counting `service.newest_weight`."""
    ratings = at.in_points(c.points.get(kinds.RATING), at.row.window_d)
    if not ratings:
        return None
    bad = sum(is_bad(p, at) for p in ratings)
    return bad - 1 + at.policy.service.newest_weight if is_bad(ratings[-1], at) else float(bad)


@bad_rating.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    ratings = at.in_points(c.points.get(kinds.RATING), at.row.window_d)
    bad = [p for p in ratings if is_bad(p, at)]
    score = f"{bad[-1].value} on a scale of {'0 to 10' if bad[-1].label == 'nps' else '1 to 5'}"
    if len(ratings) == 1:
        return Because(f"The one rating in {at.row.window_d} days was bad: {score}.", newest(bad))
    which = f"was bad: {score}" if len(bad) == 1 else f"were bad, the newest of them {score}"
    return Because(f"{len(bad)} of {len(ratings)} ratings in {at.row.window_d} days {which}.", newest(bad))
