"""Which feeds are alive, so that nothing that did not come is held against a customer while its feed is dead.

Rules: a feed is one input topic over all customers. It is heard by what the intake tells every partition (FeedHeard),
and by the activity of the partition's own customers, which proves as much; two intakes may tell, in any order: a time
that is heard of late is no longer lost. A feed that was quiet for longer than the grace (`value.feed_grace_s`) was dead
since it was last heard: that span is lost, and no signal counts it as quiet of a customer. A feed that was never heard
is not known, and counts for nobody.

What rests on "nothing was used" asks here, and so does what counts as gone: lost time is left out of a silence, of
the time that a drop must last, of windows and of the days that a beginner had. What rests on a contact, a reply or a
solution that did not come does not: there nothing from anybody for a day is an ordinary weekend, and the thresholds
are weeks and months.
"""

from collections.abc import Mapping

import msgspec

from detectors.records import INSIGHTS, Outbox
from schemas.insights import encode_insight
from schemas.insights_live import SourceSilent
from schemas.times import rfc3339

USAGE, BILLING, FEEDBACK = "usage.events", "billing.events", "retention.feedback"
IN_USAGE, IN_ORDERS = 1, 2  # bits of `Customer.active_in`: which feed its activity came by
FEED_OF = ((IN_USAGE, USAGE), (IN_ORDERS, BILLING))
LOST_KEPT = 12  # newest spans per feed; the longest window that asks is nine weeks, and a quiet weekend is a span
DAY_S = 86_400
OUTAGE_S = 3 * DAY_S  # where few use it, a feed is quiet over a weekend and alive all the same
LOST_ASKED_S = 180 * DAY_S  # so long after the newest of them nobody asks any more
FEEDS_MAX = 32
WRITER = 0  # the partition that writes the rows


class Feed(msgspec.Struct, array_like=True):
    """One feed. Fields are only ever appended: the order is the stored format."""

    heard_s: int = 0  # its newest event
    lost: list[tuple[int, int]] = []  # newest spans in which nothing came of anybody, oldest first
    told: bool = False  # by the intake, who hears all of it
    silent_s: int = 0  # since when it is said to be silent; 0 while it is not


Feeds = Mapping[str, Feed]


def hear(feeds: dict[str, Feed], topic: str, time_s: int, grace_s: int, *, told: bool = False) -> None:
    """Note that a feed was alive at a time; `told` by the intake.

    >>> feeds = {}
    >>> for day in (1, 2, 7): hear(feeds, USAGE, day * 86_400, 86_400)
    >>> feeds[USAGE].lost == [(2 * 86_400, 7 * 86_400)]
    True
    """
    feed = feeds.get(topic)
    if feed is None:
        if len(feeds) < FEEDS_MAX:
            feeds[topic] = Feed(time_s, told=told)
        return
    feed.told = feed.told or told
    if time_s <= feed.heard_s:
        if feed.lost and time_s < feed.lost[-1][1]:
            _mend(feed, time_s, grace_s)
        return
    if time_s - feed.heard_s > grace_s:
        feed.lost.append((feed.heard_s, time_s))
        del feed.lost[:-LOST_KEPT]
    feed.heard_s = time_s


def _mend(feed: Feed, time_s: int, grace_s: int) -> None:
    """Take up what came late: of a lost span in which something was heard after all, the rest alone is lost.

    >>> feed = Feed(900, [(100, 200), (300, 800)])
    >>> for time_s in (450, 850): _mend(feed, time_s, 200)
    >>> feed.lost
    [(100, 200), (450, 800)]
    """
    for i, (a, b) in enumerate(feed.lost):
        if a < time_s < b:
            feed.lost[i : i + 1] = [span for span in ((a, time_s), (time_s, b)) if span[1] - span[0] > grace_s]
            del feed.lost[:-LOST_KEPT]
            return


def heard_at(time_s: int) -> dict[str, Feed]:
    """Feeds that were all heard at a time."""
    return {topic: Feed(time_s) for _, topic in FEED_OF}


def is_dead(feed: Feed, now_s: int, grace_s: int) -> bool:
    """Whether nothing came of anybody for longer than the grace."""
    return now_s - feed.heard_s > grace_s


def has_lost(feed: Feed, now_s: int) -> bool:
    """Whether a span of it was lost that anybody still asks about."""
    return bool(feed.lost) and feed.lost[-1][1] > now_s - LOST_ASKED_S


