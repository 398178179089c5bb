"""Which model is in force: by the learner's choice, by promotion, by going back; refusals, and restarts."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.learning.challengers import river_challengers
from detectors.learning.learner import Learner
from detectors.learning.served import ANSWERS, KEPT
from detectors.model import Model
from schemas.model_commands import (
    Leave,
    ModelCommand,
    Promote,
    Promotion,
    Release,
    Return,
    Rollback,
    decode_command,
    encode_command,
)
from tests.detectors.learning.test_learner import CRASHES, POLICY, PRIOR, SILENCE, example, later, taught, turned, world

NUMBER = count()
AT = datetime(2026, 3, 1, tzinfo=UTC)


def promote(name: str, **said: str) -> Promote:
    return Promote(id=said.pop("id", f"p{next(NUMBER)}"), time=AT, data=Promotion(model=name, **said))


def back(version: str | None = None, **said: str) -> Rollback:
    return Rollback(id=said.pop("id", f"b{next(NUMBER)}"), time=AT, data=Return(version=version, **said))


def release(command_id: str = "") -> Release:
    return Release(id=command_id or f"r{next(NUMBER)}", time=AT, data=Leave())


def handed(n: int = 3) -> tuple[Learner, list[Model]]:
    """A learner that has handed over so many models."""
    learner, models, examples = Learner(POLICY), [], world(80 * n)
    for i in range(n):
        taught(examples[80 * i : 80 * i + 80], learner)
        model = learner.hand_over(i + 1)
        assert model is not None
        models.append(model)
    return learner, models


def done(learner: Learner, command: ModelCommand) -> Model | None:
    """A command that is not refused, and the model that goes out with it."""
    refused, model = learner.obey(command)
    assert refused == ""
    return model


def test_the_last_good_model_comes_back_and_stays_whatever_is_learned() -> None:
    learner, (_, second, third) = handed()
    assert learner.served.in_force == third.version
    assert done(learner, back()) == second
    taught(turned(200), learner)
    assert learner.hand_over(9) is None
    assert learner.model() == second
    assert learner.champion == "online"


def test_going_back_again_goes_further_and_in_the_end_to_the_catalogue() -> None:
    learner, (first, second, _) = handed()
    assert [done(learner, back()) for _ in range(3)] == [second, first, PRIOR]
    assert learner.obey(back()) == ("there is no model before the one in force", None)
    assert learner.model() == PRIOR
    assert learner.model().confidence == "rules"


def test_what_somebody_went_back_behind_is_passed_over_and_can_be_named() -> None:
    learner, (_, second, third) = handed()
    done(learner, back())
    taught(later(world(50, 3), 50), learner)
    fourth = done(learner, release())
    assert fourth not in (None, second, third)
    assert done(learner, back()) == second
    assert done(learner, back(third.version)) == third
    taught(later(world(50, 3), 90), learner)
    done(learner, release())
    assert done(learner, back()) == third


def test_a_release_lets_the_learner_choose_again_and_hands_over_at_once() -> None:
    learner, (_, second, _) = handed()
    done(learner, back())
    taught(later(world(80, 3)), learner)
    model = done(learner, release())
    assert model is not None
    assert model.examples == 320
    assert model != second
    assert learner.served.by == "learner"


def test_a_promotion_holds_against_the_learners_own_choice() -> None:
    learner = taught(world(1_500))
    learner.hand_over(1)
    done(learner, promote("online"))
    taught(turned(400), learner)
    assert learner.champion == "online"  # `quick` is better, and would have taken over
    done(learner, release())
    taught(turned(200, 8, 200), learner)
    assert learner.champion == "quick"


def test_a_promotion_hands_over_the_other_model_at_once() -> None:
    learner, _ = handed()
    model = done(learner, promote("quick"))
    assert model is not None
    assert model.version.startswith("quick-240-")
    assert learner.decides == "quick"
    assert done(learner, promote("rules")) == PRIOR
    assert done(learner, back()) == model


def test_before_any_model_a_promotion_is_kept_for_later_and_there_is_nothing_to_go_back_to() -> None:
    learner = Learner(POLICY)
    assert done(learner, promote("quick")) is None
    assert learner.obey(back()) == ("there is no model before the one in force", None)
    taught(world(200), learner)
    model = learner.hand_over(1)
    assert model is not None
    assert model.version.startswith("quick-")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (promote("onlien"), "no model of this name"),
        (promote("river.tree"), "only scored"),
        (back("online-1-00000000"), "no model of this version"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason_and_changes_nothing(command: ModelCommand, said: str) -> None:
    examples = world(200)
    learner = taught(examples, Learner(POLICY, river_challengers()))
    learner.hand_over(1)
    before = learner.snapshot()
    refused, model = learner.obey(command)
    assert said in refused
    assert model is None
    (answer,) = learner.served.answers
    assert (answer.id, answer.refused) == (command.id, refused)
    learner.served.answers = []
    assert learner.snapshot() == before


def test_a_command_counts_once() -> None:
    learner, (first, second, _) = handed()
    command = back()
    assert done(learner, command) == second
    before = learner.snapshot()
    assert learner.obey(command) == ("this command was answered before", None)
    assert learner.snapshot() == before
    assert done(learner, back()) == first


def test_a_kept_model_that_detectors_would_refuse_does_not_come_back() -> None:
    learner, (_, second, _) = handed()
    learner.served.kept[1].model = msgspec.structs.replace(second, weights={})
    before = learner.served.in_force
    refused, model = learner.obey(back())
    assert "detectors of this release would refuse it" in refused
    assert (model, learner.served.in_force) == (None, before)


def test_a_model_that_came_back_loses_its_confidence_where_the_world_has_moved() -> None:
    learner = taught(world(3_000))
    first = learner.hand_over(1)
    assert first is not None
    assert first.confidence == "proven"
    taught(later(world(50, 3), 50), learner)
    learner.hand_over(2)
    assert done(learner, back()) == first
    taught(later(world(300, 4), 60), learner)  # of its error there is something to compare with
    taught(turned(300), learner)
    assert learner.is_overrated
    lowered = learner.hand_over(3)
    assert lowered == msgspec.structs.replace(first, proven=False)
    assert learner.hand_over(4) is None


@pytest.mark.parametrize("command", [promote("rules"), back(PRIOR.version)])
def test_that_somebody_lets_a_worse_model_decide_is_no_drift_of_the_world(command: ModelCommand) -> None:
    told = [example(i, left=i % 10 == 0, values={SILENCE: 1_000 * (i % 10 > 0), CRASHES: 1}) for i in range(900)]
    learner = Learner(POLICY)
    for each in told[:600]:
        learner.learn(each)
    learner.hand_over(1)
    assert done(learner, command) == PRIOR  # which takes silence for a sign of leaving
    for each in told[600:]:
        learner.learn(each)
    assert (learner.drifts, learner.is_drifting) == ([], False)


COMMANDS = st.sampled_from(
    ["promote online", "promote quick", "promote rules", "promote x", "back", "release", "learn"]
)


@settings(max_examples=25, deadline=None)
@given(said=st.lists(COMMANDS, max_size=14), cut=st.integers(0, 14))
def test_a_restart_anywhere_among_commands_changes_nothing_and_what_is_kept_is_bounded(
    said: list[str], cut: int
) -> None:
    whole, parted, examples = Learner(POLICY), Learner(POLICY), iter(world(60 + 20 * 14))
    for each in [next(examples) for _ in range(60)]:
        whole.learn(each)
        parted.learn(each)
    for i, name in enumerate(said):
        if i == cut:
            state, parted = parted.snapshot(), Learner(POLICY)
            parted.restore(state)
        if name == "learn":
            for each in [next(examples) for _ in range(20)]:
                whole.learn(each)
                parted.learn(each)
            assert whole.hand_over(i) == parted.hand_over(i)
            continue
        word, _, kind = name.partition(" ")
        command: ModelCommand = back() if word == "back" else release() if word == "release" else promote(kind)
        found = whole.obey(command)
        assert parted.obey(decode_command(encode_command(command))) == found
        if found[1] is not None:
            assert whole.model() == found[1] == whole.served.out
    assert parted.snapshot() == whole.snapshot()
    assert len(whole.served.kept) <= KEPT
    assert len(whole.served.answers) <= ANSWERS


@pytest.mark.parametrize(
    "value",
    [
        b"{}",
        b'{"type":"churn.model.promote.v1","id":"","time":"2026-01-01T00:00:00Z","data":{"model":"online"}}',
        b'{"type":"churn.model.promote.v1","id":"1","time":"2026-01-01T00:00:00Z","data":{}}',
        b'{"type":"churn.model.promote.v1","id":"1","time":"2026-01-01T00:00:00","data":{"model":"online"}}',
        b'{"type":"churn.model.delete.v1","id":"1","time":"2026-01-01T00:00:00Z"}',
        b'{"type":"churn.model.rollback.v1","id":"1","time":"2026-01-01T00:00:00Z","data":{"version":""}}',
        b'{"type":"churn.model.release.v1","id":"1","time":"2026-01-01T00:00:00Z"',
    ],
)
def test_what_is_no_command_does_not_decode(value: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_command(value)
