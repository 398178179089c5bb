"""The online model: starts from what is believed, turns any sign, resumes bit for bit."""

from __future__ import annotations

import math
import random

import msgspec
import pytest

from detectors.learning.beliefs import beliefs_of
from detectors.learning.online import OnlineLogistic, StoredBelief
from detectors.model import Model, probability
from detectors.policy import Policy

POLICY = Policy()
BELIEFS = beliefs_of(Model.prior(POLICY))
CODES = sorted(POLICY.signals)


def lesson(rng: random.Random, code: str, odds: float) -> tuple[dict[str, float], bool]:
    """One outcome of a world in which a signal at full strength adds these log-odds to a tenth who leave."""
    values = {name: rng.random() for name in rng.sample(CODES, 5) if name != code}
    values[code] = float(rng.random() < 0.5)
    return values, rng.random() < probability(-2.2 + odds * values[code])


def after(model: OnlineLogistic, lessons: list[tuple[dict[str, float], bool]]) -> OnlineLogistic:
    for day, (values, left) in enumerate(lessons):
        model.passed(1_000_000_000 + day * 43_200)
        model.learn(values, left)
    return model


def test_it_starts_from_the_priors_of_the_catalogue() -> None:
    model, prior = OnlineLogistic(BELIEFS), Model.prior(POLICY)
    strengths = dict.fromkeys(CODES, 0.5)
    expected = prior.intercept + 0.5 * math.fsum(prior.weights.values())
    assert model.log_odds(strengths) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("code", CODES)
def test_any_sign_turns_within_a_few_hundred_outcomes(code: str) -> None:
    prior = POLICY.signals[code].prior
    rng = random.Random(code)
    against = -math.copysign(2.0, prior)
    model = after(OnlineLogistic(BELIEFS), [lesson(rng, code, against) for _ in range(400)])
    assert model.weights()[code] * prior < 0


def test_it_resumes_bit_for_bit() -> None:
    rng = random.Random(1)
    lessons = [lesson(rng, rng.choice(CODES), 1.0) for _ in range(300)]
    whole = after(OnlineLogistic(BELIEFS), lessons)
    first = after(OnlineLogistic(BELIEFS), lessons[:137])
    stored = msgspec.json.decode(msgspec.json.encode(first.snapshot()), type=StoredBelief)
    second = OnlineLogistic(BELIEFS)
    second.restore(stored)
    assert second.snapshot() == first.snapshot()
    for day, (values, left) in enumerate(lessons[137:], start=137):
        second.passed(1_000_000_000 + day * 43_200)
        second.learn(values, left)
    assert second.snapshot() == whole.snapshot()


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_changes_nothing(number: float) -> None:
    model = after(OnlineLogistic(BELIEFS), [lesson(random.Random(2), "value.silence", 1.0)])
    before = model.snapshot()
    with pytest.raises(ValueError, match="finite"):
        model.learn({"value.silence": number}, True)
    assert model.snapshot() == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"covariance": []}, "truncated"),
        ({"means": []}, "truncated"),
        ({"names": []}, "intercept first"),
        ({"names": ["", ""], "means": [0.0, 0.0], "covariance": [1.0, 0.0, 1.0]}, "each once"),
        ({"means": [math.nan]}, "finite"),
    ],
)
def test_a_state_that_is_not_whole_is_refused_and_changes_nothing(change: dict[str, object], reason: str) -> None:
    model = OnlineLogistic(BELIEFS)
    before = model.snapshot()
    with pytest.raises(ValueError, match=reason):
        model.restore(msgspec.convert({**before, **change}, StoredBelief))
    assert model.snapshot() == before


def test_what_is_learned_again_and_again_stays_learnable() -> None:
    """The belief does not become so narrow that a world that has changed is not seen."""
    rng = random.Random(3)
    model = after(OnlineLogistic(BELIEFS), [lesson(rng, "value.silence", 2.0) for _ in range(3_000)])
    assert model.weights()["value.silence"] > 1.0
    for day in range(3_000, 6_000):
        values, left = lesson(rng, "value.silence", -2.0)
        model.passed(1_000_000_000 + day * 43_200)
        model.learn(values, left)
    assert model.weights()["value.silence"] < 0.0
