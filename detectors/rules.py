"""What decides in a partition: its policy and its model, since which record, and what decided before.

Rules:
* a change is taken up at one record of the journal, and is a part of the partition's state from there on: recovery
  and rewind go on with it, and a replay of the journal takes it up at the same record;
* until the journal names one, the configured policy and its prior model decide; a policy from the journal brings its
  prior model along, unless the journal has named a model;
* the configured policy is stored as well, so that another one after a restart is a change like one from the journal:
  it decides from the position at which the state is taken up;
* a record that says nothing new changes nothing; one that cannot be meant is refused, and the last good one decides;
* the newest few that decided before are kept, to tell what a change alone would say from what a customer did.
"""

from collections.abc import Iterator
from math import isfinite
from typing import Any, Final, Literal

import msgspec

from detectors.assess import Assessor
from detectors.catalogue import default_signals
from detectors.customer import HEADER, NEVER, VERSION, Customer
from detectors.model import Model
from detectors.policy import Policy
from detectors.policy_check import read_policy
from schemas.journal import ModelChanged, PolicyChanged

RESERVED: Final = b"\xff"  # no customer's key begins so: ids are UTF-8
RULES_KEY: Final = RESERVED + b"rules"
KEPT: Final = 8  # with what decides now
NUMBER_MAX: Final = 1_000.0  # log-odds beyond any meaning; within it every sum is finite
VERSION_MAX: Final = 128
LIFE_MAX_D: Final = 36_525.0
PLANS_MAX: Final = 256

Cause = Literal["policy", "model"]


class RefusedRulesError(ValueError):
    """A policy or a model that cannot be meant; the message says where and why, and quotes no more than names."""


class Ruling(msgspec.Struct, array_like=True, frozen=True):
    """One policy and model that decided, as stored. Fields are only ever appended: the order is the stored format."""

    since: int = 0  # offset of its record + 1; 0: as configured
    cause: Cause = "policy"  # what changed with it
    policy: bytes = b""  # JSON; empty: as configured
    model: bytes = b""  # JSON; empty: as configured, or the prior of a policy from the journal
    configured: bool = False  # the policy is that of the configuration, and not of the journal


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Ruling]).decode
_decode_model = msgspec.json.Decoder(Model).decode


class Rules:
    """The policy and the model of one partition; `stored` is what its state holds of them."""

    def __init__(self, policy: Policy, model: Model) -> None:
        self._configured = policy, model
        self._is_prior = model == Model.prior(policy)
        self._json = msgspec.json.encode(policy)
        self.load(None, 0)

    def load(self, stored: bytes | None, position: int) -> None:
        """Be as the state says, which goes on at a position; raises ValueError for what this code cannot read."""
        self.stored = stored or b""
        self._rulings = _decode(memoryview(stored)[HEADER.size :]) if stored else []
        self._compiled: dict[int, Assessor] = {}
        if not self._rulings:
            self._add(Ruling(policy=self._json, configured=True))
        elif self._is_configured_anew(now := self._rulings[-1]):
            self._add(Ruling(max(position, now.since), "policy", self._json, now.model, configured=True))
        self._decide_by(self._rulings[-1])

    def _is_configured_anew(self, now: Ruling) -> bool:
        """Whether what decides was configured once, and something else is configured now."""
        return now.configured and now.policy != self._json and read_policy_data(now.policy) != self._configured[0]

    def _add(self, ruling: Ruling) -> None:
        """Let a ruling be the last; nobody was looked at under one that began at the same place."""
        kept = [before for before in self._rulings if before.since < ruling.since]
        self._rulings = [*kept, ruling][-KEPT:]
        self.stored = HEADER.pack(ruling.since, NEVER, VERSION, 0) + _encode(self._rulings)

    def _decide_by(self, ruling: Ruling) -> None:
        self.assessor = self._compile(ruling)
        self.since = ruling.since  # offset of the record that brought it, + 1; 0 as configured
        self.cause: Cause = ruling.cause  # what changed with the last change

    def before(self, c: Customer) -> Assessor | None:
        """What decided when a customer was last looked at, None if that is what decides now, or it never was.

        Of what decided long ago the oldest that is kept stands for the rest.
        """
        if c.ruled == self.since or c.probability < 0.0:
            return None
        found = self._rulings[0]
        for ruling in self._rulings:
            if ruling.since <= c.ruled:
                found = ruling
        return self._compile(found)

    def read_alike(self, c: Customer) -> bool:
        """Whether the signals of a customer were last read as now: by the same policy, whatever the model was."""
        if c.ruled == self.since:
            return True
        before = self.before(c) if c.ruled >= self._rulings[0].since else None
        return before is not None and before.policy_version == self.assessor.policy_version

    def take_up(self, control: PolicyChanged | ModelChanged, position: int) -> bool:
        """Decide by what a record says from `position` (its offset + 1) on; whether that is a change.

        Raises:
            RefusedRulesError: it cannot be meant; nothing has changed.
        """
        now = self._rulings[-1]
        if isinstance(control, PolicyChanged):
            policy = read_policy_data(control.data)
            if policy == self.assessor.policy:
                if now.configured:  # from here on it is the journal's
                    self._add(msgspec.structs.replace(now, configured=False))
                return False
            ruling = Ruling(position, "policy", msgspec.json.encode(policy), now.model)
        else:
            model = read_model_data(control.data, control.id)
            if model == self.assessor.model:
                return False
            ruling = Ruling(position, "model", now.policy, msgspec.json.encode(model), now.configured)
        self._add(ruling)
        self._decide_by(ruling)
        kept = {r.since for r in self._rulings}
        self._compiled = {since: a for since, a in self._compiled.items() if since in kept}
        return True

    def _compile(self, ruling: Ruling) -> Assessor:
        found = self._compiled.get(ruling.since)
        if found is None:
            policy, model = self._configured
            if ruling.policy and ruling.policy != self._json:
                policy = read_policy_data(ruling.policy)
                model = Model.prior(policy) if self._is_prior else model
            if ruling.model:
                model = _decode_model(ruling.model)
            found = self._compiled[ruling.since] = Assessor(policy, model)
        return found


