"""Which model is in force, by whose choice, and those before it that can come back.

Rules:
* by itself the learner chooses among the kinds that may decide; a command outlasts that choice until the next one;
* a model that somebody went back to comes back as it was, number by number, and nothing that is learned meanwhile
  replaces it; only its confidence may fall, where outcomes speak against it;
* the newest few that were handed over are kept as plain numbers; those that somebody went back behind are no good ones:
  a rollback that names no version passes over them, and one that names them does not;
* a refusal is a value with its reason, and changes nothing but the answers; the same command twice counts
  once, while it is among the newest ANSWERS.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal

import msgspec

from detectors.model import Model
from detectors.rules import RefusedRulesError, read_model_data
from schemas.model_commands import ModelCommand, Promote, Rollback, name_of

KEPT: Final = 8
ANSWERS: Final = 32
RULES: Final = "rules"
"""The catalogue's priors, as a kind of model."""

Chooser = Literal["learner", "promote", "rollback"]


class Kept(msgspec.Struct):
    """A model that was handed over."""

    kind: str
    at_s: int
    model: Model
    outcomes: int = 0  # in the figures
    log_loss: float | None = None  # of the probabilities given before, as known then
    auc: float | None = None
    went_back: bool = False  # somebody went back behind it


class Answer(msgspec.Struct):
    """What became of a command."""

    id: str
    command: str
    at_s: int
    refused: str = ""  # empty: done
    version: str = ""  # in force behind it


class Served(msgspec.Struct):
    """What the learner's state holds of all this. Fields are only ever added, with a default."""

    by: Chooser = "learner"
    since_s: int = 0
    reason: str = ""
    chosen: str = ""  # by a promotion: `rules`, which no belief stands for
    pinned: Model | None = None  # by a rollback
    out: Model | None = None  # the newest that was handed over
    older: str = ""  # the version in force that a release handed over which kept none
    kept: list[Kept] = []
    answers: list[Answer] = []

    @property
    def in_force(self) -> str:
        """The version handed over last; empty: none."""
        return self.out.version if self.out is not None else self.older

    def is_known(self, command_id: str) -> bool:
        """Whether a command has been answered."""
        return any(answer.id == command_id for answer in self.answers)

    def keep(self, kept: Kept) -> None:
        """Remember a model that is handed over."""
        self.out = kept.model
        if kept.model.version not in {before.model.version for before in self.kept}:
            self.kept = [*self.kept, kept][-KEPT:]

    def answer(self, command: ModelCommand, refused: str, time_s: int) -> None:
        """Remember what became of a command."""
        said = Answer(command.id, name_of(command), time_s, refused, self.in_force)
        self.answers = [*self.answers, said][-ANSWERS:]

    def obey(self, command: ModelCommand, prior: Model, kinds: Collection[str], watched: Collection[str]) -> str:
        """Do what a command says; why not, where it cannot be done.

        `kinds` may decide beside the prior model; `watched` are scored, and may not.
        """
        if isinstance(command, Promote):
            name = command.data.model
            if name in watched:
                return f"{name} is only scored: it has no form in plain numbers, and may not decide"
            if name != RULES and name not in kinds:
                return f"there is no model of this name; those that may decide: {', '.join([*kinds, RULES])}"
            self.by, self.chosen, self.pinned = "promote", name, None
        elif isinstance(command, Rollback):
            found = self._before(prior) if command.data.version is None else self._named(command.data.version, prior)
            if isinstance(found, str):
                return found
            self._go_back_to(found)
        else:
            self.by, self.chosen, self.pinned = "learner", "", None
        self.since_s, self.reason = int(command.time.timestamp()), command.data.reason
        return ""

    def _before(self, prior: Model) -> Model | str:
        """The last good one before that in force: the prior model, where there was none."""
        at = self._place(self.in_force)
        good = [kept.model for kept in self.kept[:at] if not kept.went_back]
        if good:
            return _sound(good[-1])
        if self.in_force in ("", prior.version):
            return "there is no model before the one in force"
        return prior

    def _named(self, version: str, prior: Model) -> Model | str:
        if version == prior.version:
            return prior
        for kept in self.kept:
            if kept.model.version == version:
                return _sound(kept.model)
        return f"no model of this version is kept; the newest {KEPT} that were handed over are"

    def _place(self, version: str) -> int:
        """Where in what is kept a version stands; at its beginning, if it is not there."""
        return next((i for i, kept in enumerate(self.kept) if kept.model.version == version), 0)

    def _go_back_to(self, model: Model) -> None:
        versions = [kept.model.version for kept in self.kept]
        after = versions.index(model.version) + 1 if model.version in versions else 0
        for i, kept in enumerate(self.kept):
            kept.went_back = i >= after or (kept.went_back and i != after - 1)
        self.by, self.chosen, self.pinned = "rollback", "", model


def kind_of(version: str, prior: Model) -> str:
    """The kind of a model of a version, as that begins; the catalogue's own is `rules`.

    >>> from detectors.policy import Policy
    >>> prior = Model.prior(Policy())
    >>> kind_of(prior.version, prior), kind_of("online-50-1c9a0b2f", prior)
    ('rules', 'online')
    """
    return RULES if version == prior.version else version.partition("-")[0]


def _sound(model: Model) -> Model | str:
    """The model, if detectors of this release would take it up."""
    try:
        return read_model_data(msgspec.json.encode(model), model.version)
    except RefusedRulesError as refused:
        return f"detectors of this release would refuse it: {refused}"
