"""What is wrong with a policy, all of it, and what is odd: each with the path of the key that says so.

Rules: a policy is plain data (from TOML, or from a record of the journal), of which only what differs from the
defaults need be there; every problem is told, not only the first; what is odd is legal, and decides as written.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from itertools import pairwise
from math import isfinite
from types import NoneType, UnionType
from typing import Annotated, Any, Final, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

from detectors.catalogue import WINDOW_MAX_D, SignalPolicy, default_signals
from detectors.policy import Policy
from schemas.events import EVENT_TYPES

Path = tuple[str | int, ...]
Json = dict[str, Any]

WEIGHT_MAX: Final = 20.0  # log-odds: the odds × 5e8; more can only be meant as "always" or "never"
WEIGHT_ODD: Final = 4.0  # the odds × 55: such a signal decides alone
DEFAULTS: Final[Json] = msgspec.to_builtins(Policy())


class Problem(NamedTuple):
    """What is wrong or odd, and where."""

    path: Path
    text: str

    def __str__(self) -> str:
        return f"{shown(self.path)}: {self.text}" if self.path else self.text


def shown(path: Path) -> str:
    """A path as TOML writes it.

    >>> shown(("signals", "value.silence", "to")), shown(("profiles", 0, "match"))
    ('signals."value.silence".to', 'profiles[0].match')
    """
    out = ""
    for part in path:
        if isinstance(part, int):
            out += f"[{part}]"
        else:
            name = part if part.replace("_", "").replace("-", "").isalnum() and part.isascii() else f'"{part}"'
            out += f".{name}" if out else name
    return out


def read_policy(given: Mapping[str, Any]) -> tuple[Policy | None, list[Problem]]:
    """The policy that plain data stands for, or None and every problem that it has.

    >>> read_policy({"alerts": {"enter": 0.3}})[0].alerts.enter
    0.3
    >>> [str(problem) for problem in read_policy({"alerts": {"entre": 0.3, "reasons": 9}})[1]]
    ['alerts.entre: there is no such key; is `enter` meant?', 'alerts.reasons: Expected `int` <= 5']
    """
    problems = [*_unknown_signals(given), *_walk(given, Policy, ())]
    if not problems:
        problems += _rows(given)
    if problems:
        return None, problems
    try:
        policy = msgspec.convert(_merged(DEFAULTS, given), Policy)
    except (msgspec.ValidationError, ValueError) as error:
        return None, [Problem((), str(error))]
    problems += _contradictions(policy)
    return (None, problems) if problems else (policy, [])


def _merged(base: Mapping[str, Any], given: Mapping[str, Any]) -> Json:
    out = dict(base)
    for key, value in given.items():
        old = out.get(key)
        out[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return out


def _unknown_signals(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Signals that are named and do not exist, wherever they are named."""
    known = default_signals().keys()

    def missing(table: Any, path: Path) -> Iterator[Problem]:
        for code in table if isinstance(table, dict) else ():
            if code not in known:
                yield Problem((*path, code), f"there is no such signal{_meant(code, known)}")

    yield from missing(given.get("signals"), ("signals",))
    stages = given.get("stage_weights")
    for stage, weights in stages.items() if isinstance(stages, dict) else ():
        yield from missing(weights, ("stage_weights", stage))
    profiles = given.get("profiles")
    for i, profile in enumerate(profiles if isinstance(profiles, list | tuple) else ()):
        if isinstance(profile, dict):
            yield from missing(profile.get("weights"), ("profiles", i, "weights"))


def _walk(value: Any, kind: Any, path: Path) -> Iterator[Problem]:
    """Every part of a value that is not of its kind; keys that are missing are not looked for but in profiles."""
    plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if get_origin(plain) in (Union, UnionType):
        kind = next(arg for arg in get_args(plain) if arg is not NoneType)
        plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        yield from _walk_struct(value, plain, path)
    elif get_origin(plain) is dict and isinstance(value, dict):
        of_key, of_value = get_args(plain)
        for key, inside in value.items():
            yield from _leaf(key, of_key, (*path, key))
            if plain == dict[str, SignalPolicy] and key not in default_signals():
                continue  # was told
            yield from _walk(inside, of_value, (*path, key))
    elif get_origin(plain) is tuple and isinstance(value, list | tuple):
        for i, inside in enumerate(value):
            yield from _walk(inside, get_args(plain)[0], (*path, i))
    else:
        yield from _leaf(value, kind, path)


def _walk_struct(value: Any, kind: type[msgspec.Struct], path: Path) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(path, f"Expected a table, got `{type(value).__name__}`")
        return
    fields = _fields(kind)
    for key, inside in value.items():
        if key in fields:
            yield from _walk(inside, fields[key].kind, (*path, key))
        else:
            yield Problem((*path, key), f"there is no such key{_meant(key, fields.keys())}")
    if kind is not SignalPolicy:  # the catalogue has what a row leaves out
        for name, field in fields.items():
            if field.required and name not in value:
                yield Problem(path, f"`{name}` is missing")


class Field(NamedTuple):
    """What a key of a struct may hold."""

    kind: Any
    required: bool


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, Field]:
    """By the name on the wire. Cached: what Python says of a struct's types takes longer than checking a value."""
    hints = get_type_hints(kind, include_extras=True)
    return {f.encode_name: Field(hints[f.name], f.required) for f in msgspec.structs.fields(kind)}


