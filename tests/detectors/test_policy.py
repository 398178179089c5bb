"""The policy: numbers from TOML, and a clear refusal of what cannot be meant."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.catalogue import SignalPolicy
from detectors.model import Model, probability
from detectors.policy import Match, Policy, Profile
from detectors.policy_page import EXAMPLES, fields_of, policy_page
from detectors.policy_text import PolicyError, check_policy, parse_policy
from detectors.rules import read_policy_data

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("[alerts]\nenter = 0.1\nexit = 0.5", "exit <= enter"),
        ("[alerts]\nband_high = 0.05", "band_"),
        ("[churn]\nbase_rate = 1.0", "base_rate"),
        ("[churn]\nhorizon_days = 0", "horizon_days"),
        ('[churn]\ndefinition = "guess"', "definition"),
        ('[signals."no.such"]\nfrom = 1\nto = 2\nprior = 1', "no.such"),
        ('[signals."value.silence"]\nto = 2', "from"),
        ('[signals."value.silence"]\nprior = nan', "finite"),
        ("alerts = 3", "alerts"),
        ('[signals."tech.crashes"]\nwindow_d = 60', "window_d"),
        ("[alerts", "[Ee]xpected"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused_by_name(text: str, names: str) -> None:
    with pytest.raises(PolicyError, match=names.replace(".", r"\.")):
        parse_policy(text)


def test_keys_that_are_not_given_keep_their_default() -> None:
    policy = parse_policy('[signals."value.silence"]\nprior = 2.5')
    assert policy.signals["value.silence"].prior == 2.5
    assert policy.signals["value.silence"].to == Policy().signals["value.silence"].to
    assert policy.signals.keys() == Policy().signals.keys()
    assert parse_policy("") == Policy()


def test_any_change_of_a_number_changes_the_versions() -> None:
    changed = parse_policy('[signals."value.silence"]\nprior = 2.5')
    assert changed.version != Policy().version
    assert Model.prior(changed).version != Model.prior(Policy()).version


def test_the_probability_is_the_logistic_of_the_log_odds() -> None:
    for z in (-30.0, -1.5, 0.0, 0.3, 12.0):
        assert math.isclose(probability(z), 1 / (1 + math.exp(-z)), rel_tol=1e-9)


def test_the_version_is_that_of_the_numbers_however_they_are_written() -> None:
    text = policy_page(Policy())
    assert parse_policy(text) == Policy()
    assert parse_policy(text).version == Policy().version
    assert parse_policy('[signals."service.slow_answer"]\nfrom = 120.0').version == Policy().version
    assert read_policy_data(msgspec.json.encode(Policy())).version == Policy().version


def test_the_policy_file_is_fresh_and_reads_as_the_defaults() -> None:
    text = (ROOT / "deploy/policy.toml").read_text()
    assert text == policy_page(Policy()), "stale: churnwatch policy default > deploy/policy.toml"
    checked = check_policy(text)
    assert (checked.policy, checked.problems, checked.oddities) == (Policy(), [], [])


def structs(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    """A Struct and all that it is made of."""
    yield kind
    for field in msgspec.inspect.type_info(kind).fields:  # type: ignore[attr-defined]
        waiting: list[object] = [field.type]
        while waiting:
            found = waiting.pop()
            waiting += [getattr(found, name) for name in ("value_type", "item_type", "type") if hasattr(found, name)]
            waiting += getattr(found, "types", ())
            if isinstance(found, msgspec.inspect.StructType):
                yield from structs(found.cls)


def test_every_number_says_its_reason_in_the_code_and_in_the_file() -> None:
    text = (ROOT / "deploy/policy.toml").read_text()
    seen = set(structs(Policy))
    assert {SignalPolicy, Profile, Match, type(Policy().alerts)} <= seen
    for kind in seen:
        for key, reason in fields_of(kind):
            assert reason, f"{kind.__name__}.{key} does not say why"
            assert re.search(rf"(?m)^\W*(match\.)?{key}\b|^\[(\w+\.)*{key}\]|[{{,] {key} =|^# {key} =", text), (
                f"{key} is not in the file"
            )


def test_what_is_empty_by_default_has_an_example_that_works() -> None:
    empty = [f.name for f in msgspec.structs.fields(Policy) if getattr(Policy(), f.name) in ((), {})]
    assert set(empty) == set(EXAMPLES)
    for name, example in EXAMPLES.items():
        assert getattr(parse_policy(example), name)


def test_every_problem_is_told_with_its_line() -> None:
    text = """name = "mine"
[alerts]
entre = 0.3
reasons = 9
dwell_s = "a day"

[signals."value.silence"]
to = 2          # as `from`
["signals"."tech.crashes"]
window_d = 60
[signals]
"value.silense" = { prior = 1 }
"exit.intent" = {
    prior = nan }
[[profiles]]
match = { plan = "a" }
weights = {}
[[profiles]]
match = { plam = "b" }
weights."no.such" = 1.0
"""
    found = [(f.line, str(f.problem).split(":")[0]) for f in check_policy(text.replace("= {\n    ", "= { ")).problems]
    assert found == [
        (3, "alerts.entre"),
        (4, "alerts.reasons"),
        (5, "alerts.dwell_s"),
        (12, 'signals."value.silense"'),
        (13, 'signals."exit.intent".prior'),
        (18, "profiles[1].match.plam"),
        (19, 'profiles[1].weights."no.such"'),
    ]
    rows = '[signals."value.silence"]\nto = 2\n[signals."tech.crashes"]\nwindow_d = 60'
    assert [f.line for f in check_policy(rows).problems] == [1, 4]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("[alerts]\nenter = 0.05\nexit = 0.04", "everybody"),
        ("[alerts]\nenter = 0.12", "flap"),
        ('[signals."value.silence"]\nprior = -1.0', "sign"),
        ('[signals."value.silence"]\nprior = 9.0', "alone"),
        ('[[profiles]]\nmatch = {}\nweights = {}\n[[profiles]]\nmatch = {plan = "a"}\nweights = {}', "never reached"),
        ('[playbooks]\nservise = ["invite"]', "service"),
        ("[churn]\nhorizon_days = 400", "year"),
    ],
)
def test_what_is_odd_is_legal_and_told(text: str, names: str) -> None:
    checked = check_policy(text)
    assert checked.policy is not None
    assert any(names in str(odd) and odd.line for odd in checked.oddities), checked.oddities


LINES = ["[alerts]", "enter = 0.3", "x = 1", "[[p]]", "'''", '"""', "a"]


@given(st.text(max_size=60) | st.lists(st.sampled_from(LINES)).map("\n".join))
def test_any_text_is_a_policy_or_its_problems(text: str) -> None:
    checked = check_policy(text)
    assert (checked.policy is None) is bool(checked.problems)
    assert all(f.line is None or 1 <= f.line <= text.count("\n") + 1 for f in checked.problems)
