"""F. Value and innovation: what the customer gets out of it."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from detectors import kinds
from detectors.counts import newest_day, sums, without_absence, without_days
from detectors.customer import DAY_S, Customer
from detectors.leaving import buys_without_subscription
from detectors.signals.base import Because, Moment, newest, ramp, signal, span, times
from detectors.used_days import EARLIER, KEPT, active_days, between, by_feature, features_on
from schemas.billing import OrderPlaced
from schemas.usage import FeatureReleased, FeatureUsed, SeatsChanged, SessionEnded, SessionStarted

BEFORE_D = 28  # the customer's own rate is that of the four weeks before the window


class Days(NamedTuple):
    """Activity by day without what is nobody's less use, and what it takes to find a day in the calendar again."""

    packed: bytes
    back_day: int = 0  # the first day after the absence; what lies before it has moved up
    out_d: int = 0  # by so many days
    outages: tuple[tuple[int, int], ...] = ()  # the same of outages, the newest first; they were taken out before

    def in_calendar(self, day: int) -> int:
        """The day of the calendar."""
        if day < self.back_day:
            day -= self.out_d
        out_d = 0
        for back_day, more_d in self.outages:
            if day >= back_day:
                break
            out_d += more_d
        return day - out_d

    def pieces(self, from_day: int, end_day: int) -> Iterator[tuple[int, int]]:
        """From a day to before another one: as spans of the calendar, without what was taken out."""
        edges = {self.back_day, *(day if day >= self.back_day else day + self.out_d for day, _ in self.outages)}
        days = [from_day, *sorted(day for day in edges if from_day < day < end_day), end_day]
        for a, b in pairwise(days):
            yield self.in_calendar(a), self.in_calendar(b - 1) + 1


def days_of(c: Customer, at: Moment) -> Days:
    """Activity as it was on the days that were heard: an outage of the feed is cut out, as if it had been no time."""
    packed = active_days(c)
    outages = () if at.lossless else at.outages(c)
    if not outages:
        return Days(packed)
    packed, cuts = without_days(packed, outages)
    return Days(packed, outages=cuts)


def days_there(c: Customer, at: Moment, days: Days) -> Days:
    """Activity without the absence that a customer has come back from: a holiday is no less use.

    One, the longest, if it is longer than usual and than `value.gap_least_d`: who is away again and again uses less.
    """
    least_d = max(round(c.gap_s / DAY_S), int(at.policy.value.gap_least_d))
    return Days(*without_absence(days.packed, least_d), outages=days.outages)


def recent_and_before(at: Moment, days: Days, end_day: int) -> tuple[int, int]:
    """Activity within the window that ends before a day, and in the four weeks before it.

    A day that has just begun is empty for everybody, so the window is that of complete days, or the one with
    today where that holds more: who comes back today is back.
    """
    window_d = at.row.window_d
    from_day = end_day - window_d
    edges = (end_day + 1, end_day, from_day + 1, from_day, from_day - BEFORE_D)
    (later, _), (since_end, _), (since_second, _), (recent, _), (total, _) = sums(days.packed, edges)
    if end_day < at.day:
        return recent - since_end, total - recent
    return max(recent - since_end, since_second - later), total - recent


def days_heard(c: Customer, at: Moment, days: Days, end_day: int) -> tuple[float, float]:
    """Days within that window, and within the four weeks before it, on which the customer's feeds were alive.

    Outages are not within them any more; a weekend on which nothing came of anybody is.
    """
    window_d = at.row.window_d
    if at.lossless:
        return window_d, BEFORE_D

    def heard_d(from_day: int, to_day: int) -> float:
        spans = days.pieces(from_day, to_day)
        return to_day - from_day - sum(at.lost_s(c, a * DAY_S, b * DAY_S) for a, b in spans) / DAY_S

    from_day = end_day - window_d
    return heard_d(from_day, end_day), heard_d(from_day - BEFORE_D, from_day)


def change_of_use(c: Customer, at: Moment, days: Days, end_day: int) -> float | None:
    """Activity in the window that ends before a day against the rate of the four weeks before it, as a change."""
    recent, before = recent_and_before(at, days, end_day)
    if before < at.row.at_least:
        return None
    recent_d, before_d = days_heard(c, at, days, end_day)
    if recent_d < at.row.window_d / 2 or before_d < BEFORE_D / 2:
        return None  # the feed was dead for so long that nothing is known
    return (recent / recent_d) / (before / before_d) - 1


