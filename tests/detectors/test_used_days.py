"""Days of use as masks: what they say is what the days themselves say, whatever the order they came in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detectors.counts import by_day
from detectors.customer import DAY_S, Customer
from detectors.history import HANDLERS
from detectors.used_days import (
    EARLIER,
    FEATURES,
    KEPT,
    NEWS,
    active_days,
    between,
    by_feature,
    features_on,
    mark_day,
    mark_feature,
    mark_release,
)
from schemas.usage import SessionEnded, SessionStarted
from tests.detectors.lives import START_S, customer_after, event, read

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


SESSIONS = st.lists(st.tuples(st.integers(0, 80), st.sampled_from((SessionStarted(), SessionEnded(600)))), max_size=40)


def sat(sessions: list[tuple[int, SessionStarted | SessionEnded]]) -> Customer:
    c = Customer()
    for day, session in sessions:
        HANDLERS[type(session)](c, session, (20_000 + day) * DAY_S + 7, f"{day}-{type(session).__name__}")
    return c


@given(SESSIONS, st.data())
def test_starts_and_ends_of_sessions_leave_the_same_in_any_order(
    sessions: list[tuple[int, SessionStarted | SessionEnded]], data: st.DataObject
) -> None:
    c, again = sat(sessions), sat(data.draw(st.permutations(sessions)))
    assert (again.days, again.gap_s, again.active_s, again.active_id) == (c.days, c.gap_s, c.active_s, c.active_id)


def test_who_is_known_by_the_ends_of_sessions_alone_has_a_rhythm_and_can_fall_silent() -> None:
    ends = [event("usage.session.ended", day + 0.5, duration_s=1800) for day in range(0, 30, 2)]
    assert customer_after(ends).gap_s == 2 * DAY_S
    assert list(by_day(active_days(customer_after(ends))))[:2] == [
        (START_S // DAY_S + 28, 30),
        (START_S // DAY_S + 26, 30),
    ]
    alive = [event("usage.session.started", day + 0.5, customer="c-9") for day in range(60)]
    strength, because = read("value.silence", [*ends, *alive], 60.0)
    assert strength is not None
    assert strength > 0.8
    assert because is not None
    shorter = [event("usage.session.ended", day + 0.5, duration_s=60) for day in range(30, 50, 2)]
    strength, _ = read("value.usage_drop", [*ends, *shorter, *alive], 50.0)
    assert strength is not None
    assert strength > 0.5
