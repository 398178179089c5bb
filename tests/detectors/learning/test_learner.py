"""The learner: refusals, honesty about its skill, promotion, drift, restart."""

from __future__ import annotations

import math
import random
from itertools import count, pairwise
from typing import Any

import msgspec
import pytest
from river.drift import ADWIN

from detectors.learning.challengers import RiverChallenger, river_challengers
from detectors.learning.drift import Adwin
from detectors.learning.examples import Example, decode_example, encode_example
from detectors.learning.learner import Learner
from detectors.learning.models_shown import drift_row, features_row
from detectors.learning.space import NAMES, SPACE, Answers, named
from detectors.model import Model, probability
from detectors.policy import Policy
from detectors.rules import read_model_data
from detectors.signals import CATALOGUE

POLICY = Policy()
PRIOR = Model.prior(POLICY)
NUMBERS = {code: signal.number for code, signal in CATALOGUE.items()}
SILENCE, CRASHES = NUMBERS["value.silence"], NUMBERS["tech.crashes"]
WEEK_S = 7 * 86_400


def example(number: int, *, left: bool, values: dict[int, int] | None = None, **said: Any) -> Example:
    known: dict[str, Any] = {
        "customer_id": f"c-{number}",
        "landmark_s": 1_000_000_000 + number // 50 * WEEK_S,
        "space": SPACE,
        "probability": 0.1,
        "values": {SILENCE: 500} if values is None else values,
        "left": left,
    }
    return Example(**{**known, **said})


def world(n: int, seed: int = 1, *, shuffled: bool = False) -> list[Example]:
    """Outcomes in which crashes make people leave and silence means they stay; or nothing means anything."""
    rng = random.Random(seed)
    drawn = []
    for _ in range(n):
        values = {at: rng.randrange(1, 1_001) for at in (SILENCE, CRASHES) if rng.random() < 0.6} or {SILENCE: 1}
        z = -2.0 + (3.0 * values.get(CRASHES, 0) - 3.0 * values.get(SILENCE, 0)) / 1_000
        drawn.append((values, rng.random() < probability(z)))
    labels = [left for _, left in drawn]
    if shuffled:
        rng.shuffle(labels)
    return [
        example(i, left=left, values=values) for i, ((values, _), left) in enumerate(zip(drawn, labels, strict=True))
    ]


def taught(examples: list[Example], learner: Learner | None = None) -> Learner:
    """A learner whose own model gives the probabilities, as detectors would."""
    learner = learner or Learner(POLICY)
    for i in range(0, len(examples), 50):
        model = learner.model()
        answers = Answers(model, {NUMBERS[code]: weight for code, weight in model.weights.items()})
        for each in examples[i : i + 50]:
            given = msgspec.structs.replace(each, probability=answers.give(each.values, each.segments))
            assert learner.learn(given) is None
    return learner


def test_before_any_outcome_the_model_is_the_prior() -> None:
    assert Learner(POLICY).model() == PRIOR
    assert Learner(POLICY).model().confidence == "rules"


def test_outcomes_turn_a_prior_and_prove_skill() -> None:
    learner = taught(world(3_000))
    model = learner.model()
    assert model.weights["value.silence"] < 0 < model.weights["tech.crashes"]
    assert model.confidence == "proven"
    assert read_model_data(msgspec.json.encode(model), model.version) == model


def test_while_few_leave_outcomes_say_how_many_and_nobody_overtakes_anybody() -> None:
    rng = random.Random(5)
    drawn = [
        {at: rng.randrange(1, 1_001) for at in (SILENCE, CRASHES) if rng.random() < 0.6} or {SILENCE: 1}
        for _ in range(400)
    ]
    learner = taught([example(i, left=i % 100 == 50, values=values) for i, values in enumerate(drawn)])
    assert learner.left < POLICY.learning.start_left
    model, prior = learner.model(), Model.prior(POLICY)
    assert (model.confidence, model.version.split("-")[0]) == ("learning", "level")
    named_values = [named(values, ()) for values in drawn]
    given = [model.give(values) for values in named_values]
    before = [prior.give(values) for values in named_values]
    assert sum(before) / len(before) > 0.06
    assert sum(given) / len(given) < 0.025  # one in a hundred left
    order = sorted(range(len(drawn)), key=lambda i: (before[i], i))
    assert all(given[a] <= given[b] + 1e-12 for a, b in pairwise(order))
    again = Learner(POLICY)
    again.restore(learner.snapshot())
    assert again.model() == model


