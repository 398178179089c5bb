"""A copy of a changelog is one unbroken span, or it is known to be behind."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from streams.engine.fetch import Fetch
from streams.engine.store import FORGET_S, Copies


@pytest.fixture
def clock() -> list[float]:
    """A clock that the test sets."""
    return [1_000.0]


class Record(NamedTuple):
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


def fetch(start: int | None, end: int, *pairs: tuple[bytes | None, bytes | None]) -> Fetch:
    return Fetch(start, end, [Record((start or 0) + i, key, value) for i, (key, value) in enumerate(pairs)])


def test_the_latest_value_of_each_key_stays_and_tombstones_remove() -> None:
    copies = Copies()
    copies.own({3: 0})
    copies.take(3, fetch(0, 4, (b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"b", None)))
    assert copies.states(3) == {b"a": b"2"}


def test_the_partitions_own_record_has_the_empty_key() -> None:
    copies = Copies()
    copies.own({0: 0})
    copies.take(0, fetch(0, 2, (b"", b"1"), (None, b"2")))
    assert copies.states(0) == {b"": b"2"}


def test_a_fetch_behind_a_hole_changes_nothing_and_shows_at_the_end() -> None:
    copies = Copies()
    copies.own({0: 0})
    copies.take(0, fetch(0, 2, (b"a", b"1"), (b"b", b"1")))
    assert not copies.take(0, fetch(5, 6, (b"a", b"9")))
    assert not copies.take(0, fetch(None, 6, (b"a", b"9")))
    assert copies.states(0) == {b"a": b"1", b"b": b"1"}
    assert copies.behind({0: 6}) == {0: (2, 6)}


def test_a_late_fetch_of_a_partition_that_went_away_is_not_the_start_of_a_new_copy() -> None:
    copies = Copies()
    copies.own({0: 0, 1: 0})
    copies.own({0: 0})
    assert not copies.take(1, fetch(700, 701, (b"a", b"1")))
    copies.own({0: 0, 1: 0})
    assert not copies.take(1, fetch(700, 701, (b"a", b"1")))
    assert copies.behind({0: 0, 1: 701}) == {1: (0, 701)}


def test_reading_a_tail_again_ends_where_it_ended() -> None:
    copies = Copies()
    copies.own({0: 0})
    whole = [(b"a", b"1"), (b"b", b"1"), (b"a", None), (b"b", b"2"), (b"c", b"1")]
    copies.take(0, fetch(0, 5, *whole))
    before = dict(copies.states(0))
    copies.take(0, fetch(2, 5, *whole[2:]))
    assert copies.states(0) == before


def test_what_is_held_stays_for_a_partition_that_stays() -> None:
    copies = Copies()
    copies.own({0: 0, 1: 0})
    copies.take(0, fetch(0, 1, (b"a", b"1")))
    held = copies.states(0)
    copies.own({0: 0})
    assert copies.states(0) is held
    assert copies.end(0) == 1
    assert copies.end(1) is None


def test_a_trimmed_changelog_begins_at_its_first_offset() -> None:
    copies = Copies()
    copies.own({0: 40})
    assert copies.behind({0: 40}) == {}
    assert copies.take(0, fetch(39, 42, (b"a", b"1")))
    assert copies.behind({0: 42}) == {}


def test_a_copy_unused_for_long_is_read_anew_since_tombstones_may_be_gone(clock: list[float]) -> None:
    copies = Copies(now_s=lambda: clock[0])
    copies.own({0: 0})
    copies.take(0, fetch(0, 1, (b"a", b"1")))
    clock[0] += FORGET_S + 1
    copies.own({0: 0})
    assert copies.states(0) == {}
    assert copies.end(0) == 0


def test_a_copy_in_use_is_kept(clock: list[float]) -> None:
    copies = Copies(now_s=lambda: clock[0])
    copies.own({0: 0})
    copies.take(0, fetch(0, 1, (b"a", b"1")))
    clock[0] += FORGET_S - 1
    copies.used(0)
    clock[0] += FORGET_S - 1
    copies.own({0: 0})
    assert copies.states(0) == {b"a": b"1"}


def test_sizes_count_states_and_their_bytes() -> None:
    copies = Copies()
    copies.own({0: 0})
    copies.take(0, fetch(0, 2, (b"a", b"123"), (b"b", b"45")))
    assert copies.sizes(bool) == {0: (2, 5)}
    assert copies.sizes(lambda key: key == b"") == {0: (0, 5)}
