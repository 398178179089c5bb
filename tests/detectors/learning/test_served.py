"""A learned model where it decides: exact parts, finite features, and refusals that leave the last good one."""

from __future__ import annotations

import math
import random
from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.assess import Assessor
from detectors.customer import Customer, dump, load
from detectors.learning.features import FEATURES, plain
from detectors.learning.rest import unknown
from detectors.learning.space import NAMES, Answers, frozen
from detectors.lifecycle import judge
from detectors.model import Model, log_odds_of, probability
from detectors.partition import Partition
from detectors.policy import AlertPolicy, Policy
from detectors.records import DEAD
from detectors.rules import RefusedRulesError, read_model_data
from detectors.signals import CATALOGUE, Moment
from schemas.journal import MODEL_TYPE
from tests.detectors.lives import DAY_S, START_S, at, event, fold, records, tick
from tests.streams.test_replay import EVENTS

POLICY = Policy()


def learned(seed: int = 1) -> Model:
    """A model with a weight for everything."""
    rng = random.Random(seed)
    names = [*(feature.name for feature in FEATURES), *map(unknown, sorted(POLICY.signals)), "plan:pro"]
    return Model(
        f"test-{seed}",
        -2.5,
        {code: rng.uniform(-1, 1) for code in POLICY.signals},
        1_000,
        {name: rng.uniform(-0.3, 0.3) for name in names},
        {feature.name: rng.uniform(-1, 1) for feature in FEATURES if feature.speaks_for},
    )


LIVES: dict[bytes, Customer] = {
    key: load(state) for key, state in fold([*EVENTS, tick(200)])[0].states.items() if key.startswith(b"c-")
}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("key", sorted(LIVES))
def test_the_parts_add_up_to_the_probability(key: bytes, seed: int) -> None:
    model = learned(seed)
    assessor, moment = Assessor(POLICY, model), Moment(POLICY, START_S + 150 * DAY_S, START_S + 149 * DAY_S)
    c = load(dump(LIVES[key]))
    p = assessor.refresh(c, moment, assessor.all)
    parts = assessor.contributions(c)
    raised = math.fsum(share for number, share in c.rest_shares.items() if number in c.strengths)
    assert set(parts) == set(c.strengths)
    assert probability(c.rest - raised + math.fsum(parts.values())) == pytest.approx(p, abs=1e-12)
    values = frozen(c, moment.now_s, POLICY)
    groups = [f"plan:{c.plan}"] if c.plan else []
    assert Answers(model, assessor.weights).give(values, groups) == pytest.approx(p, abs=0.01)


def test_reasons_are_signals_whatever_the_features_say() -> None:
    assessor, moment = Assessor(POLICY, learned()), Moment(POLICY, START_S + 150 * DAY_S, START_S + 149 * DAY_S)
    for c in LIVES.values():
        look = load(dump(c))
        assessor.refresh(look, moment, assessor.all)
        reasons = assessor.reasons(look, moment)
        assert {reason.code for reason in reasons} <= POLICY.signals.keys()
        assert [r.contribution for r in reasons] == sorted((r.contribution for r in reasons), reverse=True)


def test_a_signal_that_a_model_has_turned_round_adds_up_and_is_no_reason() -> None:
    """What protects is told with a minus and what harms with a plus, or not at all."""
    moment, turned = Moment(POLICY, START_S + 150 * DAY_S, START_S + 149 * DAY_S), 0
    for seed, c in product(range(8), LIVES.values()):
        assessor, look = Assessor(POLICY, learned(seed)), load(dump(c))
        assessor.refresh(look, moment, assessor.all)
        codes = {number: row.signal.code for number, row in assessor.by_number.items()}
        odd = {codes[n] for n, share in assessor.contributions(look).items() if assessor.is_odd(n, share)}
        reasons = assessor.reasons(look, moment)
        turned += len(odd)
        assert odd.isdisjoint(reason.code for reason in reasons)
        assert all(reason.contribution * POLICY.signals[reason.code].prior > 0 for reason in reasons)
        assert assessor.first_reason(look) == (reasons[0].number if reasons and reasons[0].contribution > 0 else 0)
    assert turned


def test_the_prior_costs_nothing_and_leaves_no_mark() -> None:
    assessor = Assessor(POLICY, Model.prior(POLICY))
    c = load(dump(LIVES[b"c-1"]))
    assessor.refresh(c, Moment(POLICY, START_S + 150 * DAY_S, START_S), assessor.all)
    assert (c.rest, c.rest_shares, c.rest_read) == (0.0, {}, 0)


def test_every_feature_is_named_once_and_documented() -> None:
    assert len({feature.name for feature in FEATURES}) == len(FEATURES)
    assert all(feature.doc for feature in FEATURES)
    assert {feature.speaks_for for feature in FEATURES} - {""} <= POLICY.signals.keys()


@given(
    days=st.lists(st.integers(-400, 400), max_size=50),
    bought=st.lists(st.tuples(st.integers(-400, 400), st.floats(0, 1e9)), max_size=12),
    mrr=st.none() | st.floats(0, 1e12),
    now=st.integers(-1_000, 1_000),
)
def test_every_feature_is_finite_whatever_the_history_and_the_time(
    days: list[int], bought: list[tuple[int, float]], mrr: float | None, now: int
) -> None:
    values = [event("usage.session.started", day, id=f"s{i}") for i, day in enumerate(days)]
    values += [
        event("billing.order.placed", day, id=f"o{i}", order_id="o", amount=x) for i, (day, x) in enumerate(bought)
    ]
    if mrr is not None:
        values.append(event("billing.subscription.started", 0, plan="p", mrr=mrr))
    state = fold(values)[0].states.get(b"c-1")
    c = load(state) if state is not None else Customer()
    found = plain(c, START_S + now * DAY_S, POLICY)
    assert all(math.isfinite(value) for value in found.values())
    assert all(abs(value) < 50 for value in found.values())


