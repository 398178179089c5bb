"""The kinds of value that the contracts are made of.

Rules: a number is finite and has bounds; a timestamp has an offset; a name that something is looked up by is not
empty; other text is free. A bound is far outside what a business can mean, and keeps every later sum finite.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

Name = Annotated[str, Meta(min_length=1)]
"""Text that something is looked up by: an id, a code, a feature, a channel."""

Timestamp = Annotated[datetime, Meta(tz=True)]
"""RFC 3339 with an offset."""

Amount = Annotated[float, Meta(ge=0, le=1e15, description="money, in the event's currency or the policy's")]
"""Money in the event's `currency`; what goes back to the customer is an event of its own, not a negative number."""

Quantity = Annotated[float, Meta(ge=0, le=1e15, description="in the unit of the quota")]
"""How much of something, in the unit of the quota."""

Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", max_length=3, description="ISO 4217; the policy's when left out")]
"""An ISO 4217 code."""

Seconds = Annotated[float, Meta(ge=0, le=1e9, description="in seconds")]
"""A duration in seconds."""

Hours = Annotated[float, Meta(gt=0, le=1e6)]
"""A duration in hours that something is divided by: never 0."""

Months = Annotated[int, Meta(ge=0, le=1_200, description="in months")]
"""A duration in months."""

Count = Annotated[int, Meta(ge=1, le=1_000_000_000, description="how often it happened")]
"""How often it happened: an event says that it did, so at least once."""

Seats = Annotated[int, Meta(ge=0, le=1_000_000_000)]
"""A number of seats."""

Attempt = Annotated[int, Meta(ge=0, le=1_000_000, description="which try it was")]
"""Which try it was."""

Tone = Annotated[float, Meta(ge=-1, le=1, description="-1 the worst to 1 the best")]
"""From -1, the worst, to 1, the best."""

Csat = Annotated[float, Meta(ge=1, le=5, description="customer satisfaction")]
"""Customer satisfaction, from 1 to 5."""

SurveyScore = Annotated[float, Meta(ge=0, le=10, description="0 to 10 for `nps`, 1 to 5 for `csat`")]
"""A survey's answer: 0 to 10 for `nps`, 1 to 5 for `csat`."""

Probability = Annotated[float, Meta(ge=0, le=1)]
"""From 0 to 1."""

WireTime = Annotated[
    str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", max_length=20, extra_json_schema={"format": "date-time"})
]
"""A time that we write: RFC 3339, UTC, whole seconds (`schemas.times.rfc3339`)."""


class Data(Struct, frozen=True, gc=False, omit_defaults=True):
    """The base of what an event says: never changed, never part of a cycle, absent fields left out when written."""
