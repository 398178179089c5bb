"""From the bytes and headers of an input topic to an event, or to the reason why there is none.

Rules: nothing here raises, whatever the bytes and headers; a refusal is a value; what was accepted decodes again
(`schemas.events.decode_event`) to the same event; the clock is an argument.

The checks of `read_event`, in order: size, JSON, envelope, type, data, time. Which mode a record is in: structured when
its content-type begins with `application/cloudevents`, or when its value is an object with `specversion`; else binary
when it has a `ce_` header; else it is read as structured.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from schemas.deadletters import Reason
from schemas.events import EVENT_CLASSES, EVENT_TYPES, Event, decode_event
from schemas.refusals import Rejected, explain
from schemas.strict_json import NESTING_MAX, gives_a_member_twice, is_utf8, json_problem, nested_too_deep
from schemas.times import FIRST_TIME_S

__all__ = ["AHEAD_MAX_S", "VALUE_MAX_BYTES", "Accepted", "Problem", "Rejected", "check_lines", "read_event"]

VALUE_MAX_BYTES: Final = 256 * 1024
AHEAD_MAX_S: Final = 24 * 3600

_ATTRIBUTES: Final = ("specversion", "type", "id", "source", "subject", "time", "traceparent")
_TOO_LARGE: Final = Rejected("too_large", f"$: at most {VALUE_MAX_BYTES} bytes")
_TOO_EARLY: Final = Rejected("not_an_event", "$.time: expected a time from year 1 on in UTC")
_FROM_THE_FUTURE: Final = Rejected("from_the_future", f"$.time: at most {AHEAD_MAX_S} s after the intake clock")

_encode_text: Final[Callable[[str], bytes]] = msgspec.json.Encoder().encode
_one_text: Final = msgspec.json.Decoder(msgspec.Raw).decode
_top_level: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_spaced_colon: Final = re.compile(rb'"[ \t\r\n]+:').search


class Accepted(Struct, frozen=True, gc=False):
    """An event that obeys the contract, and the bytes to append to the journal."""

    event: Event
    value: bytes


class Problem(Struct, frozen=True, gc=False):
    """Why one line of a file is not an event; the first line is 1."""

    line: int
    reason: Reason
    detail: str


class _Members(Struct, frozen=True, gc=False):
    """The members of one event type: how many must be there, the data's optional ones, and what may be there besides.

    `optional` holds names with their defaults, `besides` texts that are found exactly when their member is there.
    """

    required: int
    optional: tuple[tuple[str, object], ...]
    besides: tuple[bytes, ...]


def _members(name: str) -> _Members:
    fields = msgspec.structs.fields(EVENT_TYPES[name])
    needed = [field.name for field in fields if field.required]
    optional = tuple((field.name, field.default) for field in fields if not field.required)
    envelope = ["specversion", "type", "id", "source", "subject", "time"]
    besides = ["traceparent", "datacontenttype", "dataschema"]
    (envelope if needed else besides).append("data")
    return _Members(len(envelope) + len(needed), optional, tuple(map(_member_text, besides)))


def _member_text(name: str) -> bytes:
    return f'"{name}":'.encode()


_MEMBERS: Final[Mapping[type[Event], _Members]] = {made: _members(name) for name, made in EVENT_CLASSES.items()}


def read_event(value: bytes | None, headers: Sequence[tuple[str, bytes]], now_s: float) -> Accepted | Rejected:
    """The event in a record of an input topic, or why there is none; `now_s` is the intake clock, in epoch seconds.

    >>> read_event(b'{"specversion":"1.0","type":"usage.cancel_page.viewed","id":"7","source":"/app",'
    ...            b'"subject":"c-1","time":"2026-03-04T05:06:07Z","data":{}}', [], now_s=1_772_600_800).event.subject
    'c-1'
    >>> read_event(b"{}", [], now_s=0)
    Rejected(reason='not_an_event', detail='$: object missing required field `specversion`')
    """
    value = value or b""
    if len(value) > VALUE_MAX_BYTES:
        return _TOO_LARGE
    if headers:
        attributes = _binary_attributes(headers)
        if attributes is not None and not _is_structured(value):
            return _read_binary(value, attributes, now_s)
    try:
        event = decode_event(value)
    except (ValueError, RecursionError):
        return explain(value)
    # What the decoder does not look at: the text of unknown members, and members given twice.
    if not value.isascii() and not is_utf8(value):
        return explain(value)
    if len(value) > 2 * NESTING_MAX and nested_too_deep(value):
        return explain(value)
    if not _surely_once(value, event) and gives_a_member_twice(value):
        return explain(value)
    time_s = event.time.timestamp()
    if time_s > now_s + AHEAD_MAX_S:
        return _FROM_THE_FUTURE
    return Accepted(event, value) if time_s >= FIRST_TIME_S else _TOO_EARLY


def _surely_once(value: bytes, event: Event) -> bool:
    """Whether no member is given twice, told by counting; False means that the text must be parsed to know.

    An event was decoded from the text, so each required member is there. As long as no space stands before a colon,
    each member has one `":`, so the count leaves no room for a second one when every one beyond the required is
    accounted for: by an optional member whose value is not its default, or whose name stands in the text.
    """
    # The numbers are JSON's four spaces: a search for a single byte is ten times as fast as one for a text.
    if (32 in value or 10 in value or 13 in value or 9 in value) and _spaced_colon(value):
        return False
    members = _MEMBERS[type(event)]
    left = value.count(b'":') - members.required
    if not left:
        return True
    data = event.data
    unseen = []
    for name, default in members.optional:
        if getattr(data, name) is default:
            unseen.append(name)
        else:
            left -= 1
    if left:
        left -= sum(text in value for text in (*members.besides, *map(_member_text, unseen)))
    return not left


def _binary_attributes(headers: Sequence[tuple[str, bytes]]) -> dict[str, bytes | None] | None:
    """The `ce_` headers by attribute (None: given twice), or None when the record is in structured mode."""
    attributes: dict[str, bytes | None] = {}
    trace = None
    for name, content in headers:
        low = name.lower()
        if low.startswith("ce_"):
            attribute = low[3:]
            attributes[attribute] = None if attribute in attributes else content or b""
        elif low == "content-type" and content and content.lower().startswith(b"application/cloudevents"):
            return None
        elif low == "traceparent":
            trace = content
    if not attributes:
        return None
    if trace:
        attributes.setdefault("traceparent", trace)
    return attributes


def _is_structured(value: bytes) -> bool:
    if b'"specversion"' not in value:
        return False
    try:
        return "specversion" in _top_level(value)
    except (ValueError, RecursionError):
        return False


def _read_binary(value: bytes, attributes: Mapping[str, bytes | None], now_s: float) -> Accepted | Rejected:
    """Put the event together as structured JSON, and read that."""
    parts = []
    for attribute in _ATTRIBUTES:
        if attribute not in attributes:
            continue
        content = attributes[attribute]
        if content is None:
            return Rejected("not_an_event", f"$.{attribute}: header ce_{attribute} expected once")
        try:
            parts.append(b'"%b":%b,' % (attribute.encode(), _encode_text(content.decode())))
        except UnicodeDecodeError:
            return Rejected("not_an_event", f"$.{attribute}: header ce_{attribute} expected in UTF-8")
    data = value or b"{}"
    # On its own first: closing the object early would let the data speak for the envelope.
    try:
        _one_text(data)
    except (ValueError, RecursionError):
        return Rejected("not_json", f"$.data: {json_problem(data)}")
    built = b'{%b"data":%b}' % (b"".join(parts), data)
    return read_event(built, (), now_s)


def check_lines(lines: Iterable[bytes], now_s: float) -> Iterator[Problem]:
    """What is wrong with JSON lines of structured events, line by line; blank lines are passed over.

    >>> list(check_lines([b"\\n", b"[]\\n"], now_s=0))
    [Problem(line=2, reason='not_an_event', detail='$: expected `object`, got `array`')]
    """
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            continue
        read = read_event(text, (), now_s)
        if isinstance(read, Rejected):
            yield Problem(number, read.reason, read.detail)
