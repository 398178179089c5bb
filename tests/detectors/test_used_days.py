"""Days of use as masks: what they say is what the days themselves say, whatever the order they came in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detectors.customer import DAY_S, Customer
from detectors.used_days import (
    EARLIER,
    FEATURES,
    KEPT,
    NEWS,
    between,
    by_feature,
    features_on,
    mark_day,
    mark_feature,
    mark_release,
)

USES = st.lists(st.tuples(st.integers(20_000, 20_150), st.sampled_from("abcdef")), min_size=1, max_size=40)


def used(uses: list[tuple[int, str]]) -> Customer:
    c = Customer()
    for day, feature in uses:
        mark_day(c, day)
        mark_feature(c, feature, day * DAY_S + 7)
    return c


@given(USES, st.data())
def test_masks_are_the_days_in_any_order(uses: list[tuple[int, str]], data: st.DataObject) -> None:
    c = used(uses)
    again = used(data.draw(st.permutations(uses)))
    assert again == c
    newest = max(day for day, _ in uses)
    assert (c.used_day, c.first_used_day) == (newest, min(day for day, _ in uses))
    first, last = sorted((data.draw(st.integers(newest - 61, newest + 3)), data.draw(st.integers(newest - 61, newest))))
    bits = between(c, first, last)
    assert (c.used & bits).bit_count() == len({day for day, _ in uses if first <= day <= last})
    masks = by_feature(c)
    assert features_on(c, bits) == len({f for day, f in uses if first <= day <= last})
    for feature in "abcdef":
        days = {day for day, f in uses if f == feature}
        assert (masks.get(feature, 0) & bits).bit_count() == sum(first <= day <= last for day in days)
        assert bool(masks.get(feature, 0) & EARLIER) == any(day <= newest - KEPT for day in days)


def test_masks_fit_a_state_and_features_are_bounded_to_the_newest() -> None:
    c = used([(20_000 + i, f"f{i:02d}") for i in range(FEATURES + 9)] + [(20_000 + i, "a") for i in range(100)])
    masks = by_feature(c)
    assert c.used < 2**63
    assert len(masks) == FEATURES
    assert "a" in masks
    assert "f08" not in masks


def test_a_name_with_a_line_break_is_one_feature() -> None:
    c = used([(20_000, "a"), (20_000, "b"), (20_001, "a\nb"), (20_002, "a\nb")])
    assert by_feature(c) == {"a": 0b100, "b": 0b100, "a b": 0b11}


def test_releases_are_bounded_to_the_newest() -> None:
    c = Customer()
    for i in range(NEWS + 3):
        mark_release(c, f"f{i}", 20_000 + i)
    mark_release(c, "f8", 1)
    assert c.news == {f"f{i}": 20_000 + i for i in range(3, NEWS + 3)}
