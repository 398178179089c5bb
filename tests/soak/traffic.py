"""An endless journal by seed: events of a fixed number of customers, cheap to make, and a tick after every so many."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from schemas.journal import encode_tick
from streams.engine.partitions import partition_of
from tests.broker.traffic import START_S, Item, event, event_of

TEMPLATES: Final = 400
TICK_EVERY: Final = 3_000  # about as many as the wall clock makes
COMING_AND_GOING: Final[Sequence[tuple[str, dict[str, Any]]]] = (
    ("billing.subscription.started", {"plan": "pro", "mrr": 20.0}),
    ("billing.subscription.cancelled", {}),
)
"""One event in a hundred each: there is somebody to learn from."""
POISON: Final = (b"", b"{", b"[]", b"\xff\xfe\x00", b'{"specversion":"1.0"}', b"[" * 3_000)


class Traffic:
    """Events in order of time, `step_s` apart, the first ones of each customer once; the same seed gives the same."""

    def __init__(self, seed: int, customers: int, partitions: int, step_s: int) -> None:
        self.rng = random.Random(seed)
        self.partitions, self.step_s = partitions, step_s
        self.number = 0
        names = [b"c-%d" % number for number in range(customers)]
        self.customers = [(name, partition_of(name, partitions)) for name in names]
        made = [event(self.rng, 10**9 + number, "\0") for number in range(TEMPLATES)]
        for at in range(0, TEMPLATES, 100):
            made[at : at + 2] = [event_of(*each, 10**9 + at + i, "\0") for i, each in enumerate(COMING_AND_GOING)]
        self.templates = [_parted(value, 10**9 + number) for number, value in enumerate(made)]

    def chunk(self, count: int) -> list[tuple[int, Item]]:
        """The next `count` events as (partition, record), with their ticks."""
        return list(self._items(count))

    def _items(self, count: int) -> Iterator[tuple[int, Item]]:
        pareto, choice, last = self.rng.paretovariate, self.rng.choice, len(self.customers) - 1
        for _ in range(count):
            number = self.number = self.number + 1
            time_s = START_S + number * self.step_s
            # Each once at first: who is met later makes memory grow, and that is no leak.
            key, partition = self.customers[number - 1 if number <= last + 1 else min(int(pareto(0.6)), last)]
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_s))
            value = choice(self.templates) % {b"n": b"%d" % number, b"c": key, b"t": at.encode()}
            yield partition, (key, value)
            if number % TICK_EVERY == 0:
                for each in range(self.partitions):
                    yield each, (None, encode_tick(float(time_s)))

    def poison(self, count: int) -> list[tuple[int, Item]]:
        """Records that nobody can use."""
        return [(n % self.partitions, (self.customers[n % 50][0], POISON[n % len(POISON)])) for n in range(count)]


def _parted(value: bytes, number: int) -> bytes:
    """An event with places for its number, its customer and its time."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START_S + number * 60)).encode()
    parted = value.replace(b"%", b"%%").replace(b"%d" % number, b"%(n)s").replace(at, b"%(t)s")
    return parted.replace(rb'"\u0000"', b'"%(c)s"')
