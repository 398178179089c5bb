"""From what happened to what is published: event ids, CloudEvent JSON, and the topic it belongs on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import asdict, replace

from schemas.events import TOPIC_OF_TYPE, TYPE_OF
from schemas.fields import Data
from streams.durations import format_time

SOURCE_OF_TOPIC: Final[Mapping[str, str]] = {
    "billing.events": "/simulated/billing",
    "support.events": "/simulated/support",
    "app-errors.events": "/simulated/app",
    "usage.events": "/simulated/usage",
    "engagement.events": "/simulated/engagement",
    "retention.feedback": "/simulated/retention",
}
_encode = msgspec.json.Encoder().encode


class Told(NamedTuple):
    """One happening of a known customer; its number is its place in that customer's life, or a name of its own."""

    time_s: float
    customer_id: str
    number: int | str
    data: Data


class Emission(NamedTuple):
    """One record to publish: when it happened, its topic without prefix, its key, and its bytes."""

    time_s: float
    topic: str
    customer_id: str
    value: bytes


def emission(told: Told) -> Emission:
    """The structured CloudEvent of a happening; its id follows from the customer and the number."""
    name = TYPE_OF[type(told.data)]
    topic = TOPIC_OF_TYPE[name]
    event = {
        "specversion": "1.0",
        "id": f"{told.customer_id}-{told.number}",
        "source": SOURCE_OF_TOPIC[topic],
        "type": name,
        "subject": told.customer_id,
        "time": format_time(told.time_s),
        "data": told.data,
    }
    return Emission(told.time_s, topic, told.customer_id, _encode(event))


def restamped(told: Told, time_s: float) -> Told:
    """The same happening at another time; times in its data move along, so a promise due in two days still is."""
    moved = timedelta(seconds=time_s - told.time_s)
    times = {field: value + moved for field, value in asdict(told.data).items() if isinstance(value, datetime)}
    return told._replace(time_s=time_s, data=replace(told.data, **times) if times else told.data)
