"""A. Service, how the customer is treated: rudely, by protocol, or not told anything."""

from datetime import UTC, datetime

from detectors import kinds
from detectors.customer import DAY_S, Customer, Point
from detectors.signals.base import Because, Moment, newest, signal, span, times
from schemas.app_errors import OutageEnded, OutageStarted
from schemas.billing import PriceChanged, TermsChanged
from schemas.engagement import ContactMade
from schemas.retention import CustomerContacted
from schemas.support import (
    CallAnswered,
    InteractionAssessed,
    RequestRefused,
    TicketOpened,
    TicketReopened,
    TicketResolved,
    TicketUpdated,
)


def rude(c: Customer, at: Moment) -> list[Point]:
    """Conversations within the window in which the agent's tone was under `service.rude_below`."""
    edge = at.policy.service.rude_below * 1000
    return [p for p in at.in_points(c.points.get(kinds.RUDE), at.row.window_d) if p.value < edge]


@signal("service.rude_treatment", number=8, depends=(InteractionAssessed,))
def rude_treatment(c: Customer, at: Moment) -> float | None:
    """Conversations with an agent's tone under `service.rude_below` within the window."""
    return float(len(rude(c, at))) if c.heard & kinds.TONE else None


@rude_treatment.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    found = rude(c, at)
    return Because(
        f"Was treated rudely in {times(value, 'conversation')} within {at.row.window_d} days; "
        f"the agent's tone was {min(p.value for p in found) / 1000:.1f} at worst, where -1 is the rudest.",
        newest(found),
    )


@signal("service.refused_request", number=9, depends=(RequestRefused,))
def refused_request(c: Customer, at: Moment) -> float | None:
    """Requests refused by protocol within the window, with no alternative offered."""
    if not c.heard & kinds.REQUEST:
        return None
    return float(len(at.in_points(c.points.get(kinds.REFUSED), at.row.window_d)))


@refused_request.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    refused = at.in_points(c.points.get(kinds.REFUSED), at.row.window_d)
    asked = [p.label for p in refused if p.label]
    newest_one = f", the newest for “{asked[-1]}”" if asked else ""
    return Because(
        f"{times(value, 'request')} {'was' if value == 1 else 'were'} refused within {at.row.window_d} days "
        f"with no alternative offered{newest_one}.",
        newest(refused),
    )


def unexplained(c: Customer, at: Moment) -> list[tuple[int, str, str]]:
    """What the customer has had no word of: since when, what it is, and the event that carries it; longest first.

    A word is an agent's in the ticket; of all that is open, a call that was answered or made, a check-in, an
    incident notice or an apology. A change counts that nobody is known to have announced, while it is fresh.
    """
    found = []
    for t in c.cases.get(kinds.TICKET, {}).values():
        if t.is_open:
            since_s = max(t.opened_s, t.reopened_s, t.heard_s, c.spoke_s)
            found.append((since_s, "an open ticket" + (f" (“{t.label}”)" if t.label else ""), t.event_id))
    for outage in c.cases.get(kinds.OUTAGE, {}).values():
        if outage.is_open:
            found.append((max(outage.opened_s, c.spoke_s), f"an outage of “{outage.label}”", outage.event_id))
    fresh_s = at.policy.service.change_fresh_d * DAY_S
    for p in c.points.get(kinds.UNTOLD, ()):
        if p.time_s > c.spoke_s and p.time_s <= at.now_s < p.time_s + fresh_s:
            at.until(p.time_s + fresh_s)
            what = "higher price" if p.value == kinds.PRICE_UP else "change of terms"
            found.append((p.time_s, f"a {what} since {datetime.fromtimestamp(p.time_s, UTC):%Y-%m-%d}", p.event_id))
    return sorted(found)


@signal(
    "service.left_in_the_dark",
    number=10,
    depends=(
        TicketOpened,
        TicketUpdated,
        TicketReopened,
        TicketResolved,
        OutageStarted,
        OutageEnded,
        PriceChanged,
        TermsChanged,
        ContactMade,
        CustomerContacted,
        CallAnswered,
    ),
)
def left_in_the_dark(c: Customer, at: Moment) -> float | None:
    """Days without a word from the business about an open ticket, an outage, or a change nobody announced."""
    if kinds.TICKET not in c.cases and kinds.OUTAGE not in c.cases and kinds.TERMS not in c.points:
        return None
    found = unexplained(c, at)
    return max(0.0, max(at.growing(since_s, DAY_S) for since_s, _, _ in found)) if found else 0.0


@left_in_the_dark.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    found = unexplained(c, at)
    long = [f for f in found if at.now_s - f[0] > at.row.from_ * DAY_S] or found[:1]
    others = f", nor on {times(len(long) - 1, 'other matter')}" if len(long) > 1 else ""
    return Because(
        f"No word from the business for {span(value * DAY_S)} on {long[0][1]}{others}.",
        [event_id for _, _, event_id in long[:5] if event_id],
    )
