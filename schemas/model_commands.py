"""What may be asked of the learner: control records of `churn.examples`, beside what it learns from.

Rules: a control record has no key, an example has one (its customer id); which model decides is therefore a function
of that one log, whatever dies when; a command has an id, and the same one twice counts once, while it
is among the newest 32; whether it was done, or why not, stands in the row `models` of `churn.insights`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from schemas.fields import Timestamp

COMMAND_SOURCE: Final = "/churnwatch/model"

PROMOTE_TYPE: Final = "churn.model.promote.v1"
ROLLBACK_TYPE: Final = "churn.model.rollback.v1"
RELEASE_TYPE: Final = "churn.model.release.v1"

CommandId = Annotated[
    str,
    Meta(min_length=1, max_length=128, description="the same twice counts once, while among the newest 32 answered"),
]
Source = Annotated[str, Meta(min_length=1, max_length=128)]
ModelName = Annotated[str, Meta(min_length=1, max_length=64, description="a kind of model, as in the row `models`")]
Version = Annotated[str, Meta(min_length=1, max_length=128, description="as in `model_version` of an alert")]
Why = Annotated[str, Meta(max_length=200, description="for whoever reads the row `models`; no personal data")]


class Promotion(Struct, frozen=True, gc=False, kw_only=True):
    """Which kind of model decides."""

    model: ModelName
    reason: Why = ""


class Return(Struct, frozen=True, gc=False, kw_only=True):
    """Which model comes back."""

    version: Annotated[Version | None, Meta(description="none: the last good one before the one in force")] = None
    reason: Why = ""


class Leave(Struct, frozen=True, gc=False, kw_only=True):
    """Nothing more is said."""

    reason: Why = ""


class Promote(Struct, frozen=True, gc=False, kw_only=True, tag_field="type", tag=PROMOTE_TYPE):
    """From this record on this kind of model decides, until somebody says otherwise."""

    specversion: Literal["1.0"] = "1.0"
    id: CommandId
    source: Source = COMMAND_SOURCE
    time: Timestamp
    data: Promotion


class Rollback(Struct, frozen=True, gc=False, kw_only=True, tag_field="type", tag=ROLLBACK_TYPE):
    """A model that was handed over before comes back as it was, and stays until somebody promotes or releases."""

    specversion: Literal["1.0"] = "1.0"
    id: CommandId
    source: Source = COMMAND_SOURCE
    time: Timestamp
    data: Return = Return()


class Release(Struct, frozen=True, gc=False, kw_only=True, tag_field="type", tag=RELEASE_TYPE):
    """The learner chooses by itself again, beginning with the kind that decided last."""

    specversion: Literal["1.0"] = "1.0"
    id: CommandId
    source: Source = COMMAND_SOURCE
    time: Timestamp
    data: Leave = Leave()


ModelCommand = Promote | Rollback | Release
"""Every command."""

COMMAND_TYPES: Final[Mapping[str, type[ModelCommand]]] = MappingProxyType(
    {PROMOTE_TYPE: Promote, ROLLBACK_TYPE: Rollback, RELEASE_TYPE: Release}
)
"""CloudEvents type → command."""

decode_command: Final[Callable[[bytes], ModelCommand]] = msgspec.json.Decoder(ModelCommand).decode
"""Decode a command; raises msgspec's errors for anything else."""

encode_command: Final[Callable[[ModelCommand], bytes]] = msgspec.json.Encoder().encode
"""A command as the value of its record."""


def name_of(command: ModelCommand) -> str:
    """`promote`, `rollback` or `release`.

    >>> from datetime import UTC, datetime
    >>> name_of(Release(id="1", time=datetime.now(UTC)))
    'release'
    """
    return type(command).__name__.lower()
