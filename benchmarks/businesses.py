"""Made-up businesses whose customers leave for other reasons than the catalogue's priors say.

What is learned in one of them is wrong in the next, so a model that carries its prejudice along is found out. Each is
a function of a seed; the same seed gives the same bytes.

    python -m benchmarks.businesses music --out music.jsonl
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections.abc import Callable, Iterator
from typing import Final

import orjson

from benchmarks import more_businesses
from benchmarks.events import rfc3339
from benchmarks.facts import DAY_S, Fact, day, poisson
from streams.lines import open_output


def music(rng: random.Random, customers: int, days: int) -> Iterator[Fact]:
    """A streaming service: people cancel in the middle of an active evening, and silence means nothing.

    Those who leave listen more beforehand, not less; a third of all customers is away for weeks and pays on.
    """
    for n in range(customers):
        who, joined = f"m{n}", rng.randrange(0, days // 2) if n % 3 else 0
        yield day(joined), "billing.subscription.started", who, {"plan": rng.choice(("solo", "family")), "mrr": 9.9}
        sleeper, pace = n % 3 == 0, rng.gammavariate(2.0, 0.5)
        hazard, leaving_at = 0.0012 if sleeper else 0.0035, -1
        d, away_until = joined, -1
        while d < days:
            if leaving_at < 0 and rng.random() < hazard:
                leaving_at = d + rng.randrange(8, 24)
            if sleeper and d > away_until and rng.random() < 0.04:
                away_until = d + rng.randrange(14, 60)
            rate = 0.02 if d <= away_until and leaving_at < 0 else pace * (2.2 if leaving_at >= 0 else 1.0)
            for _ in range(min(6, poisson(rng, rate))):
                at = day(d) + rng.uniform(0.6, 0.95) * DAY_S
                yield at, "usage.session.started", who, {}
                if rng.random() < 0.06:
                    yield at + 60, "app.error.raised", who, {"code": "E7", "fatal": False}
            if d == leaving_at:
                at = day(d) + 0.9 * DAY_S
                yield at, "usage.session.started", who, {}
                yield at + 300, "billing.subscription.cancelled", who, {}
                break
            d += 1


def loyal(rng: random.Random, customers: int, days: int) -> Iterator[Fact]:
    """A tool whose errors, tickets and bad ratings come from its heaviest and most loyal users."""
    for n in range(customers):
        who, joined = f"l{n}", rng.randrange(0, days // 2) if n % 2 else 0
        pace = rng.gammavariate(1.2, 1.0)
        yield day(joined), "billing.subscription.started", who, {"plan": "pro", "mrr": rng.choice((29.0, 59.0))}
        hazard = 0.006 * math.exp(-0.9 * min(pace, 4.0))
        for d in range(joined, days):
            uses = min(8, poisson(rng, pace * (0.3 if d % 7 > 4 else 1.0)))
            for _ in range(uses):
                at = day(d) + rng.uniform(0.3, 0.8) * DAY_S
                yield at, "usage.session.started", who, {}
                if rng.random() < 0.15:
                    fatal = rng.random() < 0.2
                    yield at + 90, "app.error.raised", who, {"code": f"E{rng.randrange(5)}", "fatal": fatal}
                if rng.random() < 0.01:
                    ticket = f"t-{who}-{d}-{rng.randrange(10**6)}"
                    yield at + 200, "support.ticket.opened", who, {"ticket_id": ticket, "topic": "bug"}
                    if rng.random() < 0.5:
                        yield (
                            at + 3 * DAY_S,
                            "support.ticket.resolved",
                            who,
                            {"ticket_id": ticket, "resolution": "none"},
                        )
            if rng.random() < hazard:
                yield day(d) + 0.85 * DAY_S, "billing.subscription.cancelled", who, {}
                break


def season(rng: random.Random, customers: int, days: int) -> Iterator[Fact]:
    """A shop with orders only, own pace each, a strong season, and customers who silently stop (BG/NBD with a year)."""
    for n in range(customers):
        who, d = f"s{n}", float(rng.randrange(0, days // 2) if n % 4 else rng.randrange(0, 30))
        per_day, stops = rng.gammavariate(0.9, 1 / 28.0), rng.betavariate(0.9, 4.0)
        likes, k = rng.lognormvariate(3.2, 0.5), 0
        while d < days:
            k += 1
            amount = round(likes * rng.lognormvariate(0.0, 0.4), 2)
            yield day(d), "billing.order.placed", who, {"order_id": f"{who}-{k}", "amount": amount}
            if rng.random() < 0.1:
                yield day(d + 1), "fulfilment.item.unavailable", who, {"item": "x", "response": "none"}
                stops_now = stops + 0.15
            else:
                stops_now = stops
            if rng.random() < stops_now:
                break
            while True:  # thinning: the rate of the day against the highest there is
                d += rng.expovariate(per_day * 2.2)
                if rng.random() < (1.2 + math.sin(2 * math.pi * d / 182.0)) / 2.2 or d >= days:
                    break


def seats(rng: random.Random, customers: int, days: int) -> Iterator[Fact]:
    """B2B: accounts with seats and yearly contracts; those who leave shrink first, and leave when the contract ends."""
    for n in range(customers):
        who, joined = f"b{n}", rng.randrange(0, days // 2)
        size, term = rng.randrange(5, 80), rng.choice((3, 6, 12))
        yield (
            day(joined),
            "billing.subscription.started",
            who,
            {"plan": "team" if size < 30 else "company", "mrr": size * 12.0, "term_months": term},
        )
        unhappy, ends = rng.random() < 0.3, joined + round(term * 30.44)
        onset = ends - rng.randrange(25, 80) if unhappy else days * 9
        for d in range(joined, days):
            if d >= ends:
                if unhappy and rng.random() < 0.8:
                    yield day(d) + 0.5 * DAY_S, "billing.subscription.cancelled", who, {}
                    break
                ends = d + round(term * 30.44)
                until = rfc3339(day(ends))
                plan = {"plan": "team", "mrr": size * 12.0, "contract_ends_at": until}
                yield day(d) + 0.5 * DAY_S, "billing.subscription.renewed", who, plan
                unhappy = rng.random() < 0.3
                onset = ends - rng.randrange(25, 80) if unhappy else days * 9
            drift = 0.55 if d > onset else 1.0
            if d % 7 < 5:
                for _ in range(min(5, poisson(rng, size / 25 * drift))):
                    at = day(d) + rng.uniform(0.35, 0.7) * DAY_S
                    yield at, "usage.feature.used", who, {"feature": f"f{rng.randrange(6)}"}
            if d > onset and rng.random() < 0.04 and size > 3:
                less = max(1, round(size * rng.uniform(0.6, 0.95)))
                yield day(d) + 0.4 * DAY_S, "usage.seats.changed", who, {"old": size, "new": less}
                size = less
            elif rng.random() < 0.006:
                yield day(d) + 0.4 * DAY_S, "usage.seats.changed", who, {"old": size, "new": size + 2}
                size += 2
            if d % 30 == joined % 30:
                yield day(d), "billing.invoice.issued", who, {"invoice_id": f"{who}-{d}", "amount": size * 12.0}


BUSINESSES: Final[dict[str, Callable[[random.Random, int, int], Iterator[Fact]]]] = {
    "music": music,
    "loyal": loyal,
    "season": season,
    "seats": seats,
    **more_businesses.SEEN,
    **more_businesses.HELD_OUT,
}


def events(business: str, *, customers: int | None = None, days: int | None = None, seed: int = 1) -> list[bytes]:
    """Every event of one business, in order of time; of its own size where none is asked for."""
    own_customers, own_days = more_businesses.SIZES.get(business, (1_500, 300))
    customers, days = customers or own_customers, days or own_days
    facts = sorted(BUSINESSES[business](random.Random(f"{business}/{seed}"), customers, days), key=lambda f: f[0])
    end_s = day(days)
    return [
        orjson.dumps(
            {
                "specversion": "1.0",
                "id": f"e{i}",
                "source": f"/{business}",
                "type": kind,
                "subject": who,
                "time": rfc3339(when_s),
                "data": data,
            }
        )
        for i, (when_s, kind, who, data) in enumerate(facts)
        if when_s < end_s
    ]


def main() -> None:
    """Write the events of one business to the file named by `--out`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("business", choices=sorted(BUSINESSES))
    parser.add_argument("--customers", type=int)
    parser.add_argument("--days", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", default="-", help="a file (.gz and .zst are packed), or - for standard output")
    asked = parser.parse_args()
    lines = events(asked.business, customers=asked.customers, days=asked.days, seed=asked.seed)
    with open_output(asked.out) as file:
        file.writelines(line + b"\n" for line in lines)
    print(f"{len(lines):,} events", file=sys.stderr)


if __name__ == "__main__":
    main()
