"""What the model is told of a customer besides the signals: rhythm, levels, trends, tenure, price, stage.

Rules: a feature is a function of the customer's state at a time and of nothing after it; it is finite, of the order of
one, and 0 where there is nothing to say; only of those who leave by silence is anything believed before outcomes speak
(`orders.quiet_ahead`, `alone`). Counts and durations go in as logarithms: what matters is how many times, not how many.
A feature may speak for a signal: its part of the log-odds is then told under that signal's reason where the signal is
raised.

The rhythm of those who leave by silence (known by their orders alone; everybody, where there is no billing, or where
policy says so) and the rhythm of all others are features of their own (`orders.`, `use.`): silence means something else
in a shop than under a contract.
"""

import math
from bisect import bisect_left
from itertools import accumulate
from operator import sub
from typing import Final, NamedTuple

from detectors import kinds
from detectors.counts import by_day, since
from detectors.customer import DAY_S, Customer
from detectors.leaving import buys_only
from detectors.policy import Policy
from detectors.profile import stage_of
from detectors.signals.price import price_trail
from detectors.used_days import active_days

SILENCE, DROP = "value.silence", "value.usage_drop"
HORIZON_D = 30.0
# Shapes of buying in general: rate r ÷ alpha per day, and a chance a ÷ (a + b) to stop after an order (Fader, Hardie
# & Lee, "Counting your customers" the easy way, Marketing Science, 2005). What a business is like is learned on top.
SHAPES: Final = ((0.45, 15.0, 0.6, 4.0), (0.25, 30.0, 0.8, 2.5), (1.0, 20.0, 0.3, 3.0), (0.5, 60.0, 0.5, 5.0))
WINDOWS: Final = (3, 7, 14, 28, 56, 91)
SURE = 9.0  # log-odds beyond which nothing is said


class Feature(NamedTuple):
    """A number that the model may use."""

    name: str
    doc: str
    speaks_for: str = ""  # code of a signal
    sd: float = 0.3  # of its weight before anything is learned
    prior: float = 0.0