def last_day(days: Days) -> int:
    """The newest UTC day with activity that counts; 0 without any."""
    return newest_day(days.packed)


def window_end(at: Moment, days: Days) -> int:
    """The day before which the newest window ends: today, or the day after the last use.

    What comes after the last use is silence's to tell: an absence is not told twice.
    """
    return min(at.day, last_day(days) + 1)


def ends_compared(at: Moment, days: Days) -> tuple[int, ...]:
    """The days before which windows end: the newest, and the one that says whether the drop has lasted.

    Less and less use, and then none for so long: that has lasted.
    """
    end_day, then_day = window_end(at, days), at.day - at.policy.value.drop_lasts_d
    return (end_day,) if then_day >= end_day else (end_day, then_day)


@signal("value.usage_drop", number=28, depends=(SessionStarted, SessionEnded, FeatureUsed, OrderPlaced))
def usage_drop(c: Customer, at: Moment) -> float | None:
    """Activity in the window against the customer's own rate in the 28 days before: −0.3 is 30 % less.

    It counts as far as it has lasted: the lesser of the drop now and that of `value.drop_lasts_d` before; and as far
    as it is a drop of the days on which the customer is there: an absence is silence's to tell, and over with a return.
    """
    heard = days_of(c, at)
    if last_day(heard) >= at.day:
        at.until((at.day + 1) * DAY_S)  # then today is a complete day
    change = change_of_use(c, at, heard, window_end(at, heard))
    if change is None or ramp(change, at.row) <= 0.0:
        return change
    at.until((at.day + 1) * DAY_S)
    days, least = days_there(c, at, heard), -1.0
    for end_day in ends_compared(at, days):
        change = change_of_use(c, at, days, end_day)
        if change is None:
            return None
        least = max(least, change)
    return least


@usage_drop.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    days = days_there(c, at, days_of(c, at))
    end_day, *then = ends_compared(at, days)
    recent, before = recent_and_before(at, days, end_day)
    recent_d, before_d = days_heard(c, at, days, end_day)
    usual = round(before / before_d * recent_d)
    change = change_of_use(c, at, days, end_day)
    earlier = change_of_use(c, at, days, then[0]) if then else None
    noun, window_d = "order" if buys_without_subscription(c) else "use", at.row.window_d
    when = f"the last {window_d} days" if end_day >= at.day else f"the {window_d} days up to the last {noun}"
    already = f"; it was {-earlier:.0%} less {at.policy.value.drop_lasts_d} days ago already" if earlier else ""
    return Because(
        f"Activity fell by {-(change or value):.0%}: {times(recent, noun)} in {when}, "
        f"where {usual} {'was' if usual == 1 else 'were'} usual{already}.",
        [c.active_id] if c.active_id else [],
    )


def gap_to_compare_s(c: Customer, at: Moment) -> float:
    """The gap that a silence is compared with: the own usual one, but not less than `value.gap_least_d`.

    Of those known by their orders alone also not more than lets the silence count in full when they count as gone.
    """
    gap_s = float(max(c.gap_s, at.policy.value.gap_least_d * DAY_S))
    if buys_without_subscription(c):
        p = at.policy.churn
        gone_s = max(p.inactivity_days * DAY_S, p.inactivity_gap_factor * c.gap_s)
        gap_s = min(gap_s, gone_s / at.row.to)
    return gap_s


@signal("value.silence", number=29, depends=(SessionStarted, SessionEnded, FeatureUsed, OrderPlaced), looks_up=True)
def silence(c: Customer, at: Moment) -> float | None:
    """Time since the last activity ÷ own usual gap (or `value.gap_least_d`), while the feed itself is alive."""
    if not c.gap_s:
        return None
    gap_s = gap_to_compare_s(c, at)
    if at.lossless:
        return max(0.0, at.growing(c.active_s, gap_s))
    since_s = c.active_s + at.quiet_s(c)
    if not at.feed_is_dead(c):
        return max(0.0, at.growing(since_s, gap_s))
    # The feed is silent for everybody: what was counted until it died holds, and is looked at again later.
    at.until(at.now_s + at.policy.value.feed_grace_s)
    return max(0.0, (at.now_s - since_s) / gap_s)


