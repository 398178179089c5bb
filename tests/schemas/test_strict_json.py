"""What counts as JSON."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.strict_json import NESTING_MAX, gives_a_member_twice, is_utf8, json_problem, nested_too_deep

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None)
@given(values, st.booleans())
def test_what_a_writer_of_json_writes_is_json(value: object, ascii_only: bool) -> None:
    assert json_problem(json.dumps(value, ensure_ascii=ascii_only).encode()) is None


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_judged(value: bytes) -> None:
    problem = json_problem(value)
    assert (problem is None) <= is_utf8(value)


def test_brackets_inside_strings_do_not_nest() -> None:
    assert not nested_too_deep(json.dumps(["[{" * 1_000, '"[', '\\"[' * 200]).encode())


@pytest.mark.parametrize("pair", [("[", "]"), ('{"a":', "}")])
def test_nesting_is_allowed_to_the_limit_and_not_beyond(pair: tuple[str, str]) -> None:
    opened, closed = pair
    at, beyond = (f"{opened * depth}1{closed * depth}".encode() for depth in (NESTING_MAX, NESTING_MAX + 1))
    assert json_problem(at) is None
    assert json_problem(beyond) == f"nested more than {NESTING_MAX} deep"


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert json_problem(b"[" + b"[]," * 10_000 + b"{}]") is None


@pytest.mark.parametrize("value", [b'{"a":1,"a":1}', b'[{"b":{"a":1,"\\u0061":2}}]', b'{"":1,"":2}'])
def test_a_member_given_twice_is_found_at_any_depth(value: bytes) -> None:
    assert gives_a_member_twice(value)


def test_numbers_of_any_size_are_json() -> None:
    assert json_problem(b"[1e999," + b"9" * 10_000 + b"]") is None
