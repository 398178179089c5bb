"""Durations and points in time as people write them; text in, seconds out, and no clock in between."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

SECONDS_PER_UNIT: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")


def parse_duration_s(text: str) -> float:
    """Seconds in a positive duration such as `7d`, `1h30m` or `500ms`; raises ValueError otherwise.

    >>> parse_duration_s("7d")
    604800.0
    >>> parse_duration_s("1h30m")
    5400.0
    """
    matched_chars = 0
    duration_s = 0.0
    for match in _DURATION.finditer(text):
        if match.start() != matched_chars:
            break
        matched_chars = match.end()
        duration_s += float(match[1]) * SECONDS_PER_UNIT[match[2]]
    if not text or matched_chars != len(text) or duration_s <= 0.0:
        raise ValueError(f"{text!r} is not a duration above zero, such as 7d, 12h, 1h30m or 500ms")
    return duration_s


def parse_time_s(text: str) -> float:
    """Seconds since the Unix epoch of an RFC 3339 time or a date (its midnight in UTC); raises ValueError otherwise.

    >>> parse_time_s("1997-01-01")
    852076800.0
    >>> parse_time_s("1997-01-01T01:00:00+01:00")
    852076800.0
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time such as 2026-03-01 or 2026-03-01T12:00:00Z") from None
    if moment.tzinfo is None:
        if len(text) > len("2026-03-01"):
            raise ValueError(f"{text!r} has no offset; write 2026-03-01T12:00:00Z or +01:00 at its end")
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


def format_time(time_s: float) -> str:
    """A point in time as RFC 3339 in UTC, to the millisecond.

    >>> format_time(852076800.25)
    '1997-01-01T00:00:00.250Z'
    """
    moment = datetime.fromtimestamp(round(time_s * 1000.0) / 1000.0, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{round(moment.microsecond / 1000.0):03d}Z"
