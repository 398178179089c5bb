"""What counts as JSON here: one text that every reader understands alike (I-JSON, RFC 7493).

Rules: UTF-8 without a byte order mark, no lone surrogates, no member twice in one object, and nested no deeper than
NESTING_MAX, so that a decoder's answer does not depend on how deep its caller stands. How large a number may be is
not a question of JSON. Nothing here raises for any bytes.
"""

import json
import re
from typing import Any, Final

import msgspec

NESTING_MAX: Final = 256

_parse: Final = msgspec.json.Decoder(msgspec.Raw).decode
_strings: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_brackets: Final = re.compile(rb"[\[\]{}]")


class _GivenTwiceError(Exception):
    """A member was met twice in one object."""


def is_utf8(value: bytes) -> bool:
    """Whether the bytes are UTF-8; ASCII is told at once.

    >>> is_utf8("é".encode()), is_utf8("é".encode("latin-1"))
    (True, False)
    """
    if value.isascii():
        return True
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def nested_too_deep(value: bytes) -> bool:
    """Whether a JSON text is nested deeper than NESTING_MAX.

    >>> nested_too_deep(b"[" * 257 + b"]" * 257), nested_too_deep(b"[" * 256 + b"]" * 256)
    (True, False)
    """
    # What is opened must be closed: a short text cannot be deep, and one with few brackets neither.
    if len(value) <= 2 * NESTING_MAX or value.count(b"{") + value.count(b"[") <= NESTING_MAX:
        return False
    depth = 0
    for bracket in _brackets.findall(_strings.sub(b"", value)):
        depth += 1 if bracket in b"[{" else -1
        if depth > NESTING_MAX:
            return True
    return False


def _once(members: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in members}) != len(members):
        raise _GivenTwiceError


def _no_number(_text: str) -> None:
    return None


def gives_a_member_twice(value: bytes) -> bool:
    """Whether an object anywhere in a JSON text names a member twice; the text must not be nested too deep.

    >>> gives_a_member_twice(b'{"id":1,"id":1}'), gives_a_member_twice(b'[{"id":1},{"id":1}]')
    (True, False)
    """
    try:
        json.loads(value, object_pairs_hook=_once, parse_int=_no_number, parse_float=_no_number)
    except _GivenTwiceError:
        return True
    return False


def json_problem(value: bytes) -> str | None:
    """Why the bytes are not JSON as it is meant here, or None when they are.

    >>> json_problem(b'{"id":1}'), json_problem(b"{")
    (None, 'not JSON, or cut short')
    """
    if not value:
        return "empty"
    if value.startswith(b"\xef\xbb\xbf"):
        return "starts with a byte order mark"
    if not is_utf8(value):
        return "not UTF-8"
    if nested_too_deep(value):
        return f"nested more than {NESTING_MAX} deep"
    try:
        _parse(value)
    except (ValueError, RecursionError):
        return "not JSON, or cut short"
    return "a member is given twice" if gives_a_member_twice(value) else None
