"""Which days a customer used the product, and which features on them: one bit a day, the newest nine weeks.

Rules: bit k of a mask stands for the day k days before `Customer.used_day`, the newest day of use, so that all masks
move together, once a day; `EARLIER` says that there was use before those. A mask is the same whatever the order in
which the days came. Of features the newest `FEATURES` are kept: of more, those not used for longest are forgotten.
"""

from detectors.customer import DAY_S, Customer

KEPT = 62  # days; with EARLIER the mask fits a signed 64-bit integer
EARLIER = 1 << KEPT
FEATURES = 24
NEWS = 6  # released features; a business that releases more in a quarter is judged by the newest


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
        features = c.features
        for name, mask in features.items():
            features[name] = moved(mask, ahead)


def mark_feature(c: Customer, name: str, time_s: int) -> None:
    """Note the use of a feature on a day that was marked as one of use."""
    age_d = c.used_day - time_s // DAY_S
    bit = 1 << age_d if 0 <= age_d < KEPT else EARLIER
    features = c.features
    mask = features.get(name)
    if mask is None:
        features[name] = bit
        if len(features) > FEATURES:
            del features[max(features, key=lambda n: (features[n] & -features[n], n))]
    elif not mask & bit:
        features[name] = mask | bit


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
