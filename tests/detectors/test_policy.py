"""The policy: numbers from TOML, and a clear refusal of what cannot be meant."""

from __future__ import annotations

import math

import pytest

from detectors.model import Model, probability
from detectors.policy import Policy
from detectors.policy_text import PolicyError, parse_policy


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