def test_of_those_who_leave_by_silence_what_is_believed_counts_from_the_first_outcome_on() -> None:
    at = {name: number for number, name in NAMES.items()}
    values = {at["orders.only"]: 1_000, at["orders.quiet_ahead"]: 1_500}
    learner = taught([example(i, left=i > 0, values=values) for i in range(4)])
    assert Model.prior(POLICY).give(named(values, ())) < 0.1
    assert 0.7 < learner.model().give(named(values, ())) < 0.95
    again = Learner(POLICY)
    again.restore(learner.snapshot())
    assert again.model() == learner.model()


@pytest.mark.parametrize("seed", range(5))
def test_noise_in_gives_no_skill_out(seed: int) -> None:
    learner = taught(world(3_000, seed, shuffled=True))
    skill = learner.evidence.skill(30 / 7)
    assert skill is not None
    assert skill.low < 0.5 < skill.high
    assert learner.model().confidence == "learning"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"space": SPACE + 1}, "features of another version"),
        ({"values": {99_999: 1}}, "an unknown feature"),
        ({"values": {}}, "no features"),
        ({"values": {SILENCE: 10**12}}, "not a finite number"),
        ({"probability": float("nan")}, "not a probability"),
        ({"probability": 1.5}, "not a probability"),
    ],
)
def test_what_cannot_be_learned_from_is_refused_with_a_reason(said: dict[str, Any], reason: str) -> None:
    learner = taught(world(200))
    before, model = learner.snapshot(), learner.model()
    assert learner.learn(example(9_999, left=True, **said)) == reason
    assert learner.refused == {reason: 1}
    learner.refused.clear()
    assert (learner.snapshot(), learner.model()) == (before, model)


def test_a_second_label_for_one_example_is_refused() -> None:
    learner = taught(world(200))
    once = example(9_999, left=True)
    assert learner.learn(once) is None
    before = learner.model()
    assert learner.learn(msgspec.structs.replace(once, left=False)) == "a second label"
    assert learner.model() == before


