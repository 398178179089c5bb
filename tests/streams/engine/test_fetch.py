"""Each fetch is let in once and in order, however fetches are lost, doubled, cut or out of turn."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from faust.types import TP

from streams.engine.fetch import Fetch, LossWatch, OrderGuard, Verdict

HERE, THERE = TP("journal", 0), TP("journal", 1)


class Record(NamedTuple):
    offset: int
    timestamp: int = 0
    key: bytes | None = b"c"
    value: bytes | None = b"v"
    headers: Sequence[tuple[str, bytes]] = ()


def fetch(start: int | None, end: int, *offsets: int) -> Fetch:
    return Fetch(start, end, [Record(offset) for offset in offsets])


def guard_at(offset: int) -> OrderGuard:
    guard = OrderGuard()
    guard.own({HERE: offset})
    return guard


@pytest.mark.parametrize(
    ("came", "verdict", "applied", "then"),
    [
        (fetch(10, 13, 10, 11, 12), Verdict.APPLY, [10, 11, 12], 13),
        (fetch(10, 14, 10, 12), Verdict.APPLY, [10, 12], 14),  # 11 was aborted, 13 is a marker
        (fetch(10, 12), Verdict.APPLY, [], 12),  # markers alone
        (fetch(7, 12, 7, 9, 10, 11), Verdict.APPLY, [10, 11], 12),  # overlaps what was applied
        (fetch(7, 10, 7, 8, 9), Verdict.OLD, [], 10),
        (fetch(11, 13, 11, 12), Verdict.GAP, [], 10),
        (fetch(None, 13, 10, 11, 12), Verdict.GAP, [], 10),  # nobody knows what came before
    ],
)
def test_a_fetch_is_applied_where_it_joins_and_nowhere_else(
    came: Fetch, verdict: Verdict, applied: list[int], then: int
) -> None:
    guard = guard_at(10)
    said, records = guard.judge(HERE, came)
    assert (said, [record.offset for record in records]) == (verdict, applied)
    assert guard.next_offsets == {HERE: then}


def test_a_partition_that_is_not_ours_is_left_alone() -> None:
    guard = guard_at(10)
    guard.disown()
    assert guard.judge(HERE, fetch(10, 11, 10)) == (Verdict.FOREIGN, ())


def test_owning_again_does_not_move_a_partition_back() -> None:
    guard = guard_at(10)
    guard.judge(HERE, fetch(10, 20, 10))
    guard.own({HERE: 10})
    assert guard.next_offsets == {HERE: 20}


def test_gaps_are_counted_until_a_fetch_joins() -> None:
    guard = guard_at(10)
    for _ in range(3):
        guard.judge(HERE, fetch(12, 13, 12))
    assert guard.gaps_in_a_row(HERE) == 3
    guard.judge(HERE, fetch(10, 13, 10, 12))
    assert guard.gaps_in_a_row(HERE) == 0


def test_a_lost_fetch_with_nothing_behind_it_is_found() -> None:
    watch = LossWatch()
    looks = [watch.lost({HERE: 5}, {HERE: 9}, now_s / 10) for now_s in range(20)]
    assert looks.count([HERE]) >= 2  # sought again, should the next one be lost too
    assert looks[:5] == [[]] * 5


def test_a_fetch_that_waits_behind_others_is_not_taken_for_lost() -> None:
    watch = LossWatch()
    for step in range(20):
        assert watch.lost({HERE: 5, THERE: step}, {HERE: 9, THERE: step}, step / 10) == []
    assert any(watch.lost({HERE: 5, THERE: step}, {HERE: 9, THERE: step}, step / 10) for step in range(20, 80))


def test_a_partition_that_moves_or_is_at_its_end_has_lost_nothing() -> None:
    watch = LossWatch()
    for step in range(50):
        assert watch.lost({HERE: step}, {HERE: step + 4}, step / 2) == []
        assert watch.lost({HERE: step}, {HERE: step}, step / 2) == []
        assert watch.lost({HERE: step}, {}, step / 2) == []


@pytest.mark.parametrize("seed", range(20))
def test_every_record_is_applied_once_and_in_order_whatever_is_dropped_and_sought(seed: int) -> None:
    rng = random.Random(seed)
    log = sorted(rng.sample(range(400), 300))  # the rest are markers and aborted records
    guard, applied, position = guard_at(0), [], 0
    for _ in range(5_000):
        start = position
        end = min(400, start + rng.randrange(1, 40))
        position = end
        came = fetch(start, end, *[offset for offset in log if start <= offset < end])
        if rng.random() < 0.2:
            continue  # dropped on the way
        verdict, records = guard.judge(HERE, came)
        applied += [record.offset for record in records]
        if verdict is Verdict.GAP or rng.random() < 0.05:
            position = rng.randrange(guard.next_offsets[HERE] + 1)  # sought back, at times too far
        if guard.next_offsets[HERE] == 400:
            break
        if position == 400:
            position = guard.next_offsets[HERE]
    assert applied == log
