"""What a signal's test says: a history that raises it, and one that does not."""

from __future__ import annotations

from typing import NamedTuple

from tests.detectors.lives import event

History = list[bytes]


class Raised(NamedTuple):
    """A signal's own example; `day` is counted from the start of the histories."""

    history: History
    day: float
    strength_least: float
    text: str  # the sentence that people read, in full
    calm: History  # a history that does not raise it on the same day


def alive(day: float) -> bytes:
    """Somebody else's use, which proves that the feed is alive."""
    return event("usage.session.started", day, customer="c-2")


def sessions(days: range, per_day: int = 1, start_hour: int = 9) -> History:
    """Sessions on each of these days."""
    return [event("usage.session.started", day + (start_hour + i) / 24) for day in days for i in range(per_day)]
