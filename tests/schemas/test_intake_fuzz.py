"""Whatever comes in, intake answers, and what it accepts it can read again."""

import json
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.deadletters import REASONS
from schemas.events import EVENT_TYPES, decode_event, encode_event
from schemas.intake import Accepted, Rejected, read_event
from schemas.strict_json import gives_a_member_twice, json_problem

GOLDEN = {path.stem: path.read_bytes() for path in (Path(__file__).parents[1] / "golden" / "events").iterdir()}
NOW_S = 1_772_700_000.0

names = st.sampled_from(sorted(GOLDEN))
headers = st.lists(
    st.tuples(
        st.sampled_from(["ce_specversion", "ce_type", "ce_id", "CE_source", "ce_subject", "ce_time", "content-type"])
        | st.text(max_size=8),
        st.sampled_from([b"1.0", b"2026-03-04T05:06:07Z", b"application/cloudevents+json", *map(str.encode, GOLDEN)])
        | st.binary(max_size=40),
    ),
    max_size=9,
)
awkward = st.sampled_from(
    [
        *("", "\x00", '"', "\\", "\u2028", "\ud800", "😀"),
        *("2026-03-04T05:06:07", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00Z"),
        *(-1, 0, 0.0, -0.0, 1e308, 5e-324, 2**53, 2**63, 2**64, 10**400, True, None),
    ]
)
anything = st.recursive(
    awkward | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def assert_answered(value: bytes | None, heads: list[tuple[str, bytes]]) -> None:
    read = read_event(value, heads, NOW_S)
    if isinstance(read, Rejected):
        assert read.reason in REASONS
        return
    assert json_problem(read.value) is None
    assert decode_event(read.value) == read.event
    assert decode_event(encode_event(read.event)) == read.event
    assert Accepted(read.event, read.value) == read_event(read.value, [], NOW_S)
    assert read.event.subject.encode()
    assert len(read.event.id) <= 128


@settings(deadline=None)
@given(st.none() | st.binary(max_size=200), headers)
@example(b"\xef\xbb\xbf{}", [])
@example(b"[" * 3_000, [])
@example(b"{}", [("ce_", b""), ("ce_", b"")])
def test_any_bytes_and_headers_are_answered(value: bytes | None, heads: list[tuple[str, bytes]]) -> None:
    assert_answered(value, heads)


@given(names, st.data())
@settings(max_examples=300, deadline=None)
def test_an_event_with_damaged_bytes_is_answered(name: str, draw: st.DataObject) -> None:
    value = GOLDEN[name]
    for _ in range(draw.draw(st.integers(1, 3))):
        at, until = sorted(draw.draw(st.tuples(*[st.integers(0, len(value))] * 2)))
        patch = draw.draw(st.sampled_from([b"", value[at:until] * 2]) | st.binary(max_size=4))
        value = value[:at] + patch + value[until:]
    assert_answered(value, [])


@given(names, st.data())
@settings(max_examples=300, deadline=None)
def test_an_event_with_other_values_is_answered(name: str, draw: st.DataObject) -> None:
    told: dict[str, Any] = json.loads(GOLDEN[name])
    place = draw.draw(st.sampled_from([told, told["data"]]))
    place[draw.draw(st.sampled_from([*place, "unknown"]))] = draw.draw(anything)
    # Also what JSON does not allow, and Python writes: NaN, Infinity, lone surrogates.
    assert_answered(json.dumps(told, ensure_ascii=draw.draw(st.booleans())).encode(errors="surrogatepass"), [])


@given(names, st.binary(max_size=60) | anything.map(lambda value: json.dumps(value).encode()), headers)
@settings(max_examples=200, deadline=None)
def test_a_binary_event_with_any_data_and_headers_is_answered(
    name: str, value: bytes, more: list[tuple[str, bytes]]
) -> None:
    told = {attribute: text for attribute, text in json.loads(GOLDEN[name]).items() if attribute != "data"}
    assert_answered(value, [*((f"ce_{attribute}", text.encode()) for attribute, text in told.items()), *more])


@given(names, st.data())
@settings(max_examples=300, deadline=None)
def test_no_event_that_gives_a_member_twice_is_accepted(name: str, draw: st.DataObject) -> None:
    told: dict[str, Any] = json.loads(GOLDEN[name])
    data = told["data"]
    optional = [field.name for field in msgspec.structs.fields(EVENT_TYPES[name]) if not field.required]
    for field in draw.draw(st.sets(st.sampled_from(optional))) if optional else ():
        del data[field]
    spacing = draw.draw(st.sampled_from([(",", ":"), (", ", ": "), (",", " :"), (",\n", "\t:\r")]))
    members = list(told.items())
    twice = draw.draw(st.sampled_from(members))
    inside = list(data.items())
    twice_inside = draw.draw(st.lists(st.sampled_from(inside), max_size=2)) if inside else []
    if draw.draw(st.booleans()):
        members.insert(draw.draw(st.integers(0, len(members))), twice)
    text = written(
        [
            (key, written(inside + twice_inside, spacing) if key == "data" else json.dumps(value))
            for key, value in members
        ],
        spacing,
        plain=False,
    ).encode()
    doubled = len(members) > len(told) or bool(twice_inside)
    assert gives_a_member_twice(text) == doubled
    assert isinstance(read_event(text, [], NOW_S), Rejected) == doubled


def written(members: list[tuple[str, Any]], spacing: tuple[str, str], *, plain: bool = True) -> str:
    """A JSON object of these members, in this order, as often as they stand here."""
    comma, colon = spacing
    texts = [f'"{key}"{colon}{json.dumps(value) if plain else value}' for key, value in members]
    return "{" + comma.join(texts) + "}"
