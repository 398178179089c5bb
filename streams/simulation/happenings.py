"""What happens to one customer: a lazy stream in time order, put together from smaller ones.

Nothing is kept in memory but the next happening of each stream, so a year of a million customers can be written out.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import takewhile
from operator import attrgetter
from typing import NamedTuple

from schemas.fields import Data

MINUTE_S = 60.0
HOUR_S = 3_600.0
DAY_S = 86_400.0
YEAR_S = 365.0 * DAY_S


class Happening(NamedTuple):
    """Something that happened to a customer: when, in seconds since the Unix epoch, and the data of its event type."""

    time_s: float
    data: Data


Stream = Iterator[Happening]
"""Happenings of one customer in time order."""

_by_time = attrgetter("time_s")


def merged(streams: Iterable[Stream]) -> Stream:
    """One stream in time order out of several; at the same time, in the order of the streams."""
    return heapq.merge(*streams, key=_by_time)


def until(stream: Stream, end_s: float) -> Stream:
    """The stream up to, not including, `end_s`."""
    return takewhile(lambda happening: happening.time_s < end_s, stream)


def since(stream: Stream, start_s: float) -> Stream:
    """The stream from `start_s` on."""
    return (happening for happening in stream if happening.time_s >= start_s)


def in_order(happenings: Iterable[Happening]) -> Stream:
    """A short list of happenings as a stream."""
    return iter(sorted(happenings, key=_by_time))
