"""More made-up businesses: five that features and pace were chosen on, and three that were looked at once, afterwards.

Rules: what is in `HELD_OUT` is only ever judged. Whoever changes the model because of a number there moves that
business to the others, and makes a new one.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from typing import Final

from benchmarks.facts import DAY_S, Fact, day, poisson

Made = Callable[[random.Random, int, int], Iterator[Fact]]


def podcast(rng: random.Random, customers: int, days: int) -> Iterator[Fact]:
    """Only the ends of sessions are told; two thirds of those who leave fade over weeks, the others leave at a whim."""
    for n in range(customers):
        who, joined = f"p{n}", rng.randrange(0, days - 40) if n % 3 else rng.randrange(0, 10)
        yield day(joined), "billing.subscription.started", who, {"plan": rng.choice(("basic", "plus")), "mrr": 6.9}
        pace, long_s = rng.gammavariate(1.5, 0.4), rng.lognormvariate(7.2, 0.5)
        ends, fade_d = joined + rng.expovariate(1 / 260.0), rng.uniform(20, 60) if rng.random() < 0.65 else 0.0
        habit = [rng.gammavariate(2, 0.5) for _ in range(7)]
        for d in range(joined, days):
            left = max(0.05, (ends - d) / fade_d) if fade_d and d > ends - fade_d else 1.0
            for _ in range(min(5, poisson(rng, pace * habit[d % 7] * left))):
                lasts_s = round(rng.expovariate(1 / (long_s * (0.5 + 0.5 * left))))
                at = day(d) + rng.uniform(0.25, 0.95) * DAY_S
                yield at, "usage.session.ended", who, {"duration_s": lasts_s}
            if d >= ends:
                yield day(d) + 0.5 * DAY_S, "billing.subscription.cancelled", who, {}
                break


def grocer(rng: random.Random, customers: int, days: int) -> Iterator[Fact]:
    """Orders with items, some by the clock and some not, holidays; baskets shrink before somebody stays away."""
    for n in range(customers):
        who, d = f"g{n}", float(rng.randrange(0, days // 2) if n % 3 else rng.randrange(0, 14))
        gap_d, shape, basket = rng.lognormvariate(2.3, 0.6), rng.choice((1.0, 2.0, 4.0)), rng.lognormvariate(3.0, 0.4)
        ends, k = d + rng.expovariate(1 / 220.0), 0
        while d < min(days, ends):
            k += 1
            less = 0.6 if ends - d < 45 else 1.0
            items = 1 + poisson(rng, min(50.0, basket * less * rng.lognormvariate(0, 0.3)))
            said = {"order_id": f"{who}-{k}", "items": items, "amount": round(items * rng.uniform(1.5, 4), 2)}
            yield day(int(d)) + rng.uniform(0.35, 0.85) * DAY_S, "billing.order.placed", who, dict(said)
            d += max(1.0, rng.gammavariate(shape, gap_d / shape))
            if rng.random() < 0.03:
                d += rng.uniform(14, 40)


def forum(rng: random.Random, customers: int, days: int) -> Iterator[Fact]:
    """A network that nobody pays for: reads, likes and posts in bursts; who leaves says nothing."""
    kinds = ("read", "like", "post", "message")
    for n in range(customers):
        who, d = f"f{n}", float(rng.randrange(0, days - 20))
        likes = [rng.gammavariate(a, 1) for a in (3, 1, 0.5, 0.5)]
        burst, quiet_d, stops = rng.gammavariate(2, 3.0), rng.lognormvariate(2.0, 0.9), rng.betavariate(0.8, 3.0)
        while d < days:
            for _ in range(1 + poisson(rng, burst)):
                d += rng.expovariate(3.0)
                yield day(d), "usage.feature.used", who, {"feature": rng.choices(kinds, likes)[0]}
            if rng.random() < stops:
                break
            d += rng.expovariate(1 / quiet_d)


def boutique(rng: random.Random, customers: int, days: int) -> Iterator[Fact]:
    """Rare orders in clumps, four sales a year that a third waits for; nine of ten order nothing in most months."""
    sales = [d for d in range(days) if d % 91 < 4]
    for n in range(customers):
        who, d = f"k{n}", float(rng.randrange(0, int(days * 0.7)))
        hunts, gap_d, stops = rng.random() < 0.35, rng.lognormvariate(4.0, 0.8), rng.betavariate(1.2, 2.0)
        likes, k = rng.lognormvariate(4, 0.6), 0
        while d < days:
            k += 1
            amount = likes * rng.lognormvariate(0, 0.5)
            said = {"order_id": f"{who}-{k}", "amount": round(amount, 2), "items": 1 + poisson(rng, 0.8)}
            yield day(int(d)) + 0.5 * DAY_S, "billing.order.placed", who, dict(said)
            if rng.random() < stops * (1.3 if amount < likes else 0.7):
                break
            if rng.random() < 0.35:
                d += rng.uniform(1, 6)
                continue
            d += rng.expovariate(1 / gap_d)
            if hunts:
                d = next((s for s in sales if s >= d), days) + rng.randrange(4)


def gym(rng: random.Random, customers: int, days: int) -> Iterator[Fact]:
    """Visits on own weekdays, full in January, empty in August; who cancels does so at the end of a paid month."""
    for n in range(customers):
        who, joined = f"y{n}", rng.randrange(0, int(days * 0.6)) if n % 4 else 0
        yield day(joined), "billing.subscription.started", who, {"plan": rng.choice(("day", "all")), "mrr": 39.0}
        own, will, visits = rng.sample(range(7), rng.randrange(1, 5)), rng.uniform(0.5, 0.95), 0
        fades = rng.uniform(0.990, 1.0)
        for d in range(joined, days):
            will *= fades
            keen = will * (1.0 + 0.25 * math.cos(2 * math.pi * d / 365))
            if rng.random() < (keen if d % 7 in own else 0.05 * keen):
                visits += 1
                yield day(d) + rng.uniform(0.3, 0.9) * DAY_S, "usage.session.started", who, {"client": "door"}
            if d > joined and (d - joined) % 30 == 0:
                if rng.random() < 0.35 * math.exp(-0.55 * visits) + 0.012:
                    yield day(d) + 0.8 * DAY_S, "billing.subscription.cancelled", who, {}
                    break
                visits = 0


def game(rng: random.Random, customers: int, days: int) -> Iterator[Fact]:
    """Nobody pays and most are gone within a fortnight; of the others a few play daily; a season brings some back."""
    for n in range(customers):
        who, d = f"a{n}", rng.randrange(0, days - 30)
        stays, pace = rng.betavariate(0.5, 0.25), rng.betavariate(1.0, 1.5)
        while d < days:
            if rng.random() < max(0.08, pace):
                for _ in range(1 + poisson(rng, 2.0)):
                    at = day(d) + rng.uniform(0.5, 0.98) * DAY_S
                    yield at, "usage.session.ended", who, {"duration_s": 60 + round(rng.expovariate(1 / 900.0))}
            if rng.random() > 0.80 + 0.199 * stays:
                again = next((s for s in range(60, days, 60) if s > d + 10), days)
                if rng.random() > 0.15:
                    break
                d = again + rng.randrange(5)
            d += 1


def market(rng: random.Random, customers: int, days: int) -> Iterator[Fact]:
    """A market place: a shop's orders speed up or slow down slowly, some come late or not at all, some are refunded."""
    for n in range(customers):
        who, d = f"q{n}", float(rng.randrange(0, int(days * 0.6)))
        rate, patience, k = rng.lognormvariate(-2.9, 0.9), rng.uniform(0.4, 1.0), 0
        while d < days:
            k += 1
            order = f"{who}-{k}"
            amount = round(rng.lognormvariate(3.5, 1), 2)
            yield day(d), "billing.order.placed", who, {"order_id": order, "amount": amount}
            if rng.random() < 0.08:
                yield day(d + 4), "billing.refund.issued", who, {"amount": 5.0}
                rate *= 0.5
                if rng.random() > patience:
                    break
            rate *= rng.lognormvariate(-0.03, 0.25)
            d += rng.expovariate(max(rate, 1e-4))