def _leaf(value: Any, kind: Any, path: Path) -> Iterator[Problem]:
    if isinstance(value, float) and not isfinite(value):
        yield Problem(path, "every number must be finite")
        return
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        yield Problem(path, str(error).split(" - at ")[0])


def _meant(name: str, known: Any) -> str:
    close = get_close_matches(name, [str(k) for k in known], 1)
    return f"; is `{close[0]}` meant?" if close else ""


def _rows(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Rows of signals that contradict themselves, with what the catalogue says of the rest of them."""
    for code, row in given.get("signals", {}).items():
        merged = {**DEFAULTS["signals"][code], **row}
        try:
            read = msgspec.convert(merged, SignalPolicy)
        except (msgspec.ValidationError, ValueError) as error:
            yield Problem(("signals", code), str(error))
            continue
        most_d = WINDOW_MAX_D.get(code, 10_000)
        if read.window_d > most_d:
            yield Problem(("signals", code, "window_d"), f"at most {most_d}, more is not remembered")


def _contradictions(policy: Policy) -> Iterator[Problem]:
    """Numbers that are each possible and cannot all be meant."""
    a = policy.alerts
    edges = {"band_medium": a.band_medium, "band_high": a.band_high, "band_critical": a.band_critical}
    for (low, at), (high, above) in pairwise(edges.items()):
        if at >= above:
            yield Problem(("alerts", high), f"must be above `{low}`: the bands rise from medium to critical")
    if a.exit > a.enter:
        yield Problem(("alerts", "exit"), "exit <= enter must hold")
    for event_type in policy.urgent:
        if event_type not in EVENT_TYPES:
            yield Problem(("urgent",), f"there is no event type {event_type}{_meant(event_type, EVENT_TYPES)}")
    for path, codes in playbooks_of(policy):
        for code in codes:
            if code not in policy.playbook_text:
                yield Problem(path, f"`{code}` has no sentence in playbook_text")
    if policy.incidents.touches_s < policy.incidents.quiet_s:
        yield Problem(("incidents", "touches_s"), "quiet_s <= touches_s must hold")
    for path, weight in weights_of(policy):
        if not abs(weight) <= WEIGHT_MAX:
            yield Problem(path, f"a weight is between -{WEIGHT_MAX:g} and {WEIGHT_MAX:g}")


def playbooks_of(policy: Policy) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """The playbooks of every group of signals, and where they are set."""
    for group, codes in policy.playbooks.items():
        yield ("playbooks", group), codes
    for stage, table in policy.stage_playbooks.items():
        for group, codes in table.items():
            yield ("stage_playbooks", stage, group), codes


def weights_of(policy: Policy) -> Iterator[tuple[Path, float]]:
    """Every weight that a policy sets, and where."""
    for code, row in policy.signals.items():
        yield ("signals", code, "prior"), row.prior
    for stage, weights in policy.stage_weights.items():
        for code, weight in weights.items():
            yield ("stage_weights", stage, code), weight
    for i, profile in enumerate(policy.profiles):
        for code, weight in profile.weights.items():
            yield ("profiles", i, "weights", code), weight


def oddities(policy: Policy) -> Iterator[Problem]:
    """What is legal and hardly meant."""
    a, c = policy.alerts, policy.churn
    if a.enter <= c.base_rate:
        yield Problem(("alerts", "enter"), "not above churn.base_rate: everybody gets an alert, whatever happens")
    if a.exit <= c.base_rate:
        yield Problem(
            ("alerts", "exit"), "not above churn.base_rate: no alert ends by itself, unless something protects"
        )
    if a.exit == a.enter:
        yield Problem(("alerts", "exit"), "equal to `enter`: alerts will flap")
    if a.enter < a.band_medium:
        yield Problem(("alerts", "enter"), "under `band_medium`: alerts open at level low")
    if a.cooldown_s < a.dwell_s:
        yield Problem(("alerts", "cooldown_s"), "shorter than `dwell_s`")
    if c.horizon_days > 366:
        yield Problem(("churn", "horizon_days"), "more than a year: outcomes come too late to learn from")
    defaults = default_signals()
    for code, row in policy.signals.items():
        if (row.prior < 0) != (defaults[code].prior < 0) and row.prior:
            yield Problem(("signals", code, "prior"), "the sign is turned: what harms protects, or the other way round")
        if (row.to > row.from_) != (defaults[code].to > defaults[code].from_):
            yield Problem(("signals", code, "to"), "turned round: what was good is bad now")
    for path, weight in weights_of(policy):
        if abs(weight) > WEIGHT_ODD:
            yield Problem(path, f"beyond {WEIGHT_ODD:g}: this signal decides alone")
    seen: list[Json] = []
    for i, profile in enumerate(policy.profiles):
        match = msgspec.to_builtins(profile.match)
        if any(all(match.get(key) == value for key, value in before.items()) for before in seen):
            yield Problem(("profiles", i, "match"), "never reached: a profile before it matches the same customers")
        elif not match:
            yield Problem(("profiles", i, "match"), "empty: matches every customer")
        seen.append(match)
    groups = {code.split(".", 1)[0] for code in policy.signals}
    paths = [("churn_types", group) for group in policy.churn_types]
    for path in (*paths, *(path for path, _ in playbooks_of(policy))):
        known = groups if path[0] == "churn_types" else groups | policy.signals.keys()
        if (group := str(path[-1])) not in known:
            yield Problem(path, f"no signal is of this group{_meant(group, known)}")
