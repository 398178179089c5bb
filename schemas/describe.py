"""The event types as Markdown tables, for docs/events.md.

Rules: everything here derives from the Structs; the text between the two markers of a document is ours, the rest is
its author's, and a test compares the document with what this makes of it.
"""

from typing import Any, Final

import msgspec

from schemas.deadletters import REASONS
from schemas.events import EVENT_TYPES, TYPES_OF_TOPIC
from schemas.fields import Data

_BLOCK: Final = ("<!-- begin {name}: made by schemas.describe -->", "<!-- end {name} -->")

Json = dict[str, Any]


def described(document: str) -> str:
    """The document with its generated parts as they should be now; raises ValueError when a marker is missing."""
    for name, text in (("event types", event_tables()), ("reasons", reason_table())):
        begin, end = (marker.format(name=name) for marker in _BLOCK)
        if document.count(begin) != 1 or document.count(end) != 1:
            raise ValueError(f"one {begin} and one {end} expected")
        head, rest = document.split(begin)
        document = f"{head}{begin}\n\n{text}\n{end}{rest.split(end)[1]}"
    return document


def reason_table() -> str:
    """Every dead-letter reason and what it means, as a table."""
    rows = [f"| `{reason}` | {meaning} |" for reason, meaning in REASONS.items()]
    return "\n".join(["| reason | meaning |", "| --- | --- |", *rows, ""])


def event_tables() -> str:
    """Every topic with its types, and every type with its fields."""
    parts = []
    for topic, types in TYPES_OF_TOPIC.items():
        parts.append(f"### Topic `{topic}`\n")
        parts.extend(_type(name, data) for name, data in types.items())
    return "\n".join(parts)


def _type(name: str, data: type[Data]) -> str:
    schema = msgspec.json.schema_components([data])[1]
    head = f"#### `{name}`\n\n{(EVENT_TYPES[name].__doc__ or '').strip()}\n"
    rows = [
        f"| `{field.name}` | {_kind(schema[data.__name__]['properties'][field.name], schema)} "
        f"| {'yes' if field.required else _default(field.default)} "
        f"| {_meaning(schema[data.__name__]['properties'][field.name])} |"
        for field in msgspec.structs.fields(data)
    ]
    if not rows:
        return f"{head}\nNo fields: `data` is `{{}}`, or is left out.\n"
    return "\n".join([head, "| field | kind | required | meaning |", "| --- | --- | --- | --- |", *rows, ""])


def _default(default: object) -> str:
    return "no" if default is None else f"no, `{msgspec.json.encode(default).decode()}`"


def _given(schema: Json) -> Json:
    """The schema of a value that is there: without the alternative `null`."""
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind != {"type": "null"}]
    given: Json = kinds[0]
    return given


def _meaning(schema: Json) -> str:
    return str(_given(schema).get("description", ""))


def _kind(schema: Json, structs: Json) -> str:
    """What a field may hold, in words."""
    given = _given(schema)
    if "enum" in given:
        return " or ".join(f"`{word}`" for word in given["enum"])
    if given.get("type") == "array":
        fields = structs[given["items"]["$ref"].rsplit("/", 1)[1]]["properties"]
        inside = "; ".join(f"`{name}` {_kind(field, structs)}" for name, field in fields.items())
        return f"list of objects: {inside}"
    kind = given["type"]
    if kind == "string":
        return _text_kind(given)
    if kind == "boolean":
        return "true or false"
    return ("whole number" if kind == "integer" else "number") + _bounds(given)


def _text_kind(given: Json) -> str:
    if given.get("format") == "date-time":
        return "time, RFC 3339 with offset"
    if "pattern" in given:
        return f"text like `{given['pattern']}`"
    return "text, not empty" if given.get("minLength") else "text"


def _bounds(given: Json) -> str:
    low = f"above {given['exclusiveMinimum']:g}, up" if "exclusiveMinimum" in given else f"{given['minimum']:g}"
    return f", {low} to {given['maximum']:g}".replace("e+", "e")
