"""Time on the wire."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import FIRST_TIME_S, LAST_TIME_S, rfc3339, utc


@given(st.integers(FIRST_TIME_S, LAST_TIME_S))
def test_every_second_of_the_years_1_to_9999_is_written_and_read_back(time_s: int) -> None:
    assert datetime.fromisoformat(rfc3339(time_s)) == utc(time_s)
    assert len(rfc3339(time_s)) == 20


@pytest.mark.parametrize(
    ("time_s", "expected"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (FIRST_TIME_S - 1, "0001-01-01T00:00:00Z"),
        (LAST_TIME_S + 1, "9999-12-31T23:59:59Z"),
        (-(10**30), "0001-01-01T00:00:00Z"),
    ],
)
def test_a_time_outside_the_calendar_is_pressed_to_its_edge(time_s: int, expected: str) -> None:
    assert rfc3339(time_s) == expected


def test_utc_keeps_microseconds() -> None:
    assert utc(1.5) == datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)
