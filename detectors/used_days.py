"""Which days a customer used the product, and which features on them: one bit a day, the newest nine weeks.

Rules: bit k of a mask stands for the day k days before `Customer.used_day`, the newest day of use, so that all masks
move together, once a day; `EARLIER` says that there was use before those. A mask is the same whatever the order in
which the days came. Of features the newest `FEATURES` are kept: of more, those not used for longest are forgotten.
"""

from detectors import kinds
from detectors.customer import DAY_S, Customer

KEPT = 62  # days; with EARLIER the mask fits a signed 64-bit integer
EARLIER = 1 << KEPT
FEATURES = 24
LANE = 8  # bytes of a feature's mask; the masks of all features lie one after the other, in the order of their names
TOP = 1 << 63
ONES = [sum(1 << 64 * lane for lane in range(n)) for n in range(FEATURES + 1)]  # a one in each of n lanes
NEWS = 6  # released features; a business that releases more in a quarter is judged by the newest


def active_days(c: Customer) -> bytes:
    """Activity by day; of one who is known by the ends of sessions alone, minutes of use by day.

    >>> active_days(Customer())
    b''
    """
    return c.days.get(kinds.ACTIVITY) or c.days.get(kinds.MINUTES, b"")


def bit_of(age_d: int) -> int:
    """The bit of a day that lies so many days before the newest day of use.

    >>> bit_of(3), bit_of(100) == EARLIER
    (8, True)
    """
    return 1 << age_d if age_d < KEPT else EARLIER


def moved(mask: int, days: int) -> int:
    """A mask seen from a day that is so many days later.

    >>> moved(0b101, 2), moved(1, 62) == EARLIER, moved(EARLIER, 1) == EARLIER, moved(0, 9)
    (20, True, True, 0)
    """
    if days >= KEPT:
        return EARLIER if mask else 0
    later = mask << days
    return later if later < EARLIER else later & (EARLIER - 1) | EARLIER


def mark_day(c: Customer, day: int) -> None:
    """Note that the product was used on a day."""
    if not c.used or day < c.first_used_day:
        c.first_used_day = day
    ahead = day - c.used_day
    if not c.used:
        c.used, c.used_day = 1, day
    elif ahead <= 0:
        c.used |= bit_of(-ahead)
    else:
        c.used, c.used_day = moved(c.used, ahead) | 1, day
        if c.feature_days:
            c.feature_days = _moved_lanes(c.feature_days, ahead)


def _moved_lanes(days: bytes, by: int) -> bytes:
    """All masks of features, seen from so many days later, in a few operations however many they are."""
    ones = ONES[len(days) // LANE]
    if by >= KEPT:
        return (ones * EARLIER).to_bytes(len(days), "little")  # a feature that is kept was used on some day
    masks = int.from_bytes(days, "little")
    stays = masks & ones * ((EARLIER >> by) - 1)
    older = (masks ^ stays) >> KEPT - by
    return (stays << by | _is_any(older, ones) << KEPT).to_bytes(len(days), "little")


def _is_any(masks: int, ones: int) -> int:
    """A one in the lane of every mask that has a bit: adding the most that a lane takes carries into its top bit."""
    return masks + ones * (TOP - 1) >> 63 & ones


def mark_feature(c: Customer, name: str, time_s: int) -> bool:
    """Note the use of a feature on a day that was marked as one of use; true if no use of it was known."""
    age_d = c.used_day - time_s // DAY_S
    if age_d < 0:
        mark_day(c, time_s // DAY_S)
        age_d = 0
    bit = age_d if age_d < KEPT else KEPT
    names = c.feature_names
    found = names.find(f"\n{name}\n")
    if found < 0 or "\n" in name:
        _add_feature(c, name.replace("\n", " "), 1 << bit)
        return True
    at = names.count("\n", 0, found) * LANE + (bit >> 3)
    days = c.feature_days
    if days[at] & 1 << (bit & 7):
        return False
    c.feature_days = b"%b%c%b" % (days[:at], days[at] | 1 << (bit & 7), days[at + 1 :])
    return True


def _add_feature(c: Customer, name: str, mask: int) -> None:
    masks = by_feature(c)
    masks[name] = masks.get(name, 0) | mask
    if len(masks) > FEATURES:
        del masks[max(masks, key=lambda n: (masks[n] & -masks[n], n))]
    names = sorted(masks)
    c.feature_names = "\n" + "".join(f"{n}\n" for n in names)
    c.feature_days = b"".join(masks[n].to_bytes(LANE, "little") for n in names)


def by_feature(c: Customer) -> dict[str, int]:
    """Feature → mask of its days."""
    names, days = c.feature_names.split("\n")[1:-1], c.feature_days
    return {name: int.from_bytes(days[i * LANE : i * LANE + LANE], "little") for i, name in enumerate(names)}


def features_on(c: Customer, bits: int) -> int:
    """How many features were used on any of the days.

    >>> c = Customer(used=1, used_day=10)
    >>> mark_feature(c, "board", 10 * DAY_S), mark_feature(c, "export", 9 * DAY_S)
    (True, True)
    >>> features_on(c, 0b10), features_on(c, 0b11)
    (1, 2)
    """
    ones = ONES[len(c.feature_days) // LANE]
    return _is_any(int.from_bytes(c.feature_days, "little") & ones * bits, ones).bit_count()


def mark_release(c: Customer, name: str, day: int) -> None:
    """Note that a feature became available on a day."""
    news = c.news
    if day > news.get(name, -1):
        news[name] = day
        if len(news) > NEWS:
            del news[min(news, key=lambda n: (news[n], n))]


def between(c: Customer, first_day: int, last_day: int) -> int:
    """The bits of the days from the first to the last, both included, of those that are kept.

    >>> bin(between(Customer(used_day=10), 7, 9))
    '0b1110'
    """
    low, high = c.used_day - last_day, c.used_day - first_day + 1
    low, high = max(low, 0), min(high, KEPT)
    return (1 << high) - (1 << low) if high > low else 0
