"""A journal as a file: one JSON object a line, enough to fold it again bit for bit.

Rules: what is text is written as text, for people; what is not valid UTF-8 is written in base64; a record comes back
exactly as it was.
"""

import base64
from collections.abc import Callable, Sequence
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta, Struct


class JournalRecord(NamedTuple):
    """One record of a journal partition, with the names that a Kafka client gives it."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: Sequence[tuple[str, bytes]] = ()


class JournalLine(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One line of `churnwatch journal dump`."""

    partition: Annotated[int, Meta(ge=0)]
    offset: Annotated[int, Meta(ge=0)]
    timestamp_ms: int
    key: str | None = None
    value: str | None = None
    key_base64: str | None = None
    value_base64: str | None = None
    headers: list[tuple[str, str]] = []

    def record(self) -> JournalRecord:
        """The record as it was; raises ValueError where base64 is broken."""
        return JournalRecord(
            self.offset,
            _bytes(self.key, self.key_base64),
            _bytes(self.value, self.value_base64),
            self.timestamp_ms,
            tuple((name, base64.b64decode(value, validate=True)) for name, value in self.headers),
        )


def _bytes(text: str | None, packed: str | None) -> bytes | None:
    if packed is not None:
        return base64.b64decode(packed, validate=True)
    return None if text is None else text.encode()


def _text(data: bytes | None) -> tuple[str | None, str | None]:
    if data is None:
        return None, None
    try:
        return data.decode(), None
    except UnicodeDecodeError:
        return None, base64.b64encode(data).decode()


def journal_line(partition: int, record: JournalRecord) -> JournalLine:
    """The line of a record.

    >>> r = JournalRecord(7, b"c-1", b"\\xff", 0)
    >>> journal_line(3, r).record() == r
    True
    """
    key, key_base64 = _text(record.key)
    value, value_base64 = _text(record.value)
    return JournalLine(
        partition=partition,
        offset=record.offset,
        timestamp_ms=record.timestamp,
        key=key,
        value=value,
        key_base64=key_base64,
        value_base64=value_base64,
        headers=[(name, base64.b64encode(value).decode()) for name, value in record.headers],
    )


encode_journal_line: Final[Callable[[JournalLine], bytes]] = msgspec.json.Encoder().encode
"""One line as compact JSON without its end."""

decode_journal_line: Final[Callable[[bytes], JournalLine]] = msgspec.json.Decoder(JournalLine).decode
"""Decode one line; raises msgspec's errors for anything else."""
