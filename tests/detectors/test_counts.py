"""A packed counter is a dict of day and count, the newest days of it, whatever the order of the additions."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from hypothesis import example, given
from hypothesis import strategies as st

from detectors.counts import COUNT_MAX, DAY_MAX, add, by_day, gaps, pack, since

KEEP = 6
# Steps and counts around what fits into a byte, and around the bounds.
DAYS = st.one_of(st.integers(20_000, 20_012), st.integers(19_500, 20_500), st.integers(-3, DAY_MAX + 3))
COUNTS = st.one_of(st.integers(0, 3), st.integers(250, 260), st.integers(COUNT_MAX - 2, COUNT_MAX + 2))


class Added(NamedTuple):
    """One addition."""

    day: int
    by: int


ADDITIONS = st.lists(st.builds(Added, DAYS, COUNTS), max_size=25)


def packed_of(additions: list[Added]) -> bytes:
    """A counter after these additions."""
    packed = b""
    for each in additions:
        packed, _ = add(packed, each.day, each.by, KEEP)
    return packed


def model_of(additions: list[Added]) -> dict[int, int]:
    """The same as a dict, the newest day first."""
    counts: dict[int, int] = {}
    for each in additions:
        day = min(max(each.day, 0), DAY_MAX)
        counts[day] = min(counts.get(day, 0) + each.by, COUNT_MAX)
        if len(counts) > KEEP:
            del counts[min(counts)]
    return dict(sorted(counts.items(), reverse=True))


@given(ADDITIONS)
@example([Added(20_000, 300), *[Added(20_001 + i, 1) for i in range(KEEP)]])
@example([Added(DAY_MAX, 1), Added(DAY_MAX + 1, 1)])
def test_a_counter_is_its_dict(additions: list[Added]) -> None:
    packed = b""
    model: dict[int, int] = {}
    for i, each in enumerate(additions):
        before = model
        packed, new = add(packed, each.day, each.by, KEEP)
        model = model_of(additions[: i + 1])
        assert list(by_day(packed)) == list(model.items())
        assert new == (min(max(each.day, 0), DAY_MAX) not in before)
        assert len(packed) <= 6 * KEEP


@given(ADDITIONS)
def test_the_same_counts_have_the_same_bytes(additions: list[Added]) -> None:
    packed = packed_of(additions)
    assert packed == pack(model_of(additions), KEEP)
    assert pack(dict(by_day(packed)), KEEP) == packed


@given(
    st.lists(st.builds(Added, DAYS, COUNTS), max_size=12).flatmap(
        lambda all_: st.tuples(st.just(all_), st.permutations(all_))
    )
)
def test_a_counter_does_not_depend_on_the_order(two: tuple[list[Added], list[Added]]) -> None:
    assert packed_of(two[0]) == packed_of(two[1])


@given(ADDITIONS, DAYS)
def test_sums_and_gaps_are_those_of_the_dict(additions: list[Added], first_day: int) -> None:
    packed, model = packed_of(additions), model_of(additions)
    within = {day: n for day, n in model.items() if day >= first_day}
    assert since(packed, first_day) == (sum(within.values()), min(within, default=0))
    assert gaps(packed) == sorted(later - day for later, day in pairwise(model))


def test_what_is_usual_takes_two_bytes_a_day() -> None:
    assert len(packed_of([Added(20_000 + i, 255) for i in range(KEEP)])) == 2 * KEEP + 1
    assert len(packed_of([Added(20_000, 256)])) == 6