def read_policy_data(data: bytes | msgspec.Raw) -> Policy:
    """The policy of JSON; what it leaves out is as in the catalogue. Raises RefusedRulesError."""
    try:
        given = msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise RefusedRulesError(f"$.data: {str(error).split(' - at ')[0]}") from None
    policy, problems = read_policy(given)
    if policy is None:
        raise RefusedRulesError(f"$.data: {problems[0]}")
    return policy


def read_model_data(data: bytes | msgspec.Raw, version: str) -> Model:
    """The model of JSON, of the version that its record names. Raises RefusedRulesError."""
    try:
        model = _decode_model(data)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise RefusedRulesError(f"$.data: {error}") from None
    if model.version != version or not 0 < len(version) <= VERSION_MAX:
        raise RefusedRulesError("$.data.version: not the id of its record")
    numbers = (model.intercept, *model.weights.values(), *model.features.values(), *model.usual.values())
    if any(not (isfinite(number) and abs(number) <= NUMBER_MAX) for number in numbers):
        raise RefusedRulesError(f"$.data: every number must be between -{NUMBER_MAX:g} and {NUMBER_MAX:g}")
    unknown = sorted(model.weights.keys() - default_signals().keys())
    if unknown:
        raise RefusedRulesError(f"$.data.weights: there is no signal {unknown[0][:VERSION_MAX]}")
    missing = sorted(default_signals().keys() - model.weights.keys()) if model.features else []
    if not 0.0 <= model.base_rate < 1.0:
        raise RefusedRulesError("$.data.base_rate: a share under 1")
    if (
        not all(0.0 < days <= LIFE_MAX_D for days in model.useful_life_d.values())
        or len(model.useful_life_d) > PLANS_MAX
    ):
        raise RefusedRulesError(f"$.data.useful_life_d: at most {PLANS_MAX} plans, each of up to {LIFE_MAX_D:g} days")
    if missing or model.examples < 0:
        raise RefusedRulesError(f"$.data: a model that has learned weighs every signal, and not {missing[:1]}")
    return model


def is_customer(key: bytes) -> bool:
    """Whether a key of a partition's states is a customer's, and not the partition's own.

    >>> is_customer(b"c-1"), is_customer(b""), is_customer(RULES_KEY)
    (True, False, False)
    """
    return b"" < key < RESERVED


def customers_in(states: dict[bytes, Any]) -> Iterator[bytes]:
    """The customers of a partition's states."""
    return filter(is_customer, states)
