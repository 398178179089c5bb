"""The core by itself, no Kafka, no event loop; per second of CPU time: one core is one core on a busy machine too."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from benchmarks.events import UNIFORM, ZIPF, Record, Shape, journal
from benchmarks.lives import lived_states, states_of
from benchmarks.report import Row, at_least, at_most
from detectors.model import Model
from detectors.partition import Partition
from detectors.policy import Policy
from detectors.rules import is_customer

FETCH = 5_000  # records handed over at once, as the worker does
CHECKPOINT = 20_000  # records between two checkpoints
GC_THRESHOLDS = (100_000, 50, 1_000)  # as the worker sets them
LIVE_PER_S = 60_000  # a stream as fast as the worker is asked to be: a tick every 30,000 events
COUNTS = {ZIPF.name: 300_000, UNIFORM.name: 100_000}  # timed events
DEFAULT = Policy()
BACKLOG_PER_S = 2_000  # what a busy day leaves behind: a tick every 1,000 events
# So few that their states stay in the processor's own cache: what is left is the code, the rest was waiting for memory.
CACHED = Shape("Zipf, 50 customers, who fit into the processor's cache", 50, True)


class Run(NamedTuple):
    """What one pass over a stream took and left behind."""

    feed_per_s: float
    checkpointed_per_s: float  # with the states' bytes made at each checkpoint
    state_bytes: float  # mean, of the states that changed
    hot_max: int
    dirty_max: int  # states in one checkpoint
    assessments: int


def run(
    records: list[Record],
    states: dict[bytes, bytes],
    *,
    warm: int,
    max_hot: int = 50_000,
    policy: Policy = DEFAULT,
) -> Run:
    """Feed a partition; the first `warm` records are not timed, so that who comes often is decoded already."""
    fold = Partition(0, states, policy, Model.prior(policy), max_hot=max_hot)
    gc.collect()
    gc.freeze()
    feed_s = snapshot_s = 0.0
    hot_max = dirty_max = since = timed = 0
    sizes: list[int] = []
    for first in range(0, len(records), FETCH):
        fetch = records[first : first + FETCH]
        started_s = time.process_time()
        fold.feed(fetch)
        fed_s = time.process_time() - started_s
        since += len(fetch)
        taken_s = 0.0
        if since >= CHECKPOINT or first + FETCH >= len(records):
            since = 0
            hot_max = max(hot_max, len(fold.hot))
            started_s = time.process_time()
            taken = fold.snapshot()
            taken_s = time.process_time() - started_s
            dirty_max = max(dirty_max, len(taken.states))
            sizes += [len(state) for key, state in taken.states if state is not None and is_customer(key)]
        if first >= warm:
            feed_s, snapshot_s, timed = feed_s + fed_s, snapshot_s + taken_s, timed + len(fetch)
    gc.unfreeze()
    return Run(
        timed / feed_s, timed / (feed_s + snapshot_s), fmean(sizes), hot_max, dirty_max, fold.stats["assessments"]
    )


def best(shape: Shape, lived: list[bytes], *, rate_per_s: float, ticks: bool, count: int, times: int) -> Run:
    """The fastest of some passes over the same stream, each from the same states."""
    records = journal(shape, count + count // 3, rate_per_s=rate_per_s, ticks=ticks)
    runs = [run(records, states_of(shape.customers, lived), warm=count // 3) for _ in range(times)]
    return max(runs, key=lambda each: each.feed_per_s)


def measure(*, counts: Mapping[str, int] = COUNTS, times: int = 3) -> list[Row]:
    """Speed of the fold and size of what it keeps."""
    gc.set_threshold(*GC_THRESHOLDS)
    lived = lived_states()
    rows: list[Row] = []
    for shape in (ZIPF, UNIFORM):
        count, wanted = counts[shape.name], shape.zipf
        plain = best(shape, lived, rate_per_s=LIVE_PER_S, ticks=False, count=count, times=times)
        live = best(shape, lived, rate_per_s=LIVE_PER_S, ticks=True, count=count, times=times)
        rows += [
            at_least(f"decode + apply, {shape.name}", plain.feed_per_s, 250_000 if wanted else None),
            at_least(
                f"and assess at ticks, one in {int(LIVE_PER_S / 2):,} events, {shape.name}",
                live.feed_per_s,
                100_000 if wanted else None,
            ),
        ]
        if shape.zipf:
            cached = best(CACHED, lived, rate_per_s=LIVE_PER_S, ticks=False, count=count, times=times)
            rows.append(at_least(f"decode + apply, {CACHED.name}", cached.feed_per_s, None))
            backlog = best(shape, lived, rate_per_s=BACKLOG_PER_S, ticks=True, count=count, times=times)
            rows.append(
                at_least(f"the same, one in {int(BACKLOG_PER_S / 2):,} events, {shape.name}", backlog.feed_per_s, None)
            )
        rows += [
            at_least(f"and state bytes every {CHECKPOINT:,} events, {shape.name}", live.checkpointed_per_s, None),
            at_most(f"changelog bytes per state, mean, {shape.name}", live.state_bytes, 1_000, "B"),
        ]
    return [*rows, *measure_memory(lived)]


def measure_memory(lived: list[bytes], *, customers: int = 200_000, limit: int = 20_000) -> list[Row]:
    """Memory of customers who are known but not decoded, and how many are decoded at most."""
    # A process of its own: in this one, memory that earlier passes gave back would be used again, unseen.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        cold = pool.submit(cold_bytes, lived, customers).result()
    records = journal(Shape("memory", customers, False), 100_000, rate_per_s=LIVE_PER_S, ticks=True)
    bounded = run(records, states_of(customers, lived), warm=0, max_hot=limit)
    most = limit + bounded.dirty_max
    return [
        at_most(f"memory per cold customer, {customers:,} customers", cold, 1_200, "B"),
        Row(
            f"customers decoded at once, where the limit is {limit:,} and a checkpoint takes {bounded.dirty_max:,}",
            f"{bounded.hot_max:,}",
            f"≤ {most:,}",
            bounded.hot_max <= most,
        ),
    ]


def cold_bytes(lived: list[bytes], customers: int) -> float:
    """Memory that a partition needs for each customer it only knows by state bytes: key, bytes, deadline."""
    gc.collect()
    before = resident_bytes()
    fold = Partition(0, states_of(customers, lived), Policy(), Model.prior(Policy()))
    return (resident_bytes() - before) / len(fold.states)


def resident_bytes() -> int:
    """Memory of this process that is really there (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