@pytest.mark.parametrize(
    "line", [b'{"customer_id":"c","landmark_s":1}', b'{"customer_id":"c"', b"[]", b'{"customer_id":"","landmark_s":1}']
)
def test_a_truncated_example_does_not_decode(line: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_example(line)


def test_a_restart_resumes_the_same_model_bit_for_bit() -> None:
    examples = world(900)
    whole = taught(examples)
    first = taught(examples[:450])
    second = Learner(POLICY)
    second.restore(first.snapshot())
    assert second.snapshot() == first.snapshot()
    assert second.model() == first.model()
    taught(examples[450:], second)
    assert second.snapshot() == whole.snapshot()


def test_a_state_from_before_groups_were_counted_is_read_and_counts_from_then_on() -> None:
    examples = world(900)
    before = taught(examples[:450])
    stored = msgspec.json.decode(before.snapshot())
    del stored["grades"], stored["reasons"]
    learner = Learner(POLICY)
    learner.restore(msgspec.json.encode(stored))
    assert (learner.model(), learner.grades.groups) == (before.model(), {})
    taught(examples[450:], learner)
    assert learner.model() == taught(examples).model()
    assert learner.grades.grade("all", 1.0, 0.1).outcomes == 450


def test_a_state_from_before_there_were_commands_is_read_as_it_was() -> None:
    learner = taught(world(200))
    learner.hand_over(1)
    stored = msgspec.json.decode(learner.snapshot())
    for name in ("served", "drifts", "first_s", "last_s"):
        del stored[name]
    for score in stored["scores"].values():
        for name in ("compared", "weight", "gain", "squares"):
            del score[name]
    again = Learner(POLICY)
    again.restore(msgspec.json.encode(stored))
    assert again.model() == learner.model()
    assert (again.learned, again.champion) == (200, "online")
    assert again.hand_over(2) == again.model()


@pytest.mark.parametrize("cut", [0, 1, 50, -1])
def test_a_truncated_state_is_refused_and_changes_nothing(cut: int) -> None:
    learner = taught(world(100))
    state = learner.snapshot()
    with pytest.raises(ValueError, match="not a state"):
        learner.restore(state[:cut])
    assert learner.snapshot() == state


def test_the_same_examples_give_the_same_model() -> None:
    assert taught(world(500)).snapshot() == taught(world(500)).snapshot()


def test_challengers_are_scored_beside_it_and_change_nothing() -> None:
    examples = world(400)
    alone, watched = taught(examples), taught(examples, Learner(POLICY, river_challengers()))
    assert alone.model() == watched.model()
    asked = {name: score.asked for name, score in watched.scores.items()}
    assert asked["river.tree"] == asked["river.logistic"] == 400 / POLICY.learning.challenge_every
    said = watched.report()
    assert said["log_loss_by_model"].keys() > {"online", "quick", "rules", "river.tree"}
    assert said["log_loss"] > said["log_loss_by_model"]["online"]


class Faulty:
    """A classifier that fails at whatever it is asked or told."""

    def predict_proba_one(self, values: dict[str, float]) -> dict[bool, float]:
        raise ZeroDivisionError(len(values))

    def learn_one(self, values: dict[str, float], left: bool) -> None:
        raise KeyError(len(values), left)


def test_a_challenger_that_fails_begins_anew_and_stops_nobody() -> None:
    examples, made = world(40), count()
    learner = taught(examples, Learner(POLICY, {"faulty": RiverChallenger(lambda: (next(made), Faulty())[1])}))
    assert learner.model() == taught(examples).model()
    asked = 40 // POLICY.learning.challenge_every
    score = learner.scores["faulty"]
    assert score.asked == asked
    assert score.loss == pytest.approx(asked * math.log(2))  # 0.5 each time
    assert next(made) == 1 + 2 * asked


def later(examples: list[Example], weeks: int = 100) -> list[Example]:
    """The same after so many weeks: other examples."""
    return [msgspec.structs.replace(each, landmark_s=each.landmark_s + weeks * WEEK_S) for each in examples]


def turned(n: int, seed: int = 7, weeks: int = 100) -> list[Example]:
    """The world later, where everything means the opposite."""
    return [msgspec.structs.replace(each, left=not each.left) for each in later(world(n, seed), weeks)]


def test_where_the_world_turns_the_model_that_forgets_faster_takes_over_by_itself() -> None:
    learner = taught(world(1_500))
    assert learner.champion == "online"
    taught(turned(400), learner)
    assert learner.champion == "quick"
    assert learner.model().version.startswith("quick-")


def test_a_drift_lowers_the_confidence_for_a_while() -> None:
    learner = taught(world(3_000))
    assert learner.model().confidence == "proven"
    learner.hand_over(1)
    taught(turned(300), learner)
    assert learner.is_drifting
    assert learner.model().confidence == "learning"
    overrated = learner.is_overrated
    assert learner.hand_over(2) == learner.model()
    assert (overrated, learner.is_overrated) == (True, False)
    found = learner.drifts[0]
    assert found.before < found.after
    row = drift_row(found, POLICY.churn.horizon_days)
    assert (row.error_before, row.error_after, row.outcomes) == (found.before, found.after, found.learned)


def test_a_feature_that_moves_is_named_with_how_far() -> None:
    """What used to be 0.2 is 0.8: the signal is named, and no other."""
    learner = Learner(POLICY)
    for i in range(6_000):
        level = 200 if i < 4_800 else 800
        learner.drift.add({"tech.crashes": (level + i % 100) / 1_000, "value.silence": i % 100 / 100})
    row = features_row(learner, 0)
    (moved,) = row.features
    assert (moved.feature, moved.meaning) == ("tech.crashes", "strength of the signal tech.crashes")
    assert moved.usual < 0.5 < 0.6 < moved.newest
    assert moved.shift_sd == pytest.approx(1.0, abs=0.1)
    assert "tech.crashes (+" in row.text


def test_adwin_finds_what_rivers_finds() -> None:
    rng = random.Random(1)
    values = [min(1.0, max(0.0, rng.gauss(0.3 if i < 2_000 else 0.45, 0.1))) for i in range(4_000)]
    ours = Adwin()
    theirs: Any = ADWIN(delta=0.002)  # type: ignore[no-untyped-call]
    found: tuple[list[int], list[int]] = ([], [])
    for i, value in enumerate(values):
        if ours.add(value):
            found[0].append(i)
        theirs.update(value)
        if theirs.drift_detected:
            found[1].append(i)
    assert found[0]
    assert abs(found[0][0] - found[1][0]) <= 64
    assert min(found[0]) > 2_000 < min(found[1])


def test_an_example_keeps_its_names_and_its_bytes() -> None:
    each = world(1)[0]
    assert decode_example(encode_example(each)) == each
    assert set(each.values) <= NAMES.keys()
