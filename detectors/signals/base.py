"""What a signal is: a measure of one customer's history at a moment, and a sentence about it.

A measure returns its value, or None where it has not seen its inputs (unknown is neither good nor bad).
It says through `Moment.until` when the value changes without an event, so that it is read again only
then or when an event it depends on came. `ramp` turns the value into a strength.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from detectors.catalogue import SignalPolicy
from detectors.counts import since
from detectors.customer import DAY_S, NEVER, Case, Customer, Point
from detectors.feeds import FEED_OF, OUTAGE_S, Feeds, has_lost, heard_at, is_dead, lost_s, outage_began_s, outage_days
from detectors.policy import Policy

STEPS = 10  # a strength that grows by itself is read again each tenth of its way
EVIDENCE = 5


class Because(NamedTuple):
    """Why a signal is raised: a sentence with the numbers in it, and the events that carry it."""

    text: str
    evidence: Sequence[str]


class Moment:
    """When a customer is looked at, and what the look may use besides the customer."""

    __slots__ = (
        "_heard_ago",
        "_outages",
        "day",
        "feed_s",
        "feeds",
        "life",
        "lossless",
        "now_s",
        "policy",
        "row",
        "until_s",
    )

    def __init__(self, policy: Policy, now_s: int = 0, feed_s: int = 0) -> None:
        self.policy = policy
        self.life = policy.life  # what is expected of plans, as far as it was learned (detectors.useful_life)
        self.row: SignalPolicy = next(iter(policy.signals.values()))
        self.until_s = NEVER
        self.at(now_s, heard_at(feed_s) if feed_s else {})

    def at(self, now_s: int, feeds: Feeds) -> None:
        """Move to another time, with what is known of the feeds then; `feed_s` is the latest activity of anybody."""
        self.now_s, self.day, self.feeds = now_s, now_s // DAY_S, feeds
        self.feed_s, grace_s = 0, self.policy.value.feed_grace_s
        self._heard_ago: dict[tuple[int, int], int] = {}
        self._outages: dict[int, list[tuple[int, int]]] = {}
        self.lossless = True  # no feed is dead or has been of late: as ever, so that it is asked first
        for _, topic in FEED_OF:
            feed = feeds.get(topic)
            if feed is not None:
                self.feed_s = max(self.feed_s, feed.heard_s)
                self.lossless = self.lossless and not has_lost(feed, now_s) and not is_dead(feed, now_s, grace_s)

    def lost_s(self, c: Customer, since_s: int, until_s: int) -> int:
        """Seconds of a span that say nothing about a customer: nothing came of anybody by the feeds it uses."""
        return 0 if self.lossless else self.lost_of(c.active_in, since_s, until_s)

    def lost_of(self, feeds: int, since_s: int, until_s: int) -> int:
        """Seconds of a span in which nothing came of anybody by these feeds (bits, as in `Customer.active_in`)."""
        if self.lossless:
            return 0
        return lost_s(self.feeds, feeds, (since_s, until_s), self.now_s, self.policy.value.feed_grace_s)

    def quiet_s(self, c: Customer) -> int:
        """Seconds since the customer's last activity in which nobody's was heard."""
        return 0 if self.lossless else self.lost_of(c.active_in, c.active_s, self.now_s)

    def outage_d(self, c: Customer, since_day: int, until_s: int) -> int:
        """Days since a day that were lost to outages, without the quiet of a weekend."""
        if self.lossless:
            return 0
        span_s, grace_s = (since_day * DAY_S, until_s), self.policy.value.feed_grace_s
        return round(lost_s(self.feeds, c.active_in, span_s, self.now_s, grace_s, OUTAGE_S) / DAY_S)

    def outages(self, c: Customer) -> list[tuple[int, int]]:
        """The days that outages of the customer's feeds took, newest first (`detectors.feeds.outage_days`)."""
        if self.lossless:
            return []
        found = self._outages.get(c.active_in)
        if found is None:
            grace_s = self.policy.value.feed_grace_s
            found = self._outages[c.active_in] = outage_days(self.feeds, c.active_in, self.now_s, grace_s)
        return found

    def day_heard_ago(self, c: Customer, days: int) -> int:
        """The day that lies so many days back on which the customer's feeds were alive.

        Lost days are not counted: the more of them, the farther back it lies, to where nothing is lost any more.
        """
        if self.lossless:
            return self.day - days
        found = self._heard_ago.get((c.active_in, days))
        if found is None:
            found = self.day - days
            while (back := self.day - days - self.outage_d(c, found, self.now_s)) < found:
                found = min(back, outage_began_s(self.feeds, c.active_in, back * DAY_S) // DAY_S)
            self._heard_ago[c.active_in, days] = found
        return found

    def feed_is_dead(self, c: Customer) -> bool:
        """Whether a feed that the customer uses is dead now."""
        grace_s = self.policy.value.feed_grace_s
        return not self.lossless and any(
            c.active_in & bit and topic in self.feeds and is_dead(self.feeds[topic], self.now_s, grace_s)
            for bit, topic in FEED_OF
        )

    def until(self, time_s: int) -> None:
        """The value holds until then, if no event comes."""
        if self.now_s < time_s < self.until_s:
            self.until_s = time_s

    def in_days(self, days: bytes | None, window_d: int) -> int:
        """Sum of a day counter over the newest `window_d` UTC days, today's included."""
        if not days:
            return 0
        total, oldest = since(days, self.day - window_d + 1)
        if total:
            self.until((oldest + window_d) * DAY_S)
        return total

    def in_points(self, points: Iterable[Point] | None, window_d: int) -> list[Point]:
        """The points of the newest `window_d` UTC days."""
        if not points:
            return []
        since_s = (self.day - window_d + 1) * DAY_S
        found = [p for p in points if p.time_s >= since_s]
        if found:
            self.until((found[0].time_s // DAY_S + window_d) * DAY_S)
        return found

    def growing(self, since_s: int, unit_s: float) -> float:
        """A value that grows with time alone: (now − since) ÷ unit; read again as its strength moves."""
        value = (self.now_s - since_s) / unit_s
        span = self.row.to - self.row.from_
        strength = (value - self.row.from_) / span
        if strength < 1.0:
            # The next tenth of the way, never the one we stand on, whatever the rounding.
            step = (int(strength * STEPS + 1e-6) + 1) / STEPS if strength > 0.0 else 0.0
            self.until(max(self.now_s + 1, since_s + int((self.row.from_ + step * span) * unit_s) + 1))
        return value


Measure = Callable[[Customer, Moment], float | None]
Explain = Callable[[Customer, Moment, float], Because]


class Signal:
    """One row of the catalogue."""

    __slots__ = ("code", "depends", "doc", "explain", "group", "looks_up", "measure", "number", "of_days")

    def __init__(
        self, code: str, number: int, depends: tuple[type, ...], measure: Measure, *, looks_up: bool, of_days: bool
    ) -> None:
        self.code, self.number, self.depends, self.measure = code, number, depends, measure
        self.looks_up, self.of_days = looks_up, of_days
        self.group = code.split(".", 1)[0]
        self.doc = (measure.__doc__ or "").strip()
        self.explain: Explain = self._unexplained

    def reason(self, explain: Explain) -> Explain:
        """Register the sentence of this signal."""
        self.explain = explain
        return explain

    def _unexplained(self, _c: Customer, _at: Moment, value: float) -> Because:
        return Because(f"{self.doc} ({value:g})", ())

    def __repr__(self) -> str:
        return f"Signal({self.code})"


CATALOGUE: dict[str, Signal] = {}


def signal(
    code: str, *, number: int, depends: tuple[type, ...], looks_up: bool = False, of_days: bool = False
) -> Callable[[Measure], Signal]:
    """Declare a signal: its code, its number in stored states (never given twice), the events it depends on.

    One that `looks_up` uses more than these events tell, which is no reason to read it after all of the others: it is
    read again before anything is announced. One `of_days` asks on which days something happened, and not how often:
    more of the same on a day is no reason to read it.
    """

    def register(measure: Measure) -> Signal:
        if code in CATALOGUE or any(number == s.number for s in CATALOGUE.values()):
            raise ValueError(f"{code}: its code or its number {number} is taken")
        CATALOGUE[code] = Signal(code, number, depends, measure, looks_up=looks_up, of_days=of_days)
        return CATALOGUE[code]

    return register


def ramp(value: float, row: SignalPolicy) -> float:
    """Strength of a value: 0 at `from`, 1 at `to`, linear between.

    >>> ramp(2.5, SignalPolicy(1, 4, 1.6)), ramp(-1, SignalPolicy(-0.3, -0.8, 1.6)), ramp(1, SignalPolicy(1, 4, 1.6))
    (0.5, 1.0, 0.0)
    """
    strength = (value - row.from_) / (row.to - row.from_)
    return 0.0 if strength <= 0.0 else 1.0 if strength >= 1.0 else strength


def newest(points: Sequence[Point]) -> list[str]:
    """Ids of the newest few events, oldest first."""
    return [p.event_id for p in points[-EVIDENCE:]]


def openings(cases: Iterable[Case]) -> list[str]:
    """Ids of the events that opened the newest few cases, oldest first; without those of which only later news came.

    >>> openings([Case(opened_s=9, event_id="b"), Case(opened_s=5, event_id="a"), Case(closed_s=7)])
    ['a', 'b']
    """
    opened = sorted((case.opened_s, case.event_id) for case in cases if case.event_id)
    return [event_id for _, event_id in opened[-EVIDENCE:]]


def times(n: float, one: str, many: str | None = None) -> str:
    """A count with its noun.

    >>> times(1, "call"), times(3, "call"), times(2, "reply", "replies")
    ('1 call', '3 calls', '2 replies')
    """
    return f"{n:g} {one if n == 1 else many or one + 's'}"


def often(n: float) -> str:
    """How many times.

    >>> often(1), often(2), often(3)
    ('once', 'twice', '3 times')
    """
    return {1: "once", 2: "twice"}.get(int(n), f"{n:g} times")


def listed(words: Sequence[str]) -> str:
    """Some things in a sentence.

    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def wait(seconds: float) -> str:
    """How long somebody waited on the phone.

    >>> wait(45.4), wait(119), wait(200)
    ('45 seconds', '119 seconds', '3 minutes')
    """
    return times(round(seconds), "second") if seconds < 120 else span(seconds)


def span(seconds: float) -> str:
    """A duration as a person says it.

    >>> span(1500), span(9000), span(86400 * 12), span(86400 * 1)
    ('25 minutes', '2 hours', '12 days', '24 hours')
    """
    if seconds < 2 * 3600:
        return times(max(1, round(seconds / 60)), "minute")
    if seconds < 2 * DAY_S:
        return times(round(seconds / 3600), "hour")
    return times(round(seconds / DAY_S), "day")
