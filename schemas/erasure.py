"""The receipt of an erasure: a row of `churn.insights` that says what went, and until when logs still hold the rest.

Rules: it names no customer and quotes nothing of the request: its id is a digest of the request's own `source` and
`id`, which whoever asked knows; when logs let go follows from the table of topics (schemas/topics.py), with a segment's
time on top, since Kafka drops whole segments; a broker that keeps records longer than the table says holds them longer.
"""

from collections.abc import Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import Annotated, Final

from msgspec import Meta, Struct

from schemas.fields import Name, WireTime
from schemas.insights import Insight
from schemas.times import rfc3339
from schemas.topics import COMPACTED_WITHIN_MS, DAY_MS, INSIGHTS, STATE_TABLE, TOPICS

SEGMENT_MS: Final = 7 * DAY_MS
"""Kafka's own `segment.ms`: a record goes with its segment, which may be this much younger at its end."""

DIGEST_BYTES: Final = 16
CHANGELOG: Final = f"{STATE_TABLE}-changelog"
HELD_MS: Final[Mapping[str, int]] = MappingProxyType(
    {name: topic.retention_ms or COMPACTED_WITHIN_MS for name, topic in TOPICS.items() if name != INSIGHTS}
    | {CHANGELOG: COMPACTED_WITHIN_MS}
)
"""Topic with records of single customers (without prefix) → for how long one stays after it was written, in ms."""


class Held(Struct, frozen=True, kw_only=True):
    """A log that holds records of the customer still."""

    topic: Annotated[Name, Meta(description="without prefix; `state-changelog` is that of the app id")]
    until: Annotated[WireTime, Meta(description="by then Kafka has dropped them, if the topic is set up as it should")]


class Erased(Insight, frozen=True, kw_only=True, tag="erasure"):
    """A customer was erased: the receipt, which names nobody. One row per request."""

    receipt: Annotated[Name, Meta(description="digest of the request's `source` and `id`")]
    found: Annotated[bool, Meta(description="whether anything was remembered of the customer")]
    alert_ended: Annotated[bool, Meta(description="whether an open alert was ended by it")]
    new_customer: Annotated[bool, Meta(description="whether later events of the same id start a new customer")]
    refused_until: Annotated[WireTime, Meta(description="so long events from before it (or all) are refused")]
    held: tuple[Held, ...]
    held_until: Annotated[WireTime, Meta(description="the latest of them")]


def receipt_of(source: str, event_id: str) -> str:
    """The receipt's number: a digest of the request's identity, never of the customer.

    >>> receipt_of("/desk", "r-1")
    'a557aec5e8a046e94ee7d8d47a46f570'
    """
    return blake2b(f"{source}\0{event_id}".encode(), digest_size=DIGEST_BYTES).hexdigest()


def receipt_key(receipt: str) -> str:
    """The `insight_id` of a receipt."""
    return f"erasure/{receipt}"


def held_until(as_of_s: int) -> tuple[Held, ...]:
    """Until when each log may hold what was written of a customer up to a time, by name of the topic."""
    return tuple(
        Held(topic=name, until=rfc3339(as_of_s + (keeps_ms + SEGMENT_MS) // 1_000))
        for name, keeps_ms in sorted(HELD_MS.items())
    )
