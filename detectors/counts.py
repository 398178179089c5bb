"""Counts by UTC day in a few bytes: on which of the newest days something happened, and how often.

Rules: the newest day comes first, and the same counts have the same bytes, in whatever order they were added. Two
forms, told apart by their length:

* odd: the newest day (two bytes, little-endian) and its count, then for each earlier day one byte of days back and one
  of count;
* even: for each day two bytes of day and four of count, where a step or a count does not fit into a byte.

Days run from 1970 to 2149 and counts to 4 294 967 295; what is beyond counts as the edge, in any order. As bytes a
counter costs next to nothing to load and to store, and a tenth of a dict's memory.
"""

from collections.abc import Iterable, Iterator
from itertools import accumulate, pairwise
from operator import sub
from struct import Struct

_WIDE = Struct("<HI")
DAY_MAX, COUNT_MAX = 0xFFFF, 0xFFFF_FFFF
_BYTE_MAX = 0xFF
_NO_DAY = -(2**62)


def add(packed: bytes, day: int, by: int, most: int) -> tuple[bytes, bool]:
    """The counts with `by` more on a day, the newest `most` days of them; and whether that day is new.

    >>> packed, new = add(add(b"", 20_000, 2, 38)[0], 19_990, 1, 38)
    >>> list(by_day(packed)), new, len(packed)
    ([(20000, 2), (19990, 1)], True, 5)
    >>> list(by_day(add(packed, 20_001, 1, 1)[0]))
    [(20001, 1)]
    """
    if len(packed) & 1:  # most additions are on the newest day, or on a day after it
        ahead = day - (packed[0] | packed[1] << 8)
        if ahead == 0:
            count = packed[2] + by
            if count <= _BYTE_MAX:
                return b"%b%c%b" % (packed[:2], count, packed[3:]), False
        elif 0 < ahead <= _BYTE_MAX >= by and day <= DAY_MAX:
            return (b"%c%c%c%c%b" % (day & 0xFF, day >> 8, by, ahead, packed[2:]))[: 2 * most + 1], True
    elif packed:
        newest, count = _WIDE.unpack_from(packed)
        if day == newest:
            return _WIDE.pack(day, min(count + by, COUNT_MAX)) + packed[_WIDE.size :], False
        if newest < day <= DAY_MAX and len(packed) < most * _WIDE.size:
            return _WIDE.pack(day, min(by, COUNT_MAX)) + packed, True
    day, by = min(max(day, 0), DAY_MAX), min(by, COUNT_MAX)
    counts = dict(by_day(packed))
    new = day not in counts
    counts[day] = min(counts.get(day, 0) + by, COUNT_MAX)
    return pack(counts, most), new


def pack(counts: dict[int, int], most: int) -> bytes:
    """The newest `most` days of some counts, as bytes; days and counts are within their bounds.

    >>> pack({}, 38), list(by_day(pack({3: 1, 1: 256}, 38)))
    (b'', [(3, 1), (1, 256)])
    """
    days = sorted(counts, reverse=True)[:most]
    if not days:
        return b""
    packed = bytearray((days[0] & 0xFF, days[0] >> 8))
    later = 0
    for day in days:
        if counts[day] > _BYTE_MAX or later - day > _BYTE_MAX:
            return b"".join(_WIDE.pack(day, counts[day]) for day in days)
        if later:
            packed.append(later - day)
        packed.append(counts[day])
        later = day
    return bytes(packed)


def by_day(packed: bytes | None) -> Iterator[tuple[int, int]]:
    """(day, count), the newest day first.

    >>> list(by_day(None))
    []
    """
    if not packed:
        return iter(())
    if not len(packed) & 1:
        return _WIDE.iter_unpack(packed)
    return zip(accumulate(packed[3::2], sub, initial=packed[0] | packed[1] << 8), packed[2::2], strict=False)


def newest_day(packed: bytes | None) -> int:
    """The newest day with a count, 0 of no counts: both forms begin with it.

    >>> [newest_day(pack({20_000: n, 19_990: 1}, 38)) for n in (2, 300)]
    [20000, 20000]
    """
    return packed[0] | packed[1] << 8 if packed else 0


