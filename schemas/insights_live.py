"""The insights that detectors find as they go: silent sources, common causes, calls given up.

Rules: those of schemas/insights.py; a row is written by one partition of the journal, in the transaction of its
checkpoint, so a reader with `isolation.level=read_committed` sees nothing that is taken back by a crash.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final

from msgspec import Meta, Struct

from schemas.fields import Name, Probability, WireTime
from schemas.insights import Insight

Number = Annotated[int, Meta(ge=0)]


class SourceSilent(Insight, frozen=True, kw_only=True, tag="source_silent"):
    """Nothing comes from a source, for anybody: no customer is called silent for it meanwhile. One row per source."""

    source: Annotated[Name, Meta(description="the input topic, without prefix")]
    since: Annotated[WireTime, Meta(description="its newest event")]
    until: Annotated[WireTime, Meta(description="when it spoke again")] | None


class CommonCause(Insight, frozen=True, kw_only=True, tag="incident"):
    """One cause that many customers share; their alerts carry its id as `common_cause`. One row per incident."""

    incident_id: Name
    cause: Annotated[Name, Meta(description="`technology` or `availability`")]
    signal: Annotated[Name, Meta(description="the signal that rose for most when it was found")]
    started_at: WireTime
    ended_at: Annotated[WireTime, Meta(description="when it rose for the last customer")] | None
    customers: Annotated[Number, Meta(description="for whom it rose, over all partitions, as last reported")]
    also_known_as: Annotated[tuple[str, ...], Meta(description="ids of the same incident, found elsewhere at once")]


class HourOfCalls(Struct, frozen=True, kw_only=True):
    """Calls that began to wait within one hour."""

    hour: Annotated[int, Meta(ge=0, le=23, description="of the day, UTC")]
    calls: Number
    abandoned: Annotated[Number, Meta(description="given up after more than `abandon_after_s`")]


class CallAbandonment(Insight, frozen=True, kw_only=True, tag="call_abandonment"):
    """Calls given up on one day, by the customers of one journal partition: the rows of a day add up to all of it."""

    date: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$", description="UTC")]
    partition: Number
    calls: Number
    abandoned: Number
    ratio: Annotated[Probability, Meta(description="of this partition; add up `abandoned` and `calls` for all of it")]
    hours: tuple[HourOfCalls, ...]


LIVE_INSIGHTS: Final[Mapping[str, type[Insight]]] = MappingProxyType(
    {"source_silent": SourceSilent, "incident": CommonCause, "call_abandonment": CallAbandonment}
)
"""Kind → row."""