_RHYTHM: Final = (
    ("recency", "log of days since the last activity", SILENCE),
    ("expected", "log of the active days to be expected within 30 days at the customer's own rate", ""),
    ("overdue", "log of days since the last activity ÷ own mean gap", SILENCE),
    ("overdue_by_rate", "log of days since the last activity × own rate", SILENCE),
    ("overdue_by_quantile", "log of days since the last activity ÷ own usual (90 %) gap", SILENCE),
    ("too_few_gaps", "1 while the usual gap is not known", ""),
    ("mean_gap", "log of the mean gap in days", ""),
    ("once", "1 where there was one active day", ""),
    ("once_recency", "log of days since the only active day", SILENCE),
    ("repeats", "log of active days after the first, of the newest 38", ""),
    ("doubt", "evidence of having stopped, at a slow rate of others", SILENCE),
    ("doubt_fast", "the same, at a fast rate of others", SILENCE),
    ("missed", "active days to be expected since the last one, at own rate", SILENCE),
    *((f"volume_{w}d", f"log of activity within {w} days", DROP) for w in WINDOWS),
    *((f"days_{w}d", f"share of days with activity within {w} days", DROP) for w in WINDOWS),
    ("trend_7d", "log of activity within 7 days against the rate of the 3 weeks before", DROP),
    ("trend_28d", "log of activity within 28 days against the rate of the 9 weeks before", DROP),
    ("known_for", "log of days since the first event", ""),
    ("quiet_as_before", "log-odds of 30 quiet days more, after own gaps that were as long as this one", SILENCE),
    ("regular", "log of the spread of own gaps ÷ their mean", ""),
    ("overdue_by_median", "log of days since the last activity ÷ own median gap", SILENCE),
    ("last_gap", "log of the last gap ÷ own mean gap", DROP),
    ("late_gaps", "log of the mean of the last 3 gaps ÷ own mean gap", DROP),
)
_TIMING: Final = 5  # of these, the newest: they rest on single gaps, and are believed less before outcomes speak
_ORDERS: Final = (
    ("orders.quiet_ahead", "log-odds of no order within 30 days, after what buyers are like in general", SILENCE),
    ("orders.only", "1 for those who leave by silence", ""),
    ("orders.amount", "log of the mean amount of the newest orders", ""),
    ("orders.last_amount", "log of the last amount ÷ the mean", ""),
    ("orders.value", "log of mean amount × active days", ""),
)
# Where nobody buys anything, who was there lately comes back, and the shapes of buying say less than in a shop.
_ALONE: Final = (
    Feature("alone", "1 where leaving means to do nothing at all", "", 1.0, -2.0),
    Feature("alone.recency", "log of days since the last activity, there", SILENCE, 0.3, 1.2),
    Feature("alone.quiet_ahead", "log-odds of 30 quiet days there, after what buyers are like", SILENCE, 0.3, 0.3),
)
STAGES: Final = ("lead", "trial", "onboarding", "active", "mature", "at_renewal", "churned")
_COUNTED: Final = (
    ("errors_7d", "errors within 7 days", kinds.ERRORS, 7),
    ("errors_28d", "errors within 28 days", kinds.ERRORS, 28),
    ("crashes_28d", "fatal errors within 28 days", kinds.FATALS, 28),
    ("sessions_7d", "sessions within 7 days", kinds.SESSIONS, 7),
    ("calls_28d", "calls within 28 days", kinds.CALLS, 28),
    ("faults_28d", "faults and complaints within 28 days", kinds.FAULTS, 28),
    ("invoices", "invoices remembered", kinds.INVOICES, 20_000),
)
_HAPPENED: Final = (
    ("contacts_30d", "contacts within 30 days", kinds.CONTACT, 30),
    ("looks_at_exit_30d", "looks at the exit within 30 days", kinds.EXIT, 30),
    ("looks_at_exit_90d", "looks at the exit within 90 days", kinds.EXIT, 90),
    ("competitors_90d", "competitors named within 90 days", kinds.COMPETITOR, 90),
    ("refunds_90d", "refunds within 90 days", kinds.REFUND, 90),
    ("opted_out_90d", "opt-outs within 90 days", kinds.OPTED_OUT, 90),
    ("gifts_90d", "moments in which the business gave something, within 90 days", kinds.GIVEN, 90),
    ("advocacy_90d", "recommendations within 90 days", kinds.ADVOCACY, 90),
    ("unavailable_30d", "unavailable items within 30 days", kinds.UNAVAILABLE, 30),
    ("downgrades_90d", "downgrades within 90 days", kinds.DOWNGRADE, 90),
    ("terms_90d", "changes of price or terms within 90 days", kinds.TERMS, 90),
    ("late_30d", "late orders within 30 days", kinds.LATE, 30),
    ("rude_90d", "rude answers within 90 days", kinds.RUDE, 90),
)
_OPEN: Final = (
    ("open_tickets", "tickets", kinds.TICKET),
    ("open_invoices", "invoices that a payment failed for", kinds.INVOICE),
    ("open_promises", "promises", kinds.PROMISE),
    ("open_disputes", "disputes", kinds.DISPUTE),
)
_COMMON: Final = (
    ("never_active", "1 where no activity was seen", ""),
    ("known_for", "log of days since the first event", ""),
    ("tenure", "log of days since the first purchase", ""),
    ("last_event", "log of days since the last event of any kind", ""),
    *((f"stage_{stage}", f"1 in the stage {stage}", "") for stage in STAGES),
    ("price", "log of the price per month", ""),
    ("prices_known", "log of the prices seen within a year", ""),
    ("contract", "1 under a contract with an end", ""),
    ("contract_left", "60-day units until the contract ends, from −0.5 to 3", ""),
    ("contract_30d", "1 in the last 30 days of the contract", ""),
    ("contract_over", "1 after the end of the contract", ""),
    ("renewal_off", "1 where renewal is turned off", ""),
    *((name, f"log of {doc}", "") for name, doc, _, _ in _COUNTED),
    ("errors_per_use", "log of errors ÷ activity, within 28 days", ""),
    *((name, f"log of {doc}", "") for name, doc, _, _ in _HAPPENED),
    *((name, f"log of open {doc}", "") for name, doc, _ in _OPEN),
    ("seats", "seats gained or lost within 90 days, as a share", ""),
    ("quota", "share of the quota used, as last reported", ""),
    ("rating", "the newest rating below 5, per point ÷ 5", ""),
    ("given_ago", "log of days since the business last gave something", ""),
    ("never_given", "1 where it never did", ""),
)
# Rare, and decisive where a business has them: they may count for more before many outcomes say so.
_RARE: Final = dict.fromkeys(
    ("contract", "contract_left", "contract_30d", "contract_over", "renewal_off", "seats"), 1.0
)