def since(packed: bytes | None, first_day: int) -> tuple[int, int]:
    """Sum of the counts from a day on, and the earliest of these days; 0 where there is none.

    >>> since(pack({20_000: 2, 19_990: 1, 19_900: 5}, 38), 19_990)
    (3, 19990)
    """
    return sums(packed, (first_day,))[0] if packed and newest_day(packed) >= first_day else (0, 0)


def sums(packed: bytes, first_days: tuple[int, ...]) -> list[tuple[int, int]]:
    """What `since` says of each of some days, the latest of them first, in one pass.

    >>> sums(pack({20_000: 2, 19_990: 1, 19_900: 5}, 38), (20_001, 19_995, 19_900))
    [(0, 0), (2, 20000), (8, 19900)]
    """
    found: list[tuple[int, int]] = []
    total = oldest = 0
    if not len(packed) & 1:
        left = list(_WIDE.iter_unpack(packed))[::-1]
        for first_day in first_days:
            while left and left[-1][0] >= first_day:
                oldest, count = left.pop()
                total += count
            found.append((total, oldest))
        return found
    day, at, end = packed[0] | packed[1] << 8, 2, len(packed)
    for first_day in first_days:
        while day >= first_day:
            oldest = day
            total += packed[at]
            at += 2
            day = day - packed[at - 1] if at < end else _NO_DAY
        found.append((total, oldest))
    return found


def without_absence(packed: bytes, least_d: int) -> tuple[bytes, int, int]:
    """The same counts without the whole weeks of their longest gap, if that is longer than so many days.

    What lies before the gap moves up to it, weekday for weekday. Also the first day after the gap, and how many days
    were taken out. Of equal gaps it is the newest.

    >>> packed, back_day, out_d = without_absence(pack({20_000: 2, 19_983: 1, 19_981: 5}, 38), 6)
    >>> list(by_day(packed)), back_day, out_d
    ([(20000, 2), (19997, 1), (19995, 5)], 20000, 14)
    >>> without_absence(packed, 6) == (packed, 0, 0)
    True
    """
    days = list(by_day(packed))
    gap_d, back_day = max(((a - b, a) for (a, _), (b, _) in pairwise(days)), default=(0, 0))
    out_d = (gap_d - 1) // 7 * 7
    if gap_d <= least_d or not out_d:
        return packed, 0, 0
    return pack({day if day >= back_day else day + out_d: n for day, n in days}, len(days)), back_day, out_d


def without_days(packed: bytes, spans: Iterable[tuple[int, int]]) -> tuple[bytes, tuple[tuple[int, int], ...]]:
    """The same counts without some spans of days (first, first after it; the newest first, apart from each other).

    What lies before a span moves up to its end. Also what was taken out, newest first: the day up to which what lay
    before it moved, in the calendar that it moved to, and by how many days.

    >>> packed, cuts = without_days(pack({20_000: 2, 19_990: 7, 19_985: 5, 19_983: 1}, 38), [(19_988, 19_998)])
    >>> list(by_day(packed)), cuts
    ([(20000, 2), (19995, 5), (19993, 1)], ((19998, 10),))
    """
    left, kept, cuts, out_d = list(by_day(packed))[::-1], {}, [], 0
    for from_day, to_day in spans:
        while left and left[-1][0] >= to_day:
            day, count = left.pop()
            kept[day + out_d] = count
        while left and left[-1][0] >= from_day:
            left.pop()
        cuts.append((to_day + out_d, to_day - from_day))
        out_d += to_day - from_day
    kept |= {day + out_d: count for day, count in left}
    return pack(kept, len(kept)), tuple(cuts)


def gaps(packed: bytes) -> list[int]:
    """Days between neighbouring days, the smallest first.

    >>> gaps(pack({20_000: 2, 19_990: 1, 19_988: 5}, 38))
    [2, 10]
    """
    if len(packed) & 1:
        return sorted(packed[3::2])
    days = [day for day, _ in by_day(packed)]
    return sorted(later - day for later, day in pairwise(days))
