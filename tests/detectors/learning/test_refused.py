"""What must not teach a model anything: no number, no customer, no whole record. Each is refused with a reason."""

from __future__ import annotations

import json

import msgspec
import pytest

from detectors.learning.alerted import AlertOutcome, encode_outcome
from detectors.learning.examples import encode_example
from detectors.learning.lessons import decode_lesson
from detectors.records import DEAD, EXAMPLES
from schemas.deadletters import read_dead_letter
from tests.detectors.learning.test_learner import example
from tests.detectors.lives import MODEL, event, partition, records, tick

WHOLE = encode_example(example(1, left=True, probability=0.25))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "null", '"0.25"'])
def test_a_probability_that_is_no_number_is_no_example(number: str) -> None:
    assert b'"probability":0.25' in WHOLE
    with pytest.raises(msgspec.MsgspecError):
        decode_lesson(WHOLE.replace(b"0.25", number.encode()))


@pytest.mark.parametrize("number", ["NaN", "1e999", "0.5", "null", "1e30"])
def test_a_value_that_is_no_whole_number_is_no_example(number: str) -> None:
    (at, value), *_ = json.loads(WHOLE)["values"].items()
    named = f'"{at}":{value}'.encode()
    assert named in WHOLE
    with pytest.raises(msgspec.MsgspecError):
        decode_lesson(WHOLE.replace(named, f'"{at}":{number}'.encode()))


@pytest.mark.parametrize("cut", range(1, len(WHOLE), 7))
def test_an_example_that_is_cut_off_anywhere_is_no_example(cut: int) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_lesson(WHOLE[:-cut])


LIFE = b'"life":{"age_d":1,"exposed_d":7,"gone_d":null,"active_d":null,"stage":"active","came":["before:nothing"]}'
ALERTED = encode_outcome(
    AlertOutcome(customer_id="c", alert_id="a", opened_s=111, probability=0.2, lot=222, delivery="deliver", share=1,
                 first=True, lead_s=333, left=True)
)  # fmt: skip
HUGE = b"1" + b"0" * 400


@pytest.mark.parametrize(
    ("line", "was", "told"),
    [
        (WHOLE, b'"values":{"29":500}', b'"values":{"29":' + HUGE + b"}"),
        (WHOLE, b'"values":{"29":500}', b'"values":{"29":-' + HUGE + b"}"),
        (WHOLE, b'"landmark_s":1000000000', b'"landmark_s":' + HUGE),
        *((WHOLE, b'"segments":[]', b'"segments":' + each) for each in (
            b'[""]', b'["all"]', b'["stage:active"]', b'["value.silence"]', b'["plan:' + b"x" * 80 + b'"]',
            b'["plan:a","plan:b","via:c"]')),
        *((WHOLE, b'"life":null', LIFE.replace(b'["before:nothing"]', each)) for each in (
            b'[""]', b'["all"]', b'["before:' + b"x" * 32 + b'"]', b'["before:a","before:b","before:c","before:d"]')),
        (WHOLE, b'"life":null', LIFE.replace(b'"active"', b'"' + b"x" * 33 + b'"')),
        *((ALERTED, number, HUGE) for number in (b"111", b"222", b"333")),
    ],
)  # fmt: skip
def test_what_has_no_bound_or_bears_a_name_of_something_else_is_no_example(
    line: bytes, was: bytes, told: bytes
) -> None:
    """It would stop whoever learns from it, and each one that takes over."""
    assert line.count(was) == 1
    assert decode_lesson(line.replace(was, LIFE if was == b'"life":null' else was)).left
    with pytest.raises(msgspec.MsgspecError):
        decode_lesson(line.replace(was, told))


def test_a_label_for_a_customer_that_nobody_has_heard_of_is_a_dead_letter_and_teaches_nothing() -> None:
    said = event("retention.alert.resolved", 1, customer="c-nobody", alert_id="a-1", outcome="churned", by="me")
    p = partition(examples=True)
    p.feed(records([said, *(tick(day) for day in range(2, 60))]))
    snapshot = p.snapshot()
    ((_, value, headers),) = snapshot.writes[DEAD]
    letter = read_dead_letter(headers)
    assert letter is not None
    assert (value, letter.reason) == (said, "out_of_range")
    assert letter.detail == "data.alert_id: expected the newest alert of this customer"
    assert EXAMPLES not in snapshot.writes
    assert b"c-nobody" not in p.states
    assert p.assessor.model == MODEL
