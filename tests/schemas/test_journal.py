"""Control records of the journal."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import decode_event
from schemas.journal import TICK_TYPE, Tick, decode_control, encode_tick
from schemas.times import utc


@settings(deadline=None)
@given(st.floats(-60e9, 250e9))
def test_a_tick_is_read_back_to_the_microsecond(time_s: float) -> None:
    tick = decode_control(encode_tick(time_s))
    assert isinstance(tick, Tick)
    assert utc(time_s) == tick.time
    assert encode_tick(tick.time_s) == encode_tick(time_s)


def test_the_same_time_gives_the_same_bytes() -> None:
    assert encode_tick(3_600) == encode_tick(3_600.0)


def test_a_tick_is_no_event_and_an_event_no_tick() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_event(encode_tick(0))
    with pytest.raises(msgspec.ValidationError):
        decode_control(encode_tick(0).replace(TICK_TYPE.encode(), b"usage.session.ended"))
