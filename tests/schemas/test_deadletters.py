"""Dead letters keep what came and say why."""

from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.deadletters import (
    REASONS,
    DeadLetter,
    Origin,
    Reason,
    Stage,
    dead_letter_headers,
    dead_letter_line,
    decode_dead_letter_line,
    encode_dead_letter_line,
    original_headers,
    read_dead_letter,
)

CAME = [("content-type", b"application/json"), ("x", b"\xff\x00"), ("x", b"")]
LETTER = DeadLetter(
    reason="not_json",
    detail="$: empty",
    stage="intake",
    origin=Origin(topic="billing.events", partition=3, offset=70_000, timestamp_ms=1_772_600_767_123),
    attempts=1,
    app_version="0.1.0",
)


def test_the_headers_that_came_stand_first_and_ours_follow_under_the_names_of_the_contract() -> None:
    headers = dead_letter_headers(CAME, LETTER)
    assert headers[: len(CAME)] == CAME
    assert [
        ("churn_dlq-reason", b"not_json"),
        ("churn_dlq-detail", b"$: empty"),
        ("churn_dlq-stage", b"intake"),
        ("churn_dlq-original-topic", b"billing.events"),
        ("churn_dlq-original-partition", b"3"),
        ("churn_dlq-original-offset", b"70000"),
        ("churn_dlq-original-timestamp", b"1772600767123"),
        ("churn_dlq-attempts", b"1"),
        ("churn_dlq-app-version", b"0.1.0"),
        ("kafka_dlt-original-topic", b"billing.events"),
        ("kafka_dlt-original-partition", b"\x00\x00\x00\x03"),
        ("kafka_dlt-original-offset", b"\x00\x00\x00\x00\x00\x01\x11\x70"),
        ("kafka_dlt-original-timestamp", (1_772_600_767_123).to_bytes(8, "big")),
    ] == headers[len(CAME) :]


def test_a_dead_letter_is_read_back_from_its_headers() -> None:
    headers = dead_letter_headers(CAME, LETTER)
    assert read_dead_letter(headers) == LETTER
    assert original_headers(headers) == CAME


def test_a_dead_letter_refused_again_tells_of_the_last_time() -> None:
    again = DeadLetter(
        reason="unknown_type",
        detail="$.type: none of this contract",
        stage="detector",
        origin=Origin(topic="churn.journal", partition=0, offset=1, timestamp_ms=-1),
        attempts=2,
        app_version="0.2.0",
    )
    headers = dead_letter_headers(dead_letter_headers(CAME, LETTER), again)
    assert read_dead_letter(headers) == again
    assert original_headers(headers) == CAME


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([name for name, _ in dead_letter_headers([], LETTER)]), st.binary())))
def test_headers_that_are_not_those_of_a_dead_letter_are_told_apart(headers: list[tuple[str, bytes]]) -> None:
    assert read_dead_letter(headers) is None or len(headers) >= 9


def test_a_reason_that_is_none_of_ours_is_not_read() -> None:
    assert read_dead_letter([*dead_letter_headers([], LETTER), ("churn_dlq-reason", b"bored")]) is None


def test_every_reason_has_a_meaning() -> None:
    assert set(get_args(Reason)) == set(REASONS)


@settings(deadline=None)
@given(st.sampled_from(get_args(Reason)), st.sampled_from(get_args(Stage)), st.text(), st.integers(1), st.binary())
def test_a_line_carries_any_bytes(reason: Reason, stage: Stage, text: str, line: int, value: bytes) -> None:
    letter = dead_letter_line(reason, text, stage, text, line, value)
    encoded = encode_dead_letter_line(letter)
    assert b"\n" not in encoded
    assert decode_dead_letter_line(encoded) == letter
    assert letter.value == value
