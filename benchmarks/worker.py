"""Our own worker as a process on a real broker: from the journal with transactions, recovery, and intake."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.cluster import Item, Setup, Worker, ends, fill, follow, fresh_topics, steady_per_s
from benchmarks.core import LIVE_PER_S
from benchmarks.events import START_S, UNIFORM, ZIPF, Record, Shape, stream, with_ticks
from benchmarks.lives import lived_states, states_of
from benchmarks.profile import Profile, Spot
from benchmarks.profile import rows as profile_rows
from benchmarks.report import Row, at_least, at_most
from detectors.model import Model
from detectors.partition import Partition
from detectors.policy import Policy
from schemas.events import TOPIC_OF_TYPE
from schemas.journal import encode_tick
from schemas.topics import INPUT_TOPICS, JOURNAL, TOPICS, state_changelog
from streams.engine.partitions import Places

PARTITIONS = TOPICS[JOURNAL].partitions
WAIT_S = 180.0


class Journal(NamedTuple):
    """What one run from the journal showed."""

    events_per_s: float
    recovery_s: float  # from the take-over of the partitions to ready
    start_s: float  # from the start of the process to ready
    again_s: float  # recovery after the run
    changelog: int  # records in the changelog by then
    stop_s: float
    restarts: int
    spots: list[Spot]


def seed_items(setup: Setup, states: dict[bytes, bytes]) -> Iterator[Item]:
    """The changelog of a worker that has read one record of each journal partition, a tick."""
    changelog = state_changelog(setup.app_id).named(setup.prefix)
    places = Places(PARTITIONS)
    for number in range(PARTITIONS):
        yield setup.named(JOURNAL), number, None, encode_tick(START_S)
        fold = Partition(number, {}, Policy(), Model.prior(Policy()))
        fold.feed([Record(0, None, encode_tick(START_S))])
        for key, state in fold.snapshot().states:
            if state is not None:
                yield changelog, number, key, state
    for key, state in states.items():
        yield changelog, places[key.decode()][1], key, state


def journal_items(setup: Setup, shape: Shape, count: int, *, ticks: bool = True) -> Iterator[Item]:
    """A stream as records of the journal: each event where its key belongs, each tick everywhere."""
    places, name = Places(PARTITIONS), setup.named(JOURNAL)
    for each in with_ticks(stream(shape, count, rate_per_s=LIVE_PER_S)):
        if not isinstance(each, bytes):
            yield name, places[each.key.decode()][1], each.key, each.value
        elif ticks:
            for number in range(PARTITIONS):
                yield name, number, None, each


def from_journal(setup: Setup, shape: Shape, count: int, lived: list[bytes], *, profile_s: int = 0) -> Journal:
    """Run a detector over a full journal, from the states of customers who have lived; then start it once more."""
    fill(setup.bootstrap, seed_items(setup, states_of(shape.customers, lived)))
    fill(setup.bootstrap, journal_items(setup, shape, count))
    topic, group = setup.named(JOURNAL), f"{setup.app_id}-detector"
    total = sum(ends(setup.bootstrap, topic).values())
    with Worker(setup, "detector", "events") as worker:
        ready_s = worker.await_said("ready", "detector")
        recovery_s = ready_s - worker.await_said("took over", "detector")
        profile = Profile(worker.process.pid, profile_s) if profile_s else None
        seen = follow(worker, group, [topic], total, deadline_s=WAIT_S)
        spots = profile.spots() if profile else []
        start_s = ready_s - worker.started_s
        worker.stop()
        restarts = sum("starting again" in str(line.get("event")) for line in worker.said())
    with Worker(setup, "detector", "events") as again:
        again_s = again.await_said("ready", "detector") - again.await_said("took over", "detector")
    changelog = sum(ends(setup.bootstrap, state_changelog(setup.app_id).named(setup.prefix)).values())
    return Journal(steady_per_s(seen), recovery_s, start_s, again_s, changelog, worker.stopped_in_s, restarts, spots)


def measure_journal(bootstrap: str, *, counts: dict[str, int]) -> tuple[list[Row], dict[str, float]]:
    """Rows of the worker, and its events a second by shape, for the peers to be compared with."""
    lived = lived_states()
    rows, speeds = [], {}
    for shape, target in ((ZIPF, 60_000), (UNIFORM, 25_000)):
        with fresh_topics(bootstrap) as setup:
            found = from_journal(setup, shape, counts[shape.name], lived)
        speeds[shape.name] = found.events_per_s
        rows.append(at_least(f"worker from the journal, transactions on, {shape.name}", found.events_per_s, target))
        if shape is UNIFORM:
            who = f"{shape.customers:,} customers"
            rows += [
                at_most(f"recovery of {who}, from assignment to ready", found.recovery_s, 5, "s"),
                at_most(f"the same after the run, {found.changelog:,} changelog records", found.again_s, None, "s"),
                at_most(f"from the start of the process to ready, {who}", found.start_s, None, "s"),
            ]
        rows.append(at_most(f"clean stop after it, {shape.name}", found.stop_s, 10, "s"))
        if found.restarts:
            rows.append(Row("failures and restarts during the run", f"{found.restarts}", "0", False))
    return rows, speeds


def measure_profile(bootstrap: str, *, counts: dict[str, int], seconds: int = 5) -> list[Row]:
    """Where the time of a worker goes; it is slower while it is looked at."""
    rows, lived = [], lived_states()
    for shape in (ZIPF, UNIFORM):
        with fresh_topics(bootstrap) as setup:
            found = from_journal(setup, shape, counts[shape.name], lived, profile_s=seconds)
        rows += profile_rows(f"worker, {shape.name}", found.spots)
    return rows


def measure_intake(bootstrap: str, *, count: int) -> list[Row]:
    """Events of all six input topics, checked and appended to the journal in transactions."""
    places = Places(PARTITIONS)
    with fresh_topics(bootstrap) as setup:

        def items() -> Iterator[Item]:
            for _, each in stream(ZIPF, count, rate_per_s=LIVE_PER_S):
                number = places[each.key.decode()][1]
                yield setup.named(TOPIC_OF_TYPE[each.type]), number, each.key, each.value

        fill(bootstrap, items())
        topics = [setup.named(topic) for topic in INPUT_TOPICS]
        with Worker(setup, "intake", "wall") as worker:
            seen = follow(worker, f"{setup.app_id}-intake", topics, count, deadline_s=WAIT_S)
    return [at_least("intake: checked, and appended to the journal in transactions", steady_per_s(seen), 150_000)]
