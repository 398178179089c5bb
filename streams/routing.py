"""Where a published line goes: the topic by the first segment of its type, the record's key by its subject or id.

A line is looked at, not judged: whether it obeys its contract is for intake to say, and its bytes go out as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

import msgspec
from msgspec import Struct

from schemas.events import TOPIC_OF_TYPE

KeyBy = Literal["subject", "id", "none"]
KEYS: Final[tuple[str, ...]] = get_args(KeyBy)

TOPIC_OF_SEGMENT: Final[Mapping[str, str]] = {name.split(".", 1)[0]: topic for name, topic in TOPIC_OF_TYPE.items()}
"""First segment of an event type → its input topic, without prefix."""


class _Line(Struct, gc=False):
    type: str
    subject: Any = None
    id: Any = None


class Unroutable(Struct, frozen=True, gc=False):
    """Why a line has no topic."""

    reason: str


class Route(Struct, frozen=True, gc=False):
    """The topic (without prefix) and the key of a line."""

    topic: str
    key: bytes | None


_decode = msgspec.json.Decoder(_Line).decode


def route(line: bytes, key_by: KeyBy, forced_topic: str | None = None) -> Route | Unroutable:
    """The topic and key of one line; with a forced topic every line has one, and what cannot be read has no key.

    >>> route(b'{"type":"billing.invoice.paid","subject":"c-1","id":"7"}', "subject")
    Route(topic='billing.events', key=b'c-1')
    >>> route(b'{"type":"weather.changed"}', "subject")
    Unroutable(reason="no topic is known for the type 'weather.changed'")
    """
    try:
        event = _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        if forced_topic is not None:
            return Route(forced_topic, None)
        return Unroutable(f"not a CloudEvent in JSON: {error}")
    topic = forced_topic or TOPIC_OF_SEGMENT.get(event.type.split(".", 1)[0])
    if topic is None:
        return Unroutable(f"no topic is known for the type {event.type[:80]!r}")
    if key_by == "none":
        return Route(topic, None)
    key = event.subject if key_by == "subject" else event.id
    return Route(topic, key.encode() if isinstance(key, str) and key else None)
