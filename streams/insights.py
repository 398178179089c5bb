"""What stands on `churn.insights`, from Kafka or from the file of a replay: for `churnwatch insights`.

Rules: only what was committed is read, without a group; the newest row of an id stands, a tombstone takes it back; a
row of a kind that this program does not know is shown as it is; what is no insight is passed over on the topic, where
others may write, and is an error in a file, which somebody has named.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from schemas.insights_learned import STATE_ID
from schemas.topics import INSIGHTS
from streams.failures import Failure
from streams.lines import read_lines
from streams.topic_reader import committed_records, partitions_of, reading

NOT_FOR_PEOPLE: Final = frozenset({STATE_ID})
"""Kinds that are left out unless they are asked for by name."""


@dataclass(frozen=True, slots=True)
class Row:
    """One insight: its bytes as they came, and the same decoded."""

    value: bytes
    fields: dict[str, Any]

    @property
    def insight_id(self) -> str:
        """What it is about."""
        return str(self.fields["insight_id"])

    @property
    def kind(self) -> str:
        """What kind of insight it is."""
        return str(self.fields["kind"])


def row_of(value: bytes) -> Row | None:
    """A row, or None for what is no insight.

    >>> row_of(b'{"kind":"incident","insight_id":"incident/1","as_of":"","text":""}').kind
    'incident'
    >>> row_of(b"[1]"), row_of(b"{}"), row_of(b"?")
    (None, None, None)
    """
    try:
        fields = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(fields, dict) or not all(isinstance(fields.get(name), str) for name in ("insight_id", "kind")):
        return None
    return Row(value, fields)


async def standing(bootstrap: str, prefix: str) -> list[Row]:
    """The rows that stand on the topic, in order of their ids; raises Failure for a missing topic or broker."""
    topic, found = prefix + INSIGHTS, dict[bytes, bytes]()
    async with reading(bootstrap, "churnwatch-insights") as consumer:
        for number in await partitions_of(consumer, topic, prefix):
            async for record in committed_records(consumer, topic, number):
                key = record.key or b""
                if record.value is None:
                    found.pop(key, None)
                else:
                    found[key] = record.value
    return in_order(row for value in found.values() if (row := row_of(value)) is not None)


def in_file(path: str) -> list[Row]:
    """The rows of a file, such as `replay --insights` writes; raises Failure where it cannot be read as one."""
    found: dict[str, Row] = {}
    for number, line in read_lines(path):
        row = row_of(line)
        if row is None:
            raise Failure(f"{path}, line {number}: not an insight, which has `insight_id` and `kind`")
        found[row.insight_id] = row
    return in_order(found.values())


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Rows by their ids, one of a few words before those that begin with it."""
    return sorted(rows, key=lambda row: row.insight_id)


def wanted(rows: Iterable[Row], kinds: tuple[str, ...], group: str | None) -> list[Row]:
    """The rows of these kinds (all that are for people, without any) and of a group of customers."""
    return [
        row
        for row in rows
        if (row.kind in kinds if kinds else row.kind not in NOT_FOR_PEOPLE)
        and (group is None or row.fields.get("group") == group)
    ]