FEATURES: Final = (
    *(Feature(f"orders.{name}", doc, speaks, 0.2) for name, doc, speaks in _RHYTHM),
    *(Feature(f"use.{name}", doc, speaks) for name, doc, speaks in _RHYTHM[:-_TIMING]),
    *(Feature(f"use.{name}", doc, speaks, 0.1) for name, doc, speaks in _RHYTHM[-_TIMING:]),
    *(Feature(name, doc, speaks, 0.2) for name, doc, speaks in _ORDERS[1:]),
    Feature(*_ORDERS[0], sd=0.3, prior=1.0),
    *_ALONE,
    *(Feature(name, doc, speaks, _RARE.get(name, 0.3)) for name, doc, speaks in _COMMON),
)
"""Every feature; their order is that of a vector, and no promise: whatever is stored names them."""

INDEX: Final = {feature.name: i for i, feature in enumerate(FEATURES)}
_USE, _COUNT = len(_RHYTHM), len(_RHYTHM)
_STAGE = {stage: INDEX[f"stage_{stage}"] for stage in STAGES}
_ERRORS_28D = INDEX["errors_28d"]
_COUNTED_AT = tuple((INDEX[name], kind, window_d) for name, _, kind, window_d in _COUNTED)
_HAPPENED_AT = tuple((INDEX[name], kind, window_d) for name, _, kind, window_d in _HAPPENED)
_OPEN_AT = tuple((INDEX[name], kind) for name, _, kind in _OPEN)
_log, _log1p = math.log, math.log1p


def plain(c: Customer, now_s: int, policy: Policy, lost_s: int = 0, by_use: bool = False) -> dict[int, float]:
    """The features of a customer at a time in seconds since the epoch, by index into FEATURES; those not there are 0.

    For `lost_s` since its last activity nothing came of anybody by the feeds it uses: its rhythm is read as if that
    had been no time. `by_use` says that leaving means to do nothing at all (`detectors.leaving.only_uses`).

    >>> sorted(FEATURES[i].name for i in plain(Customer(first_s=1), 1, Policy()))
    ['never_active', 'never_given', 'stage_active']
    """
    now_s -= now_s % DAY_S  # half a day looks like a bad one, and landmarks are at midnight
    found: dict[int, float] = {}
    by_silence = by_use or buys_only(c, policy)
    recent = _rhythm(found, c, now_s - lost_s, by_silence)
    if by_use:
        _alone(found)
    if by_silence:
        _orders(found, c)
    _standing(found, c, now_s, policy)
    _history(found, c, now_s, recent)
    return {i: value for i, value in found.items() if value}


