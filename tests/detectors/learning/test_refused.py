"""What must not teach a model anything: no number, no customer, no whole record. Each is refused with a reason."""

from __future__ import annotations

import json

import msgspec
import pytest

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
