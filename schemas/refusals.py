"""Why a value is not an event: the slow path of intake, taken once the fast one has said no.

Rules: the checks run from the outside in (JSON, envelope, type, data), and the first that fails gives the reason;
a detail names a place and what was expected there, and never repeats what stood there.
"""

import re
import typing
from collections.abc import Mapping
from typing import Final, Literal

import msgspec
from msgspec import Struct

from schemas.deadletters import Reason
from schemas.events import EVENT_TYPES, CustomerId, EventId, EventTime, Source, Traceparent
from schemas.fields import Data
from schemas.strict_json import json_problem


class Rejected(Struct, frozen=True, gc=False):
    """Why a value is no event: the dead letter's reason, and the place with what was expected there."""

    reason: Reason
    detail: str


class _Envelope(Struct, gc=False, kw_only=True):
    specversion: Literal["1.0"]
    type: str
    id: EventId
    source: Source
    subject: CustomerId
    time: EventTime
    traceparent: Traceparent | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")


_envelope: Final = msgspec.json.Decoder(_Envelope).decode
_data: Final[Mapping[str, msgspec.json.Decoder[Data]]] = {
    name: msgspec.json.Decoder(data) for name, data in EVENT_TYPES.items()
}

_BEYOND: Final = re.compile(r"out of range|^Expected `(?:int|float)` [<>]")
_PLACE: Final = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)


def explain(value: bytes) -> Rejected:
    """Why the value, which is not an event, is none."""
    problem = json_problem(value)
    if problem is not None:
        return Rejected("not_json", f"$: {problem}")
    try:
        envelope = _envelope(value)
    except (ValueError, RecursionError) as error:
        return Rejected("not_an_event", _detail(error, _Envelope, "$"))
    data_type = EVENT_TYPES.get(envelope.type)
    if data_type is None:
        return Rejected("unknown_type", "$.type: none of this contract")
    try:
        _data[envelope.type].decode(envelope.data)
    except (ValueError, RecursionError) as error:
        reason: Reason = "out_of_range" if _BEYOND.search(str(error)) else "wrong_shape"
        return Rejected(reason, _detail(error, data_type, "$.data"))
    return Rejected("wrong_shape", "$: not readable as a whole")


def _detail(error: Exception, struct: type[Struct], root: str) -> str:
    """The place and the expectation of a decoding error, without what it quotes of the payload."""
    if not isinstance(error, msgspec.ValidationError):
        return f"{root}: not readable"
    found = _PLACE.match(str(error))
    what, path = (found["what"], found["path"] or "") if found else ("", "")
    if what.startswith("Invalid enum value"):
        what = f"expected {_words(struct, path)}"
    elif "'" in what and not what.startswith("Expected `str` matching regex"):
        what = "not as expected"
    return f"{root}{path}: {what[:1].lower()}{what[1:]}"


def _words(struct: type[Struct], path: str) -> str:
    """The words that a field may hold, as text."""
    hint = typing.get_type_hints(struct).get(path.removeprefix("."))
    words = [word for part in (hint, *typing.get_args(hint)) for word in typing.get_args(part)]
    return " or ".join(f'"{word}"' for word in words if isinstance(word, str)) or "one of the allowed words"