def _rhythm(found: dict[int, float], c: Customer, now_s: int, by_silence: bool) -> int:
    """How often, how lately, and with what trend; returns the activity within 28 days."""
    day = now_s // DAY_S
    packed = active_days(c)
    known_d = max(0.0, (now_s - c.first_s) / DAY_S)
    if not packed:
        found[INDEX["never_active"]] = 1.0
        return 0
    when, counts = zip(*by_day(packed), strict=True)
    days: tuple[int, ...] = when[::-1]
    first, last = days[0], days[-1]
    recency_d = max(0.0, (now_s - c.active_s) / DAY_S)
    seen_d = max(0.0, float(day - first)) if len(days) >= kinds.DAYS_KEPT[kinds.ACTIVITY] else known_d
    repeats, span_d = len(days) - 1, max(0, last - first)
    rate = (repeats + 0.5) / (seen_d + HORIZON_D)  # per day; a month of nothing and half an order before the first
    gap_d = span_d / repeats if repeats else 0.0
    actives = [len(days) - bisect_left(days, day - window_d) for window_d in WINDOWS]
    within: list[int] = [0, *accumulate(counts)]
    volumes = [within[n] for n in actives]
    n7, n28, n91 = volumes[1], volumes[3], volumes[5]
    values = (
        _log1p(recency_d),
        _log(rate * HORIZON_D),
        _log((recency_d + 0.5) / (gap_d + 0.5)) if repeats else 0.0,
        _log((recency_d + 1) * rate + 0.1),
        _log((recency_d + 0.5) / (c.gap_s / DAY_S + 0.5)) if c.gap_s else 0.0,
        0.0 if c.gap_s else 1.0,
        _log1p(gap_d),
        0.0 if repeats else 1.0,
        0.0 if repeats else _log1p(recency_d),
        _log1p(repeats),
        min(8.0, (repeats + 0.5) * _log((seen_d + 30) / (min(span_d, seen_d) + 30))),
        min(8.0, (repeats + 0.5) * _log((seen_d + 7) / (min(span_d, seen_d) + 7))),
        min(10.0, recency_d * rate),
        *map(_log1p, volumes),
        *(n / min(w + 1, 38) for n, w in zip(actives, WINDOWS, strict=True)),
        _log((n7 + 0.5) / ((n28 - n7) / 3 + 0.5)),
        _log((n28 + 0.5) / ((n91 - n28) * 28 / 63 + 0.5)),
        _log1p(known_d) if by_silence else 0.0,
        *(_timing(days, recency_d, rate) if repeats else ()),
    )
    found.update(enumerate(values, start=0 if by_silence else _USE))
    if by_silence:
        found[INDEX["orders.quiet_ahead"]] = quiet_ahead(repeats, min(span_d, seen_d), seen_d)
    return n28


def _alone(found: dict[int, float]) -> None:
    """What is told of those who leave by doing nothing, with what is believed of them."""
    found[INDEX["alone"]] = 1.0
    found[INDEX["alone.recency"]] = found.get(INDEX["orders.recency"], 0.0)
    found[INDEX["alone.quiet_ahead"]] = found.pop(INDEX["orders.quiet_ahead"], 0.0)


