"""Dead letters: which pass the filters, where each goes, and what is remembered of those that were sent."""

from __future__ import annotations

import random

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from schemas.deadletters import DeadLetter, Origin, Reason, Stage, dead_letter_headers
from schemas.journal_dump import JournalRecord
from streams.cli import main
from streams.commands.dlq import _shown
from streams.dead_letters import Filters, Found
from streams.dlq_replay import Memory, outgoing
from streams.failures import Failure
from streams.replayed import NOTE_BYTES_MAX, Runs

EVENT = b'{"specversion":"1.0","id":"1","source":"/s","type":"usage.feature.used","subject":"c-1"}'
CAME = [("ce_id", b"1"), ("churnish", b"\xff")]


def letter(
    topic: str = "t.billing.events", stage: Stage = "intake", reason: Reason = "not_json", value: bytes = b"{"
) -> Found:
    about = DeadLetter(
        reason=reason, detail="$: x", stage=stage, origin=Origin(topic, 3, 40, 7), attempts=1, app_version="1"
    )
    return Found(2, JournalRecord(17, b"k", value, 5_000, dead_letter_headers(CAME, about)), about)


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        (Filters(), True),
        (Filters(reasons=("not_json", "too_large")), True),
        (Filters(reasons=("too_large",)), False),
        (Filters(topics=("t.billing.events",), prefix="t."), True),
        (Filters(topics=("billing.events",), prefix="t."), True),
        (Filters(topics=("usage.events",), prefix="t."), False),
        (Filters(stage="detector"), False),
        (Filters(since_s=5.0, until_s=5.0), True),
        (Filters(since_s=5.1), False),
        (Filters(until_s=4.9), False),
    ],
)
def test_a_filter(filters: Filters, passes: bool) -> None:
    found = letter()
    assert filters.admit(found.letter, found.record.timestamp) is passes


def test_a_letter_of_intake_goes_back_as_it_came() -> None:
    out = outgoing(letter(), "t.")
    assert out is not None
    assert out[:4] == ("t.billing.events", b"k", b"{", CAME)


def test_a_letter_of_the_detector_goes_to_the_input_topic_of_its_type() -> None:
    out = outgoing(letter("t.churn.journal", "detector", "detector_failed", EVENT), "t.")
    assert out is not None
    assert out[:4] == ("t.usage.events", b"k", EVENT, CAME)


@pytest.mark.parametrize(
    "found",
    [
        letter("t.churn.journal"),
        letter("t.churn.alerts"),
        letter("billing.events"),
        letter("t.churn.journal", "detector", "detector_failed", b"{"),
        letter("t.churn.journal", "detector", "detector_failed", EVENT.replace(b"usage.feature", b"weather.rain")),
    ],
)
def test_nothing_but_an_input_topic_is_ever_written_to(found: Found) -> None:
    assert outgoing(found, "t.") is None


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8)), max_size=30), st.integers(0, 60))
def test_runs_are_a_set_of_offsets(steps: list[tuple[int, int]], below: int) -> None:
    runs, offsets = Runs(), set[int]()
    for first, length in steps:
        runs.add(first, first + length)
        offsets |= set(range(first, first + length + 1))
    assert {n for n in range(80) if n in runs} == offsets
    assert all(a[1] + 1 < b[0] for a, b in zip(runs.spans, runs.spans[1:], strict=False))
    assert Runs.read(runs.note()).spans == runs.spans
    runs.forget(below)
    assert {n for n in range(80) if n in runs} == {n for n in offsets if n >= below}


@pytest.mark.parametrize("note", ["", "hello", "eJwzAgAAMwAz", "eJwzUjAEAAFLAJc="])
def test_another_note_is_refused(note: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Runs.read(note)


def test_a_mark_between_two_letters_parts_no_run_and_a_letter_left_out_does() -> None:
    memory = Memory("dlq", {})
    memory.add(0, 3, None)
    memory.add(0, 6, 3)
    assert memory.runs[0].spans == [(3, 6)]
    memory.add(0, 9, 8)
    assert memory.runs[0].spans == [(3, 6), (9, 9)]
    memory.add(0, 8, 6)
    assert memory.has(0, 9, 8)
    assert memory.runs[0].spans == [(3, 9)]
    assert not memory.has(0, 10, 9)
    assert not memory.has(1, 3, None)


def test_only_what_changed_is_committed_and_what_does_not_fit_is_refused() -> None:
    memory = Memory("dlq", {1: Runs([(0, 5)])})
    memory.add(0, 3, None)
    ((tp, offset),) = memory.offsets().items()
    assert (tp.partition, offset.offset) == (0, 4)
    assert Runs.read(offset.metadata).spans == [(3, 3)]
    assert memory.offsets() == {}
    at, chance = 0, random.Random(1)
    for _ in range(20_000):
        at += chance.randrange(2, 99)
        memory.add(0, at, None)
    with pytest.raises(Failure, match=f"no longer fits in {NOTE_BYTES_MAX} bytes"):
        memory.offsets()


def test_what_is_shown_moves_no_cursor() -> None:
    assert _shown(b"a\x1b[2J\r\n{}") == "a\\x1b[2J\\r\n{}"
    assert _shown(b"\xff") == "(base64) /w=="
    assert _shown(None) == "(none)"


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (("show", "7"), "PARTITION:OFFSET"),
        (("list", "--reason", "bad_mood"), "'bad_mood' is none of not_json"),
        (("replay", "--rate", "0"), "rate above zero"),
    ],
)
def test_wrong_usage_is_said(args: tuple[str, ...], word: str) -> None:
    done = CliRunner().invoke(main, ["dlq", *args])
    assert done.exit_code == 2
    assert word in done.output


@pytest.mark.parametrize("args", [("list",), ("show", "0:1"), ("replay", "--dry-run"), ("replay",)])
def test_no_broker_is_one_line(args: tuple[str, ...]) -> None:
    done = CliRunner().invoke(main, ["dlq", *args, "--bootstrap", "127.0.0.1:1"])
    assert (done.exit_code, done.stderr.splitlines()[-1][:40]) == (1, "churnwatch: no Kafka broker answers at 1")
