"""Durations and times as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.durations import format_time, parse_duration_s, parse_time_s


@pytest.mark.parametrize(
    ("text", "duration_s"),
    [("7d", 604_800.0), ("12h", 43_200.0), ("1h30m", 5_400.0), ("500ms", 0.5), ("1.5s", 1.5), ("2w", 1_209_600.0)],
)
def test_durations_are_read(text: str, duration_s: float) -> None:
    assert parse_duration_s(text) == duration_s


@pytest.mark.parametrize("text", ["", "7", "d", "7 d", "-7d", "0s", "7y", "1h 30m", "x1h", "1hx"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration_s(text)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "2026-01-01T00:00:00"])
def test_what_is_no_time_or_has_no_offset_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a time|has no offset"):
        parse_time_s(text)


@given(st.integers(0, 4_000_000_000_000))
def test_a_time_survives_being_written_and_read(time_ms: int) -> None:
    assert round(parse_time_s(format_time(time_ms / 1_000.0)) * 1_000.0) == time_ms
