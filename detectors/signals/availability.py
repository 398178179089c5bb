"""J. Availability: not there, or late without a word."""

from detectors import kinds
from detectors.customer import DAY_S, Customer
from detectors.signals.base import Because, Moment, newest, often, signal, times
from schemas.engagement import ItemUnavailable, OrderDelayed, OrderFulfilled

ANSWERS = {
    kinds.NOTHING: "nothing was offered",
    kinds.DEFERRED: "put off",
    kinds.ALTERNATIVE: "an alternative was offered",
    kinds.PARTNER: "passed on to a partner",
}


@signal("availability.turned_away", number=42, depends=(ItemUnavailable,))
def turned_away(c: Customer, at: Moment) -> float | None:
    """Unavailable items within the window, weighted by what was done about them (policy `[availability]`)."""
    if kinds.UNAVAILABLE not in c.points:
        return None
    p = at.policy.availability
    weights = (0.0, p.nothing, p.deferred, p.alternative, p.partner)
    return float(sum(weights[item.value] for item in at.in_points(c.points[kinds.UNAVAILABLE], at.row.window_d)))


@turned_away.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    items = at.in_points(c.points.get(kinds.UNAVAILABLE), at.row.window_d)
    names = ", ".join(f"“{name}”" for name in list(dict.fromkeys(p.label for p in reversed(items)))[:3])
    counts = [(sum(p.value == answer for p in items), words) for answer, words in ANSWERS.items()]
    said = ", ".join(f"{words} {often(n)}" for n, words in counts if n)
    return Because(
        f"Could not have what they wanted {often(len(items))} in {at.row.window_d} days ({names}): {said}.",
        newest(items),
    )


def untold(c: Customer, at: Moment) -> list[tuple[float, int, str, bool]]:
    """Orders that are or were late without a word to the customer: days, since when, event, whether still late."""
    found = []
    orders = c.cases.get(kinds.ORDER, {})
    first_day = at.day - at.row.window_d + 1
    for order in orders.values():
        if order.heard_s or not order.due_s:
            continue
        if not order.is_open:
            if order.closed_s > order.due_s and order.closed_s // DAY_S >= first_day:
                late_d = (order.closed_s - order.due_s) / DAY_S
                found.append((late_d, order.due_s, order.event_id, False))
                at.until((order.closed_s // DAY_S + at.row.window_d) * DAY_S)
        elif at.now_s > order.due_s:
            found.append((at.growing(order.due_s, DAY_S), order.due_s, order.event_id, True))
        else:
            at.until(order.due_s + 1)
    for p in at.in_points(c.points.get(kinds.LATE), at.row.window_d):
        if p.label not in orders:  # nobody ever spoke of a delay
            found.append((float(p.value), p.time_s - p.value * DAY_S, p.event_id, False))
    return sorted(found)


@signal("availability.uninformed_delay", number=43, depends=(OrderDelayed, OrderFulfilled))
def uninformed_delay(c: Customer, at: Moment) -> float | None:
    """Days that an order is late, or came late within the window, without the customer being told; the longest."""
    if kinds.ORDER not in c.cases and kinds.LATE not in c.points:
        return None
    late = untold(c, at)
    return late[-1][0] if late else 0.0


@uninformed_delay.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    late = untold(c, at)
    days, _, _, still = late[-1]
    others = f"; {times(len(late), 'order')} in all" if len(late) > 1 else ""
    verb = "is" if still else "came"
    return Because(
        f"An order {verb} {times(round(days), 'day')} late and the customer was never told{others}.",
        [event_id for _, _, event_id, _ in late[-5:] if event_id],
    )
