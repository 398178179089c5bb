"""What the journal holds besides events: control records, which go to every partition.

Rules: a control record has no key, an event has one (its customer id); both are JSON CloudEvents; what a control
record says is all that the detectors know of the world outside their customers.
"""

from collections.abc import Callable
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from schemas.fields import Timestamp
from schemas.times import utc

CLOCK_SOURCE: Final = "/churnwatch/clock"

TICK_TYPE: Final = "churn.tick.v1"


class Tick(Struct, frozen=True, gc=False, kw_only=True, tag_field="type", tag=TICK_TYPE):
    """The clock: everything up to `time` is to be looked at now."""

    specversion: Literal["1.0"] = "1.0"
    id: Annotated[str, Meta(min_length=1, description="the same time has the same id")]
    source: Annotated[str, Meta(min_length=1)] = CLOCK_SOURCE
    time: Timestamp

    @property
    def time_s(self) -> float:
        """The time in seconds since the epoch."""
        return self.time.timestamp()


Control = Tick
"""Every kind of control record; a union as soon as there are more."""

decode_control: Final[Callable[[bytes], Control]] = msgspec.json.Decoder(Control).decode
"""Decode one control record of the journal; raises msgspec's errors for anything else."""

_ENCODE: Final = msgspec.json.Encoder().encode


def encode_tick(time_s: float) -> bytes:
    """A tick at a time in seconds since the epoch, kept to the microsecond: the same time gives the same bytes.

    >>> encode_tick(1_772_600_767.5).decode()
    '{"type":"churn.tick.v1","specversion":"1.0","id":"2026-03-04T05:06:07.500000Z","source":"/churnwatch/clock",\
"time":"2026-03-04T05:06:07.500000Z"}'
    >>> decode_control(encode_tick(1_772_600_767.5)).time_s
    1772600767.5
    """
    time = utc(time_s)
    name = time.isoformat().replace("+00:00", "Z")
    return _ENCODE(Tick(id=name, time=time))
