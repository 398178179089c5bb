"""The golden examples are right, complete, and what the code still writes and reads."""

import json
from pathlib import Path

import msgspec
import pytest

from schemas.alerts import Alert, AlertEvent, decode_alert, encode_alert
from schemas.deadletters import decode_dead_letter_line, encode_dead_letter_line, read_dead_letter
from schemas.events import EVENT_TYPES, decode_event, encode_event
from schemas.intake import Accepted, read_event
from schemas.journal import Tick, decode_control, encode_tick
from schemas.scores import ScoreRow, decode_score, encode_score

GOLDEN = Path(__file__).parents[1] / "golden"
NOW_S = 1_772_700_000.0


def test_every_event_type_has_a_golden_example_and_every_example_a_type() -> None:
    assert set(EVENT_TYPES) == {path.stem for path in (GOLDEN / "events").iterdir()}


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_a_golden_event_is_accepted_shows_every_field_and_survives_encoding(name: str) -> None:
    value = (GOLDEN / "events" / f"{name}.json").read_bytes()
    read = read_event(value, (), NOW_S)
    assert isinstance(read, Accepted), read
    assert value == read.value
    assert EVENT_TYPES[name] is type(read.event.data)
    assert set(EVENT_TYPES[name].__struct_fields__) == set(json.loads(value)["data"])
    assert read.event == decode_event(encode_event(read.event))


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_a_golden_event_in_binary_mode_is_the_same_event(name: str) -> None:
    value = (GOLDEN / "events" / f"{name}.json").read_bytes()
    told = json.loads(value)
    data = json.dumps(told.pop("data")).encode()
    headers = [(f"ce_{attribute}", content.encode()) for attribute, content in told.items()]
    read = read_event(data, headers, NOW_S)
    assert isinstance(read, Accepted), read
    assert decode_event(value) == read.event == decode_event(read.value)


def test_the_golden_alert_is_written_byte_for_byte_and_shows_every_field() -> None:
    value = (GOLDEN / "alert.json").read_bytes().rstrip(b"\n")
    read = decode_alert(value)
    assert isinstance(read.traceparent, str)
    assert value == encode_alert(read.data, "updated", read.traceparent)
    assert list(AlertEvent.__struct_fields__) == list(json.loads(value))
    assert list(Alert.__struct_fields__) == list(json.loads(value)["data"])


def test_the_golden_score_is_written_byte_for_byte_and_shows_every_field() -> None:
    value = (GOLDEN / "score.json").read_bytes().rstrip(b"\n")
    assert value == encode_score(decode_score(value))
    assert list(ScoreRow.__struct_fields__) == list(json.loads(value))


def test_the_golden_tick_is_written_byte_for_byte() -> None:
    value = (GOLDEN / "tick.json").read_bytes().rstrip(b"\n")
    tick = decode_control(value)
    assert isinstance(tick, Tick)
    assert value == encode_tick(tick.time_s)


def test_the_golden_dead_letter_line_is_written_byte_for_byte() -> None:
    value = (GOLDEN / "dead_letter_line.json").read_bytes().rstrip(b"\n")
    line = decode_dead_letter_line(value)
    assert value == encode_dead_letter_line(line)
    assert line.value == b'{"type":"support.ticket.rated","data":{"csat":6}}'


def test_the_golden_dead_letter_headers_say_where_it_came_from() -> None:
    headers = [(name, value.encode("latin-1")) for name, value in json.loads(golden_headers())]
    letter = read_dead_letter(headers)
    assert letter is not None
    expected = {
        "reason": "wrong_shape",
        "detail": "$.data.plan: expected `str`, got `int`",
        "stage": "intake",
        "origin": {
            "topic": "billing.events",
            "partition": 3,
            "offset": 98_765_432_101,
            "timestamp_ms": 1_772_600_767_123,
        },
        "attempts": 1,
        "app_version": "0.1.0",
    }
    assert expected == msgspec.to_builtins(letter)


def golden_headers() -> bytes:
    return (GOLDEN / "dead_letter_headers.json").read_bytes()
