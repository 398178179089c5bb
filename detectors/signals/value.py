"""F. Value and innovation: what the customer gets out of it."""

from detectors import kinds
from detectors.counts import sums
from detectors.customer import DAY_S, Customer
from detectors.signals.base import Because, Moment, signal, span
from schemas.billing import OrderPlaced
from schemas.usage import FeatureUsed, SessionEnded, SessionStarted

BEFORE_D = 28  # the customer's own rate is that of the four weeks before the window


def recent_and_before(c: Customer, at: Moment) -> tuple[int, int]:
    """Activity within the window, and in the four weeks before it.

    A day that has just begun is empty for everybody, so the window is that of complete days, or the one with
    today where that holds more: who comes back today is back.
    """
    window_d, today = at.row.window_d, at.day
    recent_from = today - window_d
    edges = (today, recent_from + 1, recent_from, recent_from - BEFORE_D)
    (since_today, _), (since_second, _), (recent, recent_day), (total, first_day) = sums(
        c.days.get(kinds.ACTIVITY, b""), edges
    )
    # The day on which the first count changes its side: today's, the oldest of the window, the oldest before it.
    next_day = today + 1 if since_today else today + window_d + BEFORE_D + 1
    if recent > since_today:
        next_day = min(next_day, recent_day + window_d + 1)
    if total > recent:
        next_day = min(next_day, first_day + window_d + BEFORE_D + 1)
    at.until(next_day * DAY_S)
    return max(recent - since_today, since_second), total - recent


@signal("value.usage_drop", number=28, depends=(SessionStarted, FeatureUsed, OrderPlaced))
def usage_drop(c: Customer, at: Moment) -> float | None:
    """Activity in the window against the customer's own rate in the 28 days before: −0.3 is 30 % less."""
    recent, before = recent_and_before(c, at)
    if before < at.row.at_least:
        return None
    return (recent / at.row.window_d) / (before / BEFORE_D) - 1


@usage_drop.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    recent, before = recent_and_before(c, at)
    usual = before / BEFORE_D * at.row.window_d
    return Because(
        f"Activity fell by {-value:.0%}: {recent} in the last {at.row.window_d} days, where {usual:.0f} was usual.",
        [c.active_id] if c.active_id else [],
    )


@signal("value.silence", number=29, depends=(SessionStarted, SessionEnded, FeatureUsed, OrderPlaced))
def silence(c: Customer, at: Moment) -> float | None:
    """Time since the last activity ÷ own usual gap, while the feed itself is alive."""
    if not c.gap_s:
        return None
    alive_s = at.feed_s + at.policy.value.feed_grace_s
    if at.now_s <= alive_s:
        return max(0.0, at.growing(c.active_s, c.gap_s))
    # The feed is silent for everybody: count up to where it was last heard, and look again later.
    at.until(at.now_s + at.policy.value.feed_grace_s)
    return max(0.0, (alive_s - c.active_s) / c.gap_s)


@silence.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    return Because(
        f"Nothing heard for {span(at.now_s - c.active_s)}, {value:.1f} times the usual gap of {span(c.gap_s)}.",
        [c.active_id] if c.active_id else [],
    )