def suite(rng: random.Random, customers: int, days: int) -> Iterator[Fact]:
    """B2B, 300 accounts, one in a hundred leaves in a month: after its champion went, and use spread no more."""
    for n in range(customers):
        who, joined = f"u{n}", rng.randrange(0, days // 2) if n % 2 else 0
        seats = rng.randrange(4, 60)
        yield day(joined), "billing.subscription.started", who, {"plan": "suite", "mrr": seats * 15.0}
        level, gone_d, breadth = rng.gammavariate(3, 0.35), -1, rng.randrange(2, 7)
        for d in range(joined, days):
            if gone_d < 0 and rng.random() < 0.0012:
                gone_d = d
            after_d = d - gone_d if gone_d >= 0 else -1
            if d % 7 < 5:
                spread = breadth if after_d < 0 else max(1, breadth - after_d // 15)
                for _ in range(min(4, poisson(rng, level * (1.0 if after_d < 0 else 0.75)))):
                    at = day(d) + rng.uniform(0.3, 0.7) * DAY_S
                    yield at, "usage.feature.used", who, {"feature": f"part{rng.randrange(spread)}"}
            if rng.random() < 0.01:
                ticket = f"{who}-{d}"
                yield day(d) + 0.4 * DAY_S, "support.ticket.opened", who, {"ticket_id": ticket, "topic": "how to"}
                solved = {"ticket_id": ticket, "resolution": "solved"}
                yield day(d + 1) + 0.4 * DAY_S, "support.ticket.resolved", who, dict(solved)
            if rng.random() < (0.010 if after_d > 20 else 0.00012):
                yield day(d) + 0.6 * DAY_S, "billing.subscription.cancelled", who, {}
                break
            if after_d > 120:
                gone_d = -1


SEEN: Final[dict[str, Made]] = {
    "podcast": podcast,
    "grocer": grocer,
    "forum": forum,
    "boutique": boutique,
    "game": game,
}
HELD_OUT: Final[dict[str, Made]] = {"gym": gym, "market": market, "suite": suite}
SIZES: Final[dict[str, tuple[int, int]]] = {
    "podcast": (450, 330),
    "grocer": (400, 400),
    "forum": (500, 300),
    "boutique": (700, 540),
    "gym": (500, 330),
    "game": (700, 240),
    "market": (500, 400),
    "suite": (300, 450),
}
"""Customers and days; of a business that is not here, as many as are asked for."""
