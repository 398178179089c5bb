"""A policy as people write it: one TOML file, of which only what differs from the defaults need be there."""

import tomllib
from itertools import pairwise
from typing import Any

import msgspec

from detectors.catalogue import WINDOW_MAX_D, default_signals
from detectors.policy import Policy


class PolicyError(ValueError):
    """The policy text says something that cannot be meant; the message names the key."""


def parse_policy(text: str) -> Policy:
    """Read a policy from TOML; keys that are not given keep their default.

    Raises:
        PolicyError: the text is not TOML, names an unknown key, or holds a number out of range.

    >>> parse_policy("[alerts]\\nenter = 0.3").alerts.enter
    0.3
    >>> parse_policy("[alerts]\\nentre = 0.3")
    Traceback (most recent call last):
    detectors.policy_text.PolicyError: Object contains unknown field `entre` - at `$.alerts`
    """
    try:
        given: dict[str, Any] = tomllib.loads(text)
        merged = _merge(msgspec.to_builtins(Policy()), given)
        policy = msgspec.convert(merged, Policy)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, ValueError) as error:
        raise PolicyError(str(error)) from None
    _check(policy)
    return policy


def _merge(base: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    out = dict(base)
    for key, value in given.items():
        old = out.get(key)
        out[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return out


def _check(policy: Policy) -> None:
    known = default_signals().keys()
    for code in policy.signals:
        if code not in known:
            raise PolicyError(f"signals.{code}: there is no such signal")
        if policy.signals[code].window_d > WINDOW_MAX_D.get(code, 10_000):
            raise PolicyError(f"signals.{code}.window_d: at most {WINDOW_MAX_D[code]}, more is not remembered")
    a, c = policy.alerts, policy.churn
    edges = (0.0, a.band_medium, a.band_high, a.band_critical, 1.0)
    if any(low >= high for low, high in pairwise(edges)):
        raise PolicyError("alerts.band_*: the bands must rise from medium to critical, between 0 and 1")
    if not 0 < a.exit <= a.enter < 1:
        raise PolicyError("alerts: 0 < exit <= enter < 1 must hold")
    if not -1 <= policy.service.rude_below <= 0:
        raise PolicyError("service.rude_below: must lie between -1 and 0, higher tones are not remembered")
    if not 0 < c.base_rate < 1:
        raise PolicyError("churn.base_rate: must lie between 0 and 1")
    if c.horizon_days < 1:
        raise PolicyError("churn.horizon_days: must be at least 1")