@silence.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    quiet_s = at.now_s - c.active_s - at.quiet_s(c)
    which = "order" if buys_without_subscription(c) else "day of use"
    return Because(
        f"Nothing heard for {span(quiet_s)}; "
        f"usually no more than {span(c.gap_s)} pass between one {which} and the next.",
        [c.active_id] if c.active_id else [],
    )


def now_and_before(c: Customer, at: Moment) -> tuple[int, int]:
    """The bits of the days of use within the window, and within as long a window before it."""
    window_d, used, age_d = at.row.window_d, c.used, at.day - c.used_day
    if not at.lossless:
        return heard_now_and_before(c, at)
    if age_d < 0:  # use ahead of the clock
        at.until(c.used_day * DAY_S)
        both = between(c, at.day - 2 * window_d + 1, at.day)
        recent = between(c, at.day - window_d + 1, at.day)
    else:
        both = (1 << 2 * window_d - age_d) - 1 if age_d < 2 * window_d else 0
        recent = (1 << window_d - age_d) - 1 if age_d < window_d else 0
    before = both ^ recent
    # The next to change is the window that its oldest day of use leaves first.
    leaves_d = window_d - age_d + 1 - (used & recent).bit_length() if used & recent else 2 * window_d
    if used & before:
        leaves_d = min(leaves_d, 2 * window_d - age_d + 1 - (used & before).bit_length())
    if used & both:
        at.until((at.day + leaves_d) * DAY_S)
    return recent, before


def heard_now_and_before(c: Customer, at: Moment) -> tuple[int, int]:
    """The same of the newest days on which the customer's feeds were alive: lost days are nobody's days without use.

    Of the window before, what is remembered of it; it is looked at again tomorrow.
    """
    at.until((max(at.day, c.used_day - 1) + 1) * DAY_S)
    since_day = at.day_heard_ago(c, at.row.window_d)
    return between(c, since_day + 1, at.day), between(c, at.day_heard_ago(c, 2 * at.row.window_d) + 1, since_day)


def days_before(c: Customer, at: Moment) -> int:
    """How many days of the window before are remembered, and not lost: in the newer one are all of them."""
    window_d = at.row.window_d
    if at.lossless:
        return window_d
    oldest_day = max(at.day_heard_ago(c, 2 * window_d), c.used_day - KEPT)  # before it nothing is remembered by day
    since_day = at.day_heard_ago(c, window_d)
    return max(0, since_day - oldest_day - at.outage_d(c, oldest_day, since_day * DAY_S))


def as_often(c: Customer, recent: int, before: int) -> int:
    """Of the days before, the newest on which there was use, as many of them as there were within the window.

    >>> bin(as_often(Customer(used=0b1101010001), 0b11111, 0b1111100000))
    '0b101000000'
    """
    left, days, found = (c.used & recent).bit_count(), c.used & before, 0
    while left and days:
        newest_day = days & -days
        days, found, left = days ^ newest_day, found | newest_day, left - 1
    return found


def breadth(c: Customer, at: Moment) -> tuple[list[str], list[str], int]:
    """Features used within the window, those used before it and no more, and how many the plan has (0: unknown)."""
    recent, before = now_and_before(c, at)
    before = as_often(c, recent, before)
    used, dropped = [], []
    for name, mask in by_feature(c).items():
        if mask & recent:
            used.append(name)
        elif mask & before:
            dropped.append(name)
    return used, sorted(dropped), at.policy.value.plan_features.get(c.plan, 0)


