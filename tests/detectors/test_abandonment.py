"""Calls given up, over everybody: exact whatever the order, the cuts and the restarts, and small."""

from __future__ import annotations

import random
from collections import Counter

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.abandonment import HOURS_KEPT, count_call, newest_calls, tell_calls
from detectors.partition import Partition
from detectors.records import INSIGHTS, Outbox, Write
from detectors.world import World, dump_world
from schemas.insights_live import CallAbandonment
from tests.detectors.lives import MODEL, POLICY, START_S, event, partition, records, tick

Row = CallAbandonment


def call(i: int, day: float, wait_s: float | None, customer: str = "c-1") -> bytes:
    if wait_s is None:
        return event("support.call.answered", day, id=f"a{i}", customer=customer, call_id=f"{i}", wait_s=5.0)
    return event("support.call.abandoned", day, id=f"a{i}", customer=customer, call_id=f"{i}", wait_s=wait_s)


def rows(writes: list[Write]) -> dict[bytes | None, Row]:
    return {key: msgspec.json.decode(value, type=Row) for key, value, _ in writes if value is not None}


def test_the_day_and_its_hours_leads_included_and_without_those_who_hung_up_at_once() -> None:
    values = [
        event("engagement.lead.registered", 1, customer="lead"),
        call(1, 1.1, 90.0, "lead"),
        call(2, 1.1, None),
        call(3, 1.3, 10.0),  # did not wait
        call(4, 1.3, None),
        call(4, 1.3, None),  # told twice
        tick(1.5),
    ]
    p = partition()
    p.feed(records(values))
    (row,) = rows(p.snapshot().writes[INSIGHTS]).values()
    assert (row.date, row.calls, row.abandoned, row.ratio) == ("2026-01-02", 3, 1, 0.333333)
    assert [(h.hour, h.calls, h.abandoned) for h in row.hours] == [(2, 2, 1), (7, 1, 0)]
    assert row.text == "1 of 3 calls were given up on 2026-01-02 (33%, partition 0)."
    assert p.calls() == {"hour": (0, 0), "day": (3, 1)}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6 * 24), st.sampled_from([None, 5.0, 31.0])), max_size=60),
    st.lists(st.integers(0, 80), max_size=6),
    st.randoms(use_true_random=False),
)
def test_cuts_restarts_and_order_change_nothing(
    calls: list[tuple[int, float | None]], cuts: list[int], rng: random.Random
) -> None:
    values = [call(i, hour / 24 + 0.01, wait_s, f"c-{i % 5}") for i, (hour, wait_s) in enumerate(calls)]
    rng.shuffle(values)
    journal = records([*values, tick(7), tick(7.1)])
    states: dict[bytes, bytes] = {}
    wrote: list[Write] = []
    kept = 0
    for cut in sorted({min(c, len(journal)) for c in cuts} | {len(journal)}):
        part = Partition(0, states, POLICY, MODEL)
        part.feed(journal[kept:cut])
        kept = cut
        wrote += part.snapshot().writes.get(INSIGHTS, [])
    want = Counter[str]()
    for hour, wait_s in calls:
        if wait_s != 5.0:
            want[f"calls{hour // 24}"] += 1
            want[f"given up{hour // 24}"] += wait_s == 31.0
    found = Counter[str]()
    for row in rows(wrote).values():
        day = int(row.date[-2:]) - 1
        assert (sum(h.calls for h in row.hours), sum(h.abandoned for h in row.hours)) == (row.calls, row.abandoned)
        found[f"calls{day}"] += row.calls
        found[f"given up{day}"] += row.abandoned
    assert +found == +want


def test_a_row_is_said_again_only_when_it_changed_and_five_minutes_apart() -> None:
    world, out = World(), Outbox()
    for second in range(1_200):
        if second % 2 == 0:
            count_call(world, START_S + second, given_up=False)
        tell_calls(world, 0, out, START_S + second)
    assert len([value for _, value, _ in out.writes[INSIGHTS] if value is not None]) == 4
    before = len(out.writes[INSIGHTS])
    for second in range(1_500, 3_600):
        tell_calls(world, 0, out, START_S + second)
    assert len(out.writes[INSIGHTS]) == before + 1


def test_what_is_remembered_stays_small_and_old_rows_are_taken_back() -> None:
    world, out = World(), Outbox()
    for hour in range(3_000):
        count_call(world, START_S + hour * 3_600, given_up=hour % 3 == 0)
        tell_calls(world, 0, out, START_S + hour * 3_600)
    assert len(world.calls) == HOURS_KEPT
    assert len(dump_world(world)) < 2_500
    assert (b"call_abandonment/2024-11-27/0", None, []) in out.writes[INSIGHTS]
    before = dump_world(world)
    count_call(world, START_S, given_up=True)  # too late to be counted
    assert dump_world(world) == before
    assert newest_calls(World()) == {"hour": (0, 0), "day": (0, 0)}
