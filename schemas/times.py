"""Time on the wire: RFC 3339 in UTC, from seconds since the Unix epoch.

Rules: every function is pure; nothing here knows what time it is; a time outside the years 1 to 9999 is pressed
to the nearest one inside, so that a sum of two valid times never raises.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

FIRST_TIME_S: Final = -62_135_596_800
"""0001-01-01T00:00:00Z, the first time that the contracts can name."""

LAST_TIME_S: Final = 253_402_300_799
"""9999-12-31T23:59:59Z, the last second that the contracts can name."""


def utc(time_s: float) -> datetime:
    """The UTC datetime of a time in seconds since the epoch, to the microsecond.

    >>> utc(0.5).isoformat()
    '1970-01-01T00:00:00.500000+00:00'
    """
    if not FIRST_TIME_S <= time_s <= LAST_TIME_S:
        time_s = FIRST_TIME_S if time_s < FIRST_TIME_S else LAST_TIME_S
    return _EPOCH + timedelta(0, time_s)


@lru_cache(maxsize=4_096)  # all that is said at one tick bears its time
def rfc3339(time_s: int) -> str:
    """A time in whole seconds since the epoch as RFC 3339 in UTC.

    >>> rfc3339(1_772_600_767)
    '2026-03-04T05:06:07Z'
    >>> rfc3339(FIRST_TIME_S), rfc3339(10**18)
    ('0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z')
    """
    return utc(time_s).isoformat()[:19] + "Z"
