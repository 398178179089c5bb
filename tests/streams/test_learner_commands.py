"""The learner's job when somebody steers it: what goes out at once, what is answered, and deaths in between."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
import pytest

from detectors.learning.examples import encode_example
from detectors.learning.models_shown import models_row
from detectors.rules import read_model_data
from schemas.insights_learned import decode_state
from schemas.journal import ModelChanged, decode_control
from schemas.model_commands import ModelCommand, Promote, Promotion, Release, Rollback, encode_command
from tests.detectors.learning.test_learner import turned, world
from tests.streams.engine.test_fetch import Record
from tests.streams.test_learner import HERE, RECORDS, SINCE_MS, Kept, job, learned, models


def among(records: list[Record], commands: Mapping[int, ModelCommand]) -> list[Record]:
    """Records with commands between them: each in front of the record whose number is given."""
    found = []
    for i, record in enumerate(records):
        if i in commands:
            found.append(Record(0, key=None, value=encode_command(commands[i])))
        found.append(record)
    return [record._replace(offset=offset) for offset, record in enumerate(found)]


AT = datetime(2026, 3, 1, tzinfo=UTC)
GO_BACK = Rollback(id="b-1", time=AT)
COMMANDED = among(
    RECORDS,
    {
        170: Promote(id="p-1", time=AT, data=Promotion(model="quick")),
        250: GO_BACK,
        251: GO_BACK,  # the same once more
        330: Release(id="r-1", time=AT),
        331: Promote(id="p-2", time=AT, data=Promotion(model="nobody")),
    },
)
STEERED = learned(COMMANDED)


def test_commands_hand_models_over_at_once_and_are_answered() -> None:
    versions = models(STEERED)
    kinds = [version.split("-")[:2] for version in versions]
    assert kinds == [["online", "91"], ["online", "161"], ["quick", "170"], ["quick", "231"], ["quick", "170"],
                     ["quick", "330"], ["quick", "371"]]  # fmt: skip
    assert versions[4] == versions[2]
    row = STEERED.rows_of["Models"][-1]
    assert [(a.id, a.refused == "", a.in_force) for a in row.answers] == [
        ("p-1", True, versions[2]),
        ("b-1", True, versions[2]),
        ("r-1", True, versions[5]),
        ("p-2", False, versions[5]),
    ]
    assert (row.in_force, row.chosen_by) == (versions[-1], "learner")
    assert [kept.version for kept in row.retained] == list(dict.fromkeys(versions))


@pytest.mark.parametrize("seed", range(6))
def test_what_is_steered_is_a_function_of_the_topic_wherever_a_worker_dies(seed: int) -> None:
    rng, kept = random.Random(seed), Kept()
    learning = job(kept)
    while kept.offset < len(COMMANDED):
        at = learning.position
        end = min(len(COMMANDED), at + rng.randrange(1, 60))
        learning.apply(HERE, COMMANDED[at:end], end)
        if rng.random() < 0.4 or end == len(COMMANDED):
            kept.take(learning.collect())
        if rng.random() < 0.3:
            learning = job(kept)
    assert models(kept) == models(STEERED)
    assert decode_state(kept.rows[-1]).learner == decode_state(STEERED.rows[-1]).learner
    assert kept.rows_of["Models"][-1] == STEERED.rows_of["Models"][-1]


def test_a_command_is_answered_before_any_model_was_handed_over() -> None:
    kept = Kept()
    learning = job(kept, save_s=30.0)
    learning.apply(HERE, among(RECORDS[:2], {1: GO_BACK}), 3)
    assert kept.take(learning.collect()) == 1
    (row,) = kept.rows_of["Models"]
    assert (row.in_force, row.decides, row.answers[0].refused) == (
        "",
        "rules",
        "there is no model before the one in force",
    )
    assert models(kept) == []


@pytest.mark.parametrize("command", [Promote(id="p-1", time=AT, data=Promotion(model="rules")), GO_BACK])
def test_behind_a_state_from_before_there_were_commands_the_catalogue_comes_back_when_asked_for(
    command: ModelCommand,
) -> None:
    """What is in force then is a learned model, though none is kept."""
    kept = learned(RECORDS)
    before = models(kept)
    state = decode_state(kept.rows[-1])
    stored = msgspec.json.decode(bytes(state.learner))
    del stored["served"]
    kept.rows = [msgspec.json.encode(msgspec.structs.replace(state, learner=msgspec.Raw(msgspec.json.encode(stored))))]
    learning = job(kept)
    row = models_row(learning.learner, 0)
    assert (row.in_force, row.decides) == (before[-1], "online")
    assert row.text.startswith(f"{before[-1]} is in force, handed over by an earlier release")
    learning.apply(HERE, [Record(400, key=None, value=encode_command(command))], 401)
    kept.take(learning.collect())
    prior = learning.learner.prior.version
    assert models(kept) == [*before, prior]
    row = kept.rows_of["Models"][-1]
    assert (row.in_force, row.decides, row.answers[-1].in_force) == (prior, "rules", prior)


@pytest.mark.parametrize("value", [None, b"", b"{}", b"\xff", b"[" * 100_000, encode_command(GO_BACK)[:60]])
def test_what_is_no_command_is_refused_and_what_is_in_force_stays(value: bytes | None) -> None:
    kept = Kept()
    learning = job(kept)
    learning.apply(HERE, RECORDS[:100], 100)
    before = learning.learner.model()
    learning.apply(HERE, [Record(100, key=None, value=value)], 101)
    assert learning.learner.model() == before
    assert learning.learner.refused == {"not a command": 1}
    assert learning.position == 101


def test_where_what_is_proven_does_not_hold_any_more_confidence_falls_at_once_and_an_insight_says_so() -> None:
    told = [*world(3_000), *turned(300)]
    records = [Record(i, SINCE_MS, value=encode_example(each)) for i, each in enumerate(told)]
    kept = Kept()
    learning = job(kept)
    learning.apply(HERE, records[:3_000], 3_000)
    learning.learner.served.out = msgspec.structs.replace(learning.learner.model(), proven=True)
    kept.take(learning.collect())
    before = len(models(kept))
    learning.due_s = 2**40  # no model is due
    learning.apply(HERE, records[3_000:], 3_300)
    kept.take(learning.collect())
    (control,) = [decode_control(value) for value in kept.journal[0][before:]]
    assert isinstance(control, ModelChanged)
    assert read_model_data(control.data, control.id).confidence == "learning"
    row = kept.rows_of["ModelDrift"][-1]
    assert row.error_before < row.error_after
    assert row.outcomes > 3_000