@signal("value.shallow_use", number=30, depends=(FeatureUsed,), looks_up=True)
def shallow_use(c: Customer, at: Moment) -> float | None:
    """Distinct features in the window against the window before it, and against those of the plan; the worse.

    Of the window before no more days of use count than there were in this one: that somebody comes less often is not
    told twice. What a plan has is read from the policy (`value.plan_features`), where it is known.
    """
    if not c.feature_days:
        return None
    recent, before = now_and_before(c, at)
    if not c.used & recent:
        return None  # who does not come at all is silence's to tell
    now_n, before_n = features_on(c, recent), features_on(c, before)
    of_plan = at.policy.value.plan_features.get(c.plan, 0)
    if before_n < at.row.at_least:
        return now_n / of_plan - 1 if of_plan else None
    if now_n < before_n:
        before_n = max(now_n, 1, features_on(c, as_often(c, recent, before)))
    change = now_n / before_n - 1
    return min(change, now_n / of_plan - 1) if of_plan else change


@shallow_use.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    used, dropped, of_plan = breadth(c, at)
    recent, before = now_and_before(c, at)
    often = as_often(c, recent, before)
    before_n = features_on(c, often)
    said = f"{times(len(used), 'feature')} used in the last {at.row.window_d} days"
    if before_n >= at.row.at_least and before_n > len(used):
        as_many = "as many days of use" if often != c.used & before else f"the {at.row.window_d} days"
        said += f", {before_n} in {as_many} before"
    if of_plan and len(used) < of_plan:
        said += f", of {of_plan} that the plan has"
    if dropped:
        said += f"; no longer: {', '.join(dropped[:3])}{', …' if len(dropped) > 3 else ''}"
    return Because(f"{said[:1].upper()}{said[1:]}.", [c.active_id] if c.active_id else [])


def is_tried(c: Customer, masks: dict[str, int], feature: str, released_day: int, at: Moment) -> bool:
    """Whether a feature was used between its release and yesterday; use from before the mask counts as such."""
    mask = masks.get(feature, 0)
    if c.used_day - released_day >= KEPT and mask & EARLIER:
        return True
    return bool(mask & between(c, released_day, at.day - 1))


def untried_news(c: Customer, at: Moment) -> tuple[list[str], list[str]]:
    """Features released within the window, long enough ago to have been met, and those of them not used since."""
    released, untried = [], []
    grace_d, masks = at.policy.value.news_grace_d, by_feature(c)
    met_day = at.day_heard_ago(c, grace_d)
    for feature, day in sorted(c.news.items()):
        if day <= at.day - at.row.window_d:
            continue
        if day > met_day:
            at.until(max(at.day + 1, day + grace_d) * DAY_S)
            continue
        at.until((day + at.row.window_d) * DAY_S)
        released.append(feature)
        if not is_tried(c, masks, feature, day, at):
            untried.append(feature)
            at.until((at.day + 1) * DAY_S)  # use is looked up then: it is no reason to read this at every use
    return released, untried


@signal("value.no_news_used", number=31, depends=(FeatureReleased,), looks_up=True)
def no_news_used(c: Customer, at: Moment) -> float | None:
    """Share of the features released within the window (and `value.news_grace_d` ago) that were not tried yet."""
    if not c.news:
        return None
    released, untried = untried_news(c, at)
    return len(untried) / len(released) if released and len(released) >= at.row.at_least else None


@no_news_used.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    released, untried = untried_news(c, at)
    names = ", ".join(untried[:3]) + (", …" if len(untried) > 3 else "")
    return Because(
        f"{len(untried)} of {len(released)} features released in {at.row.window_d} days were never tried: {names}.",
        newest([p for p in c.points.get(kinds.RELEASED, ()) if p.label in untried]),
    )


@signal("value.seats_shrinking", number=32, depends=(SeatsChanged,))
def seats_shrinking(c: Customer, at: Moment) -> float | None:
    """Change of the seats within the window, as a share of what they were before its first change."""
    if kinds.SEATS not in c.points:
        return None
    changes = at.in_points(c.points[kinds.SEATS], at.row.window_d)
    if not changes or not (old := int(changes[0].label)):
        return 0.0
    newest_change = changes[-1]
    return (int(newest_change.label) + newest_change.value) / old - 1


@seats_shrinking.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    changes = at.in_points(c.points.get(kinds.SEATS), at.row.window_d)
    now = int(changes[-1].label) + changes[-1].value
    return Because(
        f"Seats fell by {-value:.0%} in {at.row.window_d} days, from {changes[0].label} to {now}.",
        newest([p for p in changes if p.value < 0]),
    )