def tell_silence(feeds: Feeds, number: int, out: Outbox, now_s: int, grace_s: int) -> None:
    """Name the sources that have gone quiet for everybody, and those that speak again; one partition says it for all.

    What the team says about alerts is no feed: nothing from there is nothing to say.
    """
    for topic in sorted(feeds):
        feed = feeds[topic]
        if not feed.told or topic == FEEDBACK:
            continue
        if feed.silent_s and feed.heard_s > feed.silent_s:
            since_s, feed.silent_s = feed.silent_s, 0
            if number == WRITER:
                _say(topic, since_s, feed.heard_s, out, now_s)
        if not feed.silent_s and is_dead(feed, now_s, grace_s):
            feed.silent_s = feed.heard_s
            if number == WRITER:
                _say(topic, feed.heard_s, None, out, now_s)


def _say(topic: str, since_s: int, until_s: int | None, out: Outbox, now_s: int) -> None:
    key, since = f"source_silent/{topic}", rfc3339(since_s)
    if until_s is None:
        text = f"Nothing has come from {topic} since {since}: for want of it no customer is called silent."
    else:
        text = f"{topic} speaks again: nothing had come from it between {since} and {rfc3339(until_s)}."
    row = SourceSilent(
        insight_id=key,
        as_of=rfc3339(now_s),
        text=text,
        source=topic,
        since=since,
        until=None if until_s is None else rfc3339(until_s),
    )
    out.write(INSIGHTS, key.encode(), encode_insight(row))


def lost_s(feeds: Feeds, active_in: int, span: tuple[int, int], now_s: int, grace_s: int, least_s: int = 0) -> int:
    """Seconds of a span in which the feeds that a customer is active in said nothing of anybody.

    Of two feeds that were dead at the same time the one that lost more counts; spans under `least_s` do not count.

    >>> feeds = {USAGE: Feed(300, [(100, 200)])}
    >>> lost_s(feeds, IN_USAGE, (150, 900), 900, 500), lost_s(feeds, IN_USAGE, (150, 900), 900, 1_000)
    (650, 50)
    """
    since_s, until_s = span
    most = 0
    for bit, topic in FEED_OF:
        if not active_in & bit:
            continue
        feed = feeds.get(topic)
        if feed is None:
            continue
        lost = 0
        for a, b in reversed(feed.lost):  # most ask about what lies behind all of them
            if b <= since_s:
                break
            if a < until_s and b - a >= least_s:
                lost += min(b, until_s) - max(a, since_s)
        if is_dead(feed, now_s, max(grace_s, least_s)):
            lost += max(0, until_s - max(feed.heard_s, since_s))
        most = max(most, lost)
    return most


def outage_days(feeds: Feeds, active_in: int, now_s: int, grace_s: int) -> list[tuple[int, int]]:
    """The days that outages of a customer's feeds took, as (first, first after it), the newest first, none twice.

    A day that was lost for more than half is one of them. One that goes on takes today as well.

    >>> DAY_S = 86_400
    >>> outage_days({USAGE: Feed(30 * DAY_S, [(9 * DAY_S, 19 * DAY_S)])}, IN_USAGE, 35 * DAY_S, DAY_S)
    [(30, 36), (9, 19)]
    """
    found: list[tuple[int, int]] = []
    for bit, topic in FEED_OF:
        feed = feeds.get(topic) if active_in & bit else None
        if feed is None:
            continue
        if is_dead(feed, now_s, max(grace_s, OUTAGE_S)):
            found.append((round(feed.heard_s / DAY_S), now_s // DAY_S + 1))
        found += [(round(a / DAY_S), round(b / DAY_S)) for a, b in feed.lost if b - a >= OUTAGE_S]
    apart: list[tuple[int, int]] = []
    for from_day, to_day in sorted(found, key=lambda days: -days[1]):
        if apart and to_day >= apart[-1][0]:
            apart[-1] = min(from_day, apart[-1][0]), apart[-1][1]
        else:
            apart.append((from_day, to_day))
    return apart


def outage_began_s(feeds: Feeds, active_in: int, time_s: int) -> int:
    """When the outage of a customer's feeds began that goes on at a time; that time where there is none.

    >>> feeds = {USAGE: Feed(9 * OUTAGE_S, [(OUTAGE_S, 3 * OUTAGE_S)])}
    >>> [outage_began_s(feeds, IN_USAGE, time_s) // OUTAGE_S for time_s in (2 * OUTAGE_S, 4 * OUTAGE_S)]
    [1, 4]
    """
    spans = [span for bit, topic in FEED_OF if active_in & bit and topic in feeds for span in feeds[topic].lost]
    return min((a for a, b in spans if b - a >= OUTAGE_S and a < time_s < b), default=time_s)
