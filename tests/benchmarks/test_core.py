"""The benchmark's own code runs, and measures what it says; how fast is never asked here."""

from __future__ import annotations

import doctest
from types import ModuleType

import pytest

from benchmarks import cluster, core, events, profile, report, shares
from benchmarks.events import ZIPF, Shape, journal, stream
from benchmarks.lives import lived_states, states_of
from benchmarks.peers import one_customer
from benchmarks.peers.one_customer import OneCustomer
from benchmarks.report import Row, table
from detectors.customer import load
from detectors.model import Model
from detectors.partition import Partition
from detectors.policy import Policy
from detectors.signals import CATALOGUE
from schemas.intake import Accepted, read_event

FEW = Shape("few", 20, False)


def test_a_stream_obeys_the_contract_and_is_the_same_every_time() -> None:
    """Every event is one that intake would take."""
    first, again = (list(stream(ZIPF, 400, rate_per_s=100)) for _ in range(2))
    assert first == again
    for time_s, happening in first:
        read = read_event(happening.value, (), time_s + 1)
        assert isinstance(read, Accepted), read


def test_a_tick_follows_every_half_second_of_event_time() -> None:
    """Four seconds of events hold the ticks of eight half seconds."""
    records = journal(FEW, 400, rate_per_s=100, ticks=True)
    assert sum(record.key is None for record in records) == 8
    assert [record.offset for record in records] == list(range(1, len(records) + 1))


def test_the_core_is_measured_on_customers_who_have_lived() -> None:
    """A run counts its assessments and the bytes that it would store."""
    lived = lived_states(lives=4)
    found = core.run(journal(FEW, 300, rate_per_s=100, ticks=True), states_of(20, lived), warm=0)
    assert found.assessments >= 20
    assert found.state_bytes > min(map(len, lived)) / 2
    assert found.hot_max == 20


def test_the_peers_do_to_a_customer_what_the_fold_does() -> None:
    """After the same events, what is remembered of every customer is the same; when it was assessed may differ."""
    lived = lived_states(lives=4)
    records = journal(FEW, 300, rate_per_s=100, ticks=False)
    fold = Partition(0, states_of(20, lived), Policy(), Model.prior(Policy()))
    fold.feed(records)
    fold.snapshot()
    peer = OneCustomer(lived)
    states: dict[bytes, bytes] = {}
    for record in records:
        assert record.key is not None
        states[record.key], _ = peer.step_bytes(states.get(record.key), record.key, record.value, record.offset)
    for key, state in states.items():
        ours, theirs = load(fold.states[key]), load(state)
        assert (ours.ring, ours.fence, ours.points, ours.cases, ours.days) == (
            theirs.ring,
            theirs.fence,
            theirs.points,
            theirs.cases,
            theirs.days,
        )
    assert states.keys() == {record.key for record in records}


def test_the_readings_of_each_signal_are_counted_and_nothing_stays_changed() -> None:
    """Who is looked at after a use has its use read; afterwards the catalogue is what it was."""
    measures = {code: signal.measure for code, signal in CATALOGUE.items()}
    found, whole_s = shares.costs(journal(FEW, 300, rate_per_s=100, ticks=True), states_of(20, lived_states(lives=4)))
    readings = {cost.code: cost.readings for cost in found}
    assert readings.keys() == CATALOGUE.keys()
    assert readings["value.usage_drop"] >= 20
    assert [cost.seconds for cost in found] == sorted((cost.seconds for cost in found), reverse=True)
    assert sum(cost.seconds for cost in found) < whole_s
    assert {code: signal.measure for code, signal in CATALOGUE.items()} == measures


def test_the_first_signals_alone_make_a_core_of_their_own() -> None:
    """All signals are measured against a policy that has the rows of the first ones and no others."""
    policy = shares.of_spine(Policy())
    assert set(policy.signals) == set(shares.SPINE) < set(CATALOGUE)
    lived = lived_states(lives=4, policy=policy)
    row = shares.against_spine(FEW, journal(FEW, 300, rate_per_s=100, ticks=True), lived_states(lives=4), lived, 1)
    assert "52 signals" in row.what
    assert row.met is not None


@pytest.mark.parametrize("module", [cluster, events, one_customer, profile, report])
def test_the_examples_of_the_benchmark_hold(module: ModuleType) -> None:
    """The doctests, which pytest looks for only where nothing of the peers must be installed."""
    assert doctest.testmod(module).failed == 0


def test_the_table_says_what_was_missed() -> None:
    """A number under its target is marked, one without a target is not."""
    text = table([("Part", [Row("fast", "3 ev/s", "≥ 4 ev/s", False), Row("free", "1")])])
    assert "| fast | 3 ev/s | ≥ 4 ev/s | **missed** |" in text
    assert "| free | 1 |  |  |" in text
