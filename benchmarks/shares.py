"""What signals cost: the time and the number of the readings of each, and the fold with all of them against a few.

What is kept of a customer is decoded once it is asked for: that is charged to the signal that asks first.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import msgspec

from benchmarks.core import COUNTS, FETCH, GC_THRESHOLDS, LIVE_PER_S, run
from benchmarks.events import UNIFORM, ZIPF, Record, Shape, journal
from benchmarks.lives import LIVES, lived_states, states_of
from benchmarks.report import Row, at_least
from detectors.customer import Customer
from detectors.model import Model
from detectors.partition import Partition
from detectors.policy import Policy
from detectors.signals import CATALOGUE, Moment, Signal
from detectors.signals.base import Measure

# The signals that the core had first: what the others cost is measured against them.
SPINE = (
    "value.usage_drop",
    "value.silence",
    "billing.payment_trouble",
    "price.increase",
    "service.unresolved",
    "service.repeat_contact",
    "service.call_abandoned",
    "service.bad_rating",
    "tech.error_burst",
    "tech.crashes",
    "exit.intent",
    "exit.contract_window",
    "relationship.billed_in_silence",
    "protect.recovered",
)
LEAST_OF_SPINE = 0.5  # "adding all signals costs at most half of the core's speed of before"
CALLS = 20_000  # of a measure that does nothing, to know what timing costs


class Cost(NamedTuple):
    """What the readings of one signal took together."""

    code: str
    readings: int
    seconds: float

    @property
    def each_us(self) -> float:
        """Microseconds of one reading."""
        return self.seconds / self.readings * 1e6 if self.readings else 0.0


class Meter:
    """Times the readings of one signal, by the processor time of this thread."""

    def __init__(self, measure: Measure) -> None:
        self.measure = measure
        self.readings = self.nanoseconds = 0

    def __call__(self, c: Customer, at: Moment) -> float | None:
        began_ns = time.thread_time_ns()
        value = self.measure(c, at)
        self.nanoseconds += time.thread_time_ns() - began_ns
        self.readings += 1
        return value


@contextmanager
def metered(signals: Mapping[str, Signal]) -> Iterator[dict[str, Meter]]:
    """Signals whose readings are timed, for as long as it lasts."""
    meters = {code: Meter(signal.measure) for code, signal in signals.items()}
    try:
        for code, meter in meters.items():
            signals[code].measure = meter
        yield meters
    finally:
        for code, meter in meters.items():
            signals[code].measure = meter.measure


def timing_ns() -> float:
    """What a meter adds to a reading of its own."""
    nothing = Meter(lambda _c, _at: None)
    customer, at = Customer(), Moment(Policy())
    for _ in range(CALLS):
        nothing(customer, at)
    return nothing.nanoseconds / CALLS


def costs(records: list[Record], states: dict[bytes, bytes]) -> tuple[list[Cost], float]:
    """The cost of each signal over a stream, the dearest first, and the seconds of the whole fold."""
    own_ns = timing_ns()
    with metered(CATALOGUE) as meters:
        fold = Partition(0, states, Policy(), Model.prior(Policy()))
        began_s = time.process_time()
        for first in range(0, len(records), FETCH):
            fold.feed(records[first : first + FETCH])
        whole_s = time.process_time() - began_s
    readings = sum(meter.readings for meter in meters.values())
    found = [
        Cost(code, meter.readings, max(0.0, meter.nanoseconds - own_ns * meter.readings) / 1e9)
        for code, meter in meters.items()
    ]
    return sorted(found, key=lambda cost: -cost.seconds), whole_s - own_ns * readings / 1e9


def of_spine(policy: Policy) -> Policy:
    """A policy with the rows of the first signals alone."""
    return msgspec.structs.replace(policy, signals={code: policy.signals[code] for code in SPINE})


def against_spine(shape: Shape, records: list[Record], lived: list[bytes], lived_spine: list[bytes], times: int) -> Row:
    """The speed with all signals ÷ the speed with the first ones, each at its fastest of passes that take turns."""
    spine = of_spine(Policy())
    fastest = {"all": 0.0, "spine": 0.0}
    warm = len(records) // 4 // FETCH * FETCH  # whole fetches, that who comes often is decoded already
    for _ in range(times):
        for name, policy, states in (("spine", spine, lived_spine), ("all", Policy(), lived)):
            found = run(records, states_of(shape.customers, states), warm=warm, policy=policy)
            fastest[name] = max(fastest[name], found.feed_per_s)
    ratio = fastest["all"] / fastest["spine"]
    what = f"assess at ticks with all {len(CATALOGUE)} signals ÷ with the first {len(SPINE)}, {shape.name}"
    row = at_least(what, ratio, LEAST_OF_SPINE, "×")
    return row._replace(measured=f"{row.measured} ({fastest['all']:,.0f} ÷ {fastest['spine']:,.0f} ev/s)")


def measure(*, counts: Mapping[str, int] = COUNTS, lives: int = LIVES, times: int = 3) -> list[Row]:
    """All signals against the first ones, and the share of each in the readings of a stream."""
    gc.set_threshold(*GC_THRESHOLDS)
    lived, lived_spine = lived_states(lives), lived_states(lives, policy=of_spine(Policy()))
    rows = []
    for shape in (ZIPF, UNIFORM):
        records = journal(shape, counts[shape.name], rate_per_s=LIVE_PER_S, ticks=True)
        rows.append(against_spine(shape, records, lived, lived_spine, times))
    records = journal(ZIPF, counts[ZIPF.name], rate_per_s=LIVE_PER_S, ticks=True)
    found, whole_s = costs(records, states_of(ZIPF.customers, lived))
    together_s = sum(cost.seconds for cost in found)
    rows.append(Row(f"readings of all signals, of the fold's time, {ZIPF.name}", f"{together_s / whole_s:.0%}"))
    rows += [
        Row(cost.code, f"{cost.each_us:.1f} µs × {cost.readings:,} = {cost.seconds / together_s:.1%}")
        for cost in found
        if cost.readings
    ]
    return [*rows, Row("signals that nothing on this stream asks for", f"{sum(not cost.readings for cost in found)}")]
