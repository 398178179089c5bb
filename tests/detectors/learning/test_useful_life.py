"""How long the product is of use: learned as the age by which half have left, and read where policy asks for it."""

from __future__ import annotations

import math
import random

import msgspec
import pytest

from detectors.customer import load
from detectors.learning.learner import Learner
from detectors.learning.lives import Life
from detectors.learning.stops import Lives
from detectors.learning.stops_shown import survival_rows
from detectors.model import Model
from detectors.partition import Partition
from detectors.policy import Policy
from detectors.policy_text import parse_policy
from detectors.rules import RefusedRulesError, read_model_data
from detectors.signals import CATALOGUE
from tests.detectors.learning.test_stops import NOW_S, started, stretch, uses
from tests.detectors.lives import MODEL, POLICY, event, records, tick

LEARNED = parse_policy("[life]\nlearned = true\nlearned_least = 50\n")
NAMED = parse_policy("[life]\nlearned = true\nlearned_least = 50\n[life.useful_life_d_by_plan]\npro = 2000\n")
OPTIMUM = CATALOGUE["lifecycle.past_optimum"].number
HAZARD = 0.04  # a week


def world(policy: Policy, n: int = 400, seed: int = 3) -> Lives:
    """Customers of two plans, of whom a twenty-fifth leaves each week, and hardly anybody."""
    rng, found = random.Random(seed), Lives()
    for i in range(n):
        plan, hazard = ("pro", HAZARD) if i % 2 else ("rare", HAZARD / 40)
        for week in range(60):
            gone = rng.random() < hazard
            found.add(Life(week * 7, 7, 3 if gone else None, week * 7, "active"), (f"plan:{plan}",), policy)
            if gone:
                break
    return found


def test_half_of_a_plan_have_left_by_the_age_that_is_learned_and_a_plan_of_few_leavers_has_none() -> None:
    found = world(LEARNED)
    assert found.learned_d.keys() == {"pro"}  # of all together more than half stay
    assert found.learned_d["pro"] == pytest.approx(7 * math.log(2) / -math.log(1 - HAZARD), rel=0.2)
    by = {row.group: (row.expected_d, row.expected_by) for row in survival_rows(found, LEARNED, NOW_S)}
    assert by["plan:pro"] == (found.learned_d["pro"], "learned")
    assert by["plan:rare"] == (1_095.0, "policy")


def test_a_number_that_policy_names_stays_and_without_its_word_nothing_is_learned() -> None:
    by = {row.group: (row.expected_d, row.expected_by) for row in survival_rows(world(NAMED), NAMED, NOW_S)}
    assert by["plan:pro"] == (2_000.0, "policy")
    assert world(POLICY).learned_d == {}


def test_the_model_carries_it_and_a_restart_goes_on_with_it() -> None:
    learner = Learner(LEARNED)
    for i in range(300):
        gone = 3 if i % 3 == 0 else None
        learner.learn(stretch(i, Life(i % 10 * 7, 7, gone, 7, "active"), left=gone is not None))
    learned_d = learner.lives.learned_d
    assert learned_d.keys() == {"", "pro"}
    model = learner.model()
    assert model.useful_life_d == learned_d
    assert read_model_data(msgspec.json.encode(model), model.version) == model
    again = Learner(LEARNED)
    again.restore(learner.snapshot())
    assert again.model() == model
    other = Learner(LEARNED)
    other.restore(learner.snapshot())
    other.lives.learned_d = {}
    assert other.model().version != model.version


def strength(policy: Policy, model: Model) -> float:
    """Of the signal, of one who has used plan pro for 100 days, at the invoice that follows."""
    partition = Partition(0, {}, policy, model)
    bill = event("billing.invoice.issued", 101, invoice_id="i", amount=50.0)
    partition.feed(records([started(), *uses(1, 102), *map(tick, range(1, 101)), bill, tick(102)]))
    partition.snapshot()
    return load(partition.states[b"c-1"]).strengths.get(OPTIMUM, 0.0)


def test_the_signal_reads_what_the_model_brings_only_where_policy_asks_for_it() -> None:
    model = msgspec.structs.replace(MODEL, version="m", useful_life_d={"pro": 100.0, "": 900.0})
    assert strength(LEARNED, model) == pytest.approx(0.5, abs=0.05)  # 0.8 to 1.2 times what is expected
    assert strength(LEARNED, msgspec.structs.replace(model, useful_life_d={"": 90.0})) > 0.6
    assert strength(LEARNED, MODEL) == strength(POLICY, model) == strength(NAMED, model) == 0.0


@pytest.mark.parametrize("days", [0.0, -1.0, 1e9])
def test_a_life_that_cannot_be_meant_is_refused(days: float) -> None:
    model = msgspec.structs.replace(MODEL, useful_life_d={"pro": days})
    with pytest.raises(RefusedRulesError, match="useful_life_d"):
        read_model_data(msgspec.json.encode(model), model.version)
