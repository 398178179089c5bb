"""What is remembered of use: activity and its rhythm, sessions, seats, quota, looks at the exit."""

from detectors import kinds
from detectors.counts import gaps
from detectors.customer import DAY_S, Customer, count_day, note
from detectors.feeds import IN_USAGE
from detectors.history.routes import on, share
from detectors.used_days import NEWS, mark_day, mark_feature, mark_release
from schemas.usage import (
    CancelPageViewed,
    DataExported,
    FeatureReleased,
    FeatureUsed,
    IntegrationRemoved,
    QuotaReported,
    SeatsChanged,
    SessionEnded,
    SessionStarted,
)

# Gaps are those between active days, of the newest 64: an exact quantile of a bounded, order-free
# window. It follows a rhythm that changes, and late events fall where they belong.
GAPS_WANTED = 3
GAP_QUANTILE = 0.9
NAME = 48  # of a feature's name, as much is kept


def active(c: Customer, time_s: int, event_id: str) -> bool:
    """Count one activity, an event that shows the customer using what it pays for; true if its day is a new one."""
    if new := count_day(c, kinds.ACTIVITY, time_s):
        c.gap_s = usual_gap_s(c.days[kinds.ACTIVITY])
        mark_day(c, time_s // DAY_S)
    if time_s > c.active_s or (time_s == c.active_s and event_id > c.active_id):
        c.active_s, c.active_id = time_s, event_id
    return new


def uses_known_feed(c: Customer) -> bool:
    """Note that the customer is heard of by the feed of use; true if that is nothing new."""
    known = c.active_in & IN_USAGE
    c.active_in |= IN_USAGE
    return known != 0


def usual_gap_s(days: bytes) -> int:
    """High quantile (nearest rank) of the gaps between active days, in seconds; 0 while there are too few.

    >>> from detectors.counts import pack
    >>> usual_gap_s(pack({0: 1, 7: 1, 14: 3, 21: 1}, 38)) // DAY_S
    7
    >>> usual_gap_s(pack({0: 1, 7: 1}, 38))
    0
    """
    between = gaps(days)
    return between[int(GAP_QUANTILE * (len(between) - 1) + 0.5)] * DAY_S if len(between) >= GAPS_WANTED else 0


@on(SessionStarted)
def session_started(c: Customer, d: SessionStarted, time_s: int, event_id: str) -> bool:
    known = uses_known_feed(c)
    new_day = active(c, time_s, event_id)
    count_day(c, kinds.SESSIONS, time_s)
    # Crashes are a share of the sessions, once these are enough.
    return known and not new_day and kinds.FATALS not in c.days


@on(SessionEnded)
def session_ended(c: Customer, d: SessionEnded, time_s: int, event_id: str) -> bool:
    if time_s > c.active_s or (time_s == c.active_s and event_id > c.active_id):
        c.active_s, c.active_id = time_s, event_id
    new_day = count_day(c, kinds.MINUTES, time_s, max(1, round(min(d.duration_s, DAY_S) / 60)))
    if kinds.ACTIVITY in c.days:
        return uses_known_feed(c)
    if new_day:
        c.gap_s = usual_gap_s(c.days[kinds.MINUTES])
    return uses_known_feed(c) and not new_day


@on(FeatureUsed)
def feature_used(c: Customer, d: FeatureUsed, time_s: int, event_id: str) -> bool:
    known = uses_known_feed(c)
    new_day = active(c, time_s, event_id)
    # One more feature that others were compared with before only makes use broader.
    return not mark_feature(c, d.feature[:NAME], time_s) and not new_day and known


@on(FeatureReleased)
def feature_released(c: Customer, d: FeatureReleased, time_s: int, event_id: str) -> None:
    note(c, kinds.RELEASED, time_s, 0, event_id, d.feature[:NAME], keep=NEWS)
    mark_release(c, d.feature[:NAME], time_s // DAY_S)


@on(SeatsChanged)
def seats_changed(c: Customer, d: SeatsChanged, time_s: int, event_id: str) -> None:
    note(c, kinds.SEATS, time_s, d.new - d.old, event_id, str(d.old))


@on(QuotaReported)
def quota_reported(c: Customer, d: QuotaReported, time_s: int, event_id: str) -> None:
    if d.included > 0:
        note(c, kinds.QUOTA, time_s, share(d.used, d.included, 1000), event_id, keep=3)


@on(DataExported)
def data_exported(c: Customer, d: DataExported, time_s: int, event_id: str) -> None:
    note(c, kinds.EXIT, time_s, kinds.DATA_EXPORT, event_id)


@on(CancelPageViewed)
def cancel_page_viewed(c: Customer, d: CancelPageViewed, time_s: int, event_id: str) -> None:
    note(c, kinds.EXIT, time_s, kinds.CANCEL_PAGE, event_id)


@on(IntegrationRemoved)
def integration_removed(c: Customer, d: IntegrationRemoved, time_s: int, event_id: str) -> None:
    note(c, kinds.EXIT, time_s, kinds.INTEGRATION_REMOVED, event_id)
