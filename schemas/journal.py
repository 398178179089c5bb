"""What the journal holds besides events: control records, which go to every partition.

Rules: a control record has no key, an event has one (its customer id); both are JSON CloudEvents; what a control
record says is all that the detectors know of the world outside their customers.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from schemas.fields import Name, Timestamp
from schemas.times import utc

CLOCK_SOURCE: Final = "/churnwatch/clock"
INTAKE_SOURCE: Final = "/churnwatch/intake"
POLICY_SOURCE: Final = "/churnwatch/policy"
LEARNER_SOURCE: Final = "/churnwatch/learner"
DETECTOR_SOURCE: Final = "/churnwatch/detector"

TICK_TYPE: Final = "churn.tick.v1"
FEED_TYPE: Final = "churn.feed.v1"
POLICY_TYPE: Final = "churn.policy.v1"
MODEL_TYPE: Final = "churn.model.v1"
INCIDENT_TYPE: Final = "churn.incident.v1"

Id = Annotated[str, Meta(min_length=1, description="the same saying has the same id")]


class Tick(Struct, frozen=True, gc=False, kw_only=True, tag_field="type", tag=TICK_TYPE):
    """The clock: everything up to `time` is to be looked at now."""

    specversion: Literal["1.0"] = "1.0"
    id: Id
    source: Name = CLOCK_SOURCE
    time: Timestamp

    @property
    def time_s(self) -> float:
        """The time in seconds since the epoch."""
        return self.time.timestamp()


class Feed(Struct, frozen=True, gc=False, kw_only=True):
    """One input topic as a whole, whatever the customer."""

    topic: Annotated[Name, Meta(description="the input topic, without prefix")]


class FeedHeard(Struct, frozen=True, gc=False, kw_only=True, tag_field="type", tag=FEED_TYPE):
    """A feed is alive: its newest event happened at `time`."""

    specversion: Literal["1.0"] = "1.0"
    id: Id
    source: Name = INTAKE_SOURCE
    time: Timestamp
    data: Feed


class PolicyChanged(Struct, frozen=True, gc=False, kw_only=True, tag_field="type", tag=POLICY_TYPE):
    """From this record on, this policy decides; `id` is its version, and `data` all of its numbers."""

    specversion: Literal["1.0"] = "1.0"
    id: Id
    source: Name = POLICY_SOURCE
    time: Timestamp
    data: msgspec.Raw


class ModelChanged(Struct, frozen=True, gc=False, kw_only=True, tag_field="type", tag=MODEL_TYPE):
    """From this record on, this model gives the probabilities; `id` is its version, and `data` its plain numbers."""

    specversion: Literal["1.0"] = "1.0"
    id: Id
    source: Name = LEARNER_SOURCE
    time: Timestamp
    data: msgspec.Raw


class Incident(Struct, frozen=True, gc=False, kw_only=True):
    """One cause that many customers share."""

    incident_id: Annotated[Name, Meta(description="the same cause has the same id in every partition")]
    signal: Annotated[Name, Meta(description="what rose for many at once")]
    started_at: Timestamp
    customers: Annotated[int, Meta(ge=0, description="of the partition that found it, when it did")]


class IncidentDeclared(Struct, frozen=True, gc=False, kw_only=True, tag_field="type", tag=INCIDENT_TYPE):
    """A partition found that a signal rose for many of its customers within an hour."""

    specversion: Literal["1.0"] = "1.0"
    id: Id
    source: Name = DETECTOR_SOURCE
    time: Timestamp
    data: Incident


Control = Tick | FeedHeard | PolicyChanged | ModelChanged | IncidentDeclared
"""Every kind of control record."""

CONTROL_TYPES: Final[Mapping[str, type[Control]]] = MappingProxyType(
    {
        TICK_TYPE: Tick,
        FEED_TYPE: FeedHeard,
        POLICY_TYPE: PolicyChanged,
        MODEL_TYPE: ModelChanged,
        INCIDENT_TYPE: IncidentDeclared,
    }
)
"""CloudEvents type → control record."""

decode_control: Final[Callable[[bytes], Control]] = msgspec.json.Decoder(Control).decode
"""Decode one control record of the journal; raises msgspec's errors for anything else."""

_ENCODE: Final = msgspec.json.Encoder().encode


def encode_tick(time_s: float) -> bytes:
    """A tick at a time in seconds since the epoch, kept to the microsecond: the same time gives the same bytes.

    >>> encode_tick(1_772_600_767.5).decode()
    '{"type":"churn.tick.v1","specversion":"1.0","id":"2026-03-04T05:06:07.500000Z","source":"/churnwatch/clock",\
"time":"2026-03-04T05:06:07.500000Z"}'
    >>> decode_control(encode_tick(1_772_600_767.5)).time.timestamp()
    1772600767.5
    """
    time = utc(time_s)
    name = time.isoformat().replace("+00:00", "Z")
    return _ENCODE(Tick(id=name, time=time))


def encode_policy_change(version: str, data: bytes, time_s: float) -> bytes:
    """A policy for the journal: its version, and all of its numbers as JSON.

    >>> encode_policy_change("default-1", b'{"name":"default"}', 1_772_600_767).decode()
    '{"type":"churn.policy.v1","specversion":"1.0","id":"default-1","source":"/churnwatch/policy",\
"time":"2026-03-04T05:06:07Z","data":{"name":"default"}}'
    """
    return _ENCODE(PolicyChanged(id=version, time=utc(time_s), data=msgspec.Raw(data)))


def encode_model_change(version: str, data: bytes, time_s: float) -> bytes:
    """A model for the journal: its version, and its plain numbers as JSON."""
    return _ENCODE(ModelChanged(id=version, time=utc(time_s), data=msgspec.Raw(data)))