def _timing(days: tuple[int, ...], recency_d: float, rate: float) -> tuple[float, ...]:
    """What single gaps between days, the oldest first, say: people who are regular are overdue sooner than others.

    Of the gaps that were as long as the one that goes on now, the share that lasted for a horizon more; two gaps more
    are those of somebody with this rate and no rhythm (compare Platzer & Reutterer, "Ticking away the moments",
    Marketing Science, 2016).
    """
    own = sorted(map(sub, days[1:], days))
    n, mean = len(own), (days[-1] - days[0]) / len(own)
    none_ahead = 2.0 * math.exp(-min(10.0, rate * HORIZON_D))
    share = (n - bisect_left(own, recency_d + HORIZON_D) + none_ahead) / (n - bisect_left(own, recency_d) + 2.0)
    spread = math.dist(own, [mean] * n) / math.sqrt(n)
    few = min(3, n)
    newest, newest_3 = days[-1] - days[-2], (days[-1] - days[-1 - few]) / few
    return (
        max(-6.0, min(6.0, _log(share / (1.0 - share)))) if share < 1.0 else 6.0,
        _log(spread / mean + 0.1),
        _log((recency_d + 0.5) / (own[n // 2] + 0.5)),
        _log((newest + 0.5) / (mean + 0.5)),
        _log((newest_3 + 0.5) / (mean + 0.5)),
    )


def quiet_ahead(repeats: int, span_d: float, seen_d: float) -> float:
    """Log-odds that a buyer orders nothing within 30 days, the mean over SHAPES (BG/NBD).

    `repeats` is how many days with orders followed the first, the last of them after `span_d` of `seen_d` days.

    >>> quiet_ahead(5, 30.0, 40.0) < 0.0 < quiet_ahead(5, 30.0, 400.0)
    True
    """
    total = 0.0
    for r, alpha, a, b in SHAPES:
        gone = 0.0
        if repeats:
            gone = (
                a
                / (b + repeats - 1)
                * math.exp(min(50.0, (r + repeats) * _log((alpha + seen_d) / (alpha + min(span_d, seen_d)))))
            )
        orders = -math.expm1((r + repeats) * _log((alpha + seen_d) / (alpha + seen_d + HORIZON_D))) / (1.0 + gone)
        total += _log((1.0 - orders) / orders) if 0.0 < orders < 1.0 else SURE
    return max(-SURE, min(SURE, total / len(SHAPES)))


def _orders(found: dict[int, float], c: Customer) -> None:
    found[INDEX["orders.only"]] = 1.0
    orders = c.points.get(kinds.ORDERED)
    if not orders:
        return
    mean = sum(p.value for p in orders) / len(orders) / 100
    found[INDEX["orders.amount"]] = _log1p(mean)
    found[INDEX["orders.last_amount"]] = _log((orders[-1].value / 100 + 1) / (mean + 1))
    found[INDEX["orders.value"]] = _log1p(mean * (len(active_days(c)) // 2))


def _standing(found: dict[int, float], c: Customer, now_s: int, policy: Policy) -> None:
    """Tenure, stage, price and contract."""
    found[INDEX["known_for"]] = _log1p(max(0.0, (now_s - c.first_s) / DAY_S))
    found[INDEX["last_event"]] = _log1p(max(0.0, (now_s - c.last_s) / DAY_S)) if c.last_s else 0.0
    if c.started_s:
        found[INDEX["tenure"]] = _log1p(max(0.0, (now_s - c.started_s) / DAY_S))
    stage = _STAGE.get(stage_of(c, now_s, policy))
    if stage is not None:
        found[stage] = 1.0
    trail = price_trail(c, now_s)
    if trail:
        found[INDEX["price"]] = _log1p(max(0, trail[-1].value) / 100)
        found[INDEX["prices_known"]] = _log1p(len(trail))
    if c.contract_ends_s:
        left_d = (c.contract_ends_s - now_s) / DAY_S
        found[INDEX["contract"]] = 1.0
        found[INDEX["contract_left"]] = max(-0.5, min(3.0, left_d / 60))
        found[INDEX["contract_30d"]] = float(0 <= left_d <= 30)
        found[INDEX["contract_over"]] = float(left_d < 0)
    found[INDEX["renewal_off"]] = float(c.auto_renew_off_s > c.contract_s)
    if c.given_s:
        found[INDEX["given_ago"]] = _log1p(max(0.0, (now_s - c.given_s) / DAY_S))
    else:
        found[INDEX["never_given"]] = 1.0


def _history(found: dict[int, float], c: Customer, now_s: int, recent: int) -> None:
    """What happened lately, and what is open."""
    day = now_s // DAY_S
    for index, kind, window_d in _COUNTED_AT:
        packed = c.days.get(kind)
        if packed:
            n = since(packed, max(0, day - window_d + 1))[0]
            found[index] = _log1p(n)
            if index == _ERRORS_28D:
                found[INDEX["errors_per_use"]] = max(-4.0, min(3.0, _log((n + 0.2) / (recent + 1))))
    points = c.points
    for index, kind, window_d in _HAPPENED_AT:
        if kind in points:
            found[index] = _log1p(sum(p.time_s // DAY_S > day - window_d for p in points[kind]))
    cases = c.cases
    for index, kind in _OPEN_AT:
        if kind in cases:
            found[index] = _log1p(sum(case.is_open for case in cases[kind].values()))
    if kinds.SEATS in points:
        seats = [p for p in points[kinds.SEATS] if p.time_s // DAY_S > day - 90]
        if seats:
            before = int(seats[0].label) if seats[0].label.isdigit() else 1
            found[INDEX["seats"]] = max(-1.0, min(1.0, sum(p.value for p in seats) / max(1, before)))
    if kinds.QUOTA in points:
        found[INDEX["quota"]] = min(3.0, points[kinds.QUOTA][-1].value / 1000)
    if kinds.RATING in points:
        found[INDEX["rating"]] = (points[kinds.RATING][-1].value - 5) / 5


__all__ = ["FEATURES", "INDEX", "Feature", "plain", "quiet_ahead"]