def sent(data: Any, version: str = "test-1") -> bytes:
    """The journal's record of a model."""
    return msgspec.json.encode(
        {
            "type": MODEL_TYPE,
            "specversion": "1.0",
            "id": version,
            "source": "/churnwatch/learner",
            "time": at(10),
            "data": data,
        }
    )


def test_a_model_from_the_journal_decides_from_its_record_on() -> None:
    partition = Partition(0, {}, POLICY, Model.prior(POLICY))
    partition.feed(records([*EVENTS[:40], sent(msgspec.to_builtins(learned())), tick(200)]))
    assert partition.assessor.model == learned()


BROKEN: dict[str, Any] = {
    "truncated": {"version": "m"},
    "no_signals": {**msgspec.to_builtins(learned()), "weights": {}},
    "one_signal_less": {**msgspec.to_builtins(learned()), "weights": dict(list(learned().weights.items())[1:])},
    "too_large": {**msgspec.to_builtins(learned()), "intercept": 1e300},
    "a_word": {**msgspec.to_builtins(learned()), "features": {"use.recency": "NaN"}},
    "nothing": None,
    "no_share": {**msgspec.to_builtins(learned()), "base_rate": 1.0},
    "negative": {**msgspec.to_builtins(learned()), "examples": -1},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_model_that_is_not_whole_is_refused_and_the_last_good_one_stays(name: str) -> None:
    partition = Partition(0, {}, POLICY, Model.prior(POLICY))
    partition.feed(
        records([sent(msgspec.to_builtins(learned())), sent(BROKEN[name], (BROKEN[name] or {}).get("version", "m"))])
    )
    assert partition.assessor.model == learned()
    assert len(partition.snapshot().writes[DEAD]) == 1


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e999", b"-1e999"])
def test_a_number_that_is_not_finite_is_no_model(number: bytes) -> None:
    whole = msgspec.json.encode(learned())
    assert b'"intercept":-2.5' in whole
    with pytest.raises(RefusedRulesError):
        read_model_data(whole.replace(b'"intercept":-2.5', b'"intercept":' + number), "test-1")


def test_a_feed_that_is_dead_for_everybody_is_no_quiet_of_a_customer() -> None:
    days = [event("usage.session.started", day, id=f"s{day}") for day in range(0, 60, 2)]
    c = load(fold(days)[0].states[b"c-1"])
    last_s, model = START_S + 58 * DAY_S, learned()
    assessor = Assessor(POLICY, model)

    def read(days_later: int, heard_later: int) -> tuple[float, dict[int, int]]:
        look = load(dump(c))
        moment = Moment(POLICY, last_s + days_later * DAY_S, last_s + heard_later * DAY_S)
        lost = moment.lost_s(look, look.active_s, moment.now_s)
        assessor.refresh(look, moment, assessor.all)
        return assessor.reader.read(look, moment.now_s, lost).log_odds, frozen(look, moment.now_s, POLICY, lost)

    recency = next(at for at, name in NAMES.items() if name == "use.recency")
    alive, dead, before = read(22, 22), read(22, 2), read(2, 2)
    assert dead[1][recency] == before[1][recency] < alive[1][recency]
    assert alive[0] != dead[0]


def risk_of(share: float, p: float, base_rate: float, strength: float = 1.0) -> float:
    """What an alert opens by, with one strong signal raised as far as `strength`."""
    policy = msgspec.structs.replace(POLICY, alerts=AlertPolicy(learned_share=share))
    model = msgspec.structs.replace(learned(), base_rate=base_rate)
    number = CATALOGUE["exit.competitor"].number
    return Assessor(policy, model).risk(Customer(strengths={number: strength}), p)


def test_until_a_model_has_learned_the_risk_is_the_probability() -> None:
    assert Assessor(POLICY, Model.prior(POLICY)).risk(Customer(strengths={1: 1.0}), 0.42) == 0.42


@pytest.mark.parametrize("base_rate", [0.001, 0.05, 0.9])
def test_what_is_usual_of_a_business_moves_no_risk(base_rate: float) -> None:
    assert risk_of(1.0, base_rate, base_rate) == pytest.approx(POLICY.churn.base_rate)
    weight = POLICY.signals["exit.competitor"].prior
    by_rules = probability(log_odds_of(POLICY.churn.base_rate) + weight)
    assert risk_of(0.0, base_rate, base_rate) == pytest.approx(by_rules)


def test_the_risk_rises_with_the_probability_and_with_what_the_catalogue_says() -> None:
    assert risk_of(0.2, 0.01, 0.05) < risk_of(0.2, 0.05, 0.05) < risk_of(0.2, 0.3, 0.05)
    assert risk_of(0.2, 0.05, 0.05, 0.3) < risk_of(0.2, 0.05, 0.05, 0.9)


def test_what_only_a_learned_model_knows_opens_no_alert_without_a_reason() -> None:
    policy = msgspec.structs.replace(POLICY, alerts=AlertPolicy(learned_share=1.0))
    c = Customer(strengths={CATALOGUE["exit.competitor"].number: 1.0})

    def verdict(weight: float) -> str:
        weights = dict.fromkeys(POLICY.signals, weight)
        assessor = Assessor(policy, Model("test-1", 3.0, weights, 1_000, {"never_active": 0.01}, base_rate=0.05))
        return judge(c, 0.95, assessor, START_S)

    assert [verdict(weight) for weight in (0.0, -0.1, 0.04, 0.1)] == ["same", "same", "same", "risen"]
