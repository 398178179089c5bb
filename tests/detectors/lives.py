"""Short histories for tests: events by day and hour, and the fold over them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import orjson

from detectors.assess import Assessor
from detectors.customer import Customer, load
from detectors.model import Model
from detectors.partition import Partition
from detectors.policy import Policy
from detectors.records import ALERTS, Snapshot
from detectors.rules import is_customer
from detectors.signals import CATALOGUE, Because, Moment, ramp
from schemas.alerts import AlertEvent, decode_alert
from schemas.journal import encode_model_change, encode_policy_change, encode_tick
from schemas.journal_dump import JournalRecord
from schemas.times import rfc3339

START_S = 1_767_225_600  # 2026-01-01T00:00:00Z
DAY_S = 86_400
POLICY = Policy()
MODEL = Model.prior(POLICY)


def at(day: float) -> str:
    """The time on the wire, that many days after the start."""
    return rfc3339(round(START_S + day * DAY_S))


def event(kind: str, day: float, /, *, customer: str = "c-1", id: str | None = None, **data: Any) -> bytes:
    """One event as journal bytes; without an id, type and time name it."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": id or f"{kind}@{day}",
            "source": "/test",
            "type": kind,
            "subject": customer,
            "time": at(day),
            "data": data,
        }
    )


def tick(day: float) -> bytes:
    """A tick, that many days after the start."""
    return encode_tick(round(START_S + day * DAY_S))


def new_policy(day: float, policy: Policy) -> bytes:
    """A record that brings a policy."""
    return encode_policy_change(policy.version, msgspec.json.encode(policy), START_S + day * DAY_S)


def new_model(day: float, model: Model) -> bytes:
    """A record that brings a model."""
    return encode_model_change(model.version, msgspec.json.encode(model), START_S + day * DAY_S)


def records(values: Iterable[bytes], first_offset: int = 0) -> list[JournalRecord]:
    """Journal records of values, keyed as intake keys them."""
    out = []
    for offset, value in enumerate(values, start=first_offset):
        said = orjson.loads(value)
        key = said["subject"].encode() if "subject" in said else None
        out.append(JournalRecord(offset, key, value, 0))
    return out


def partition(states: dict[bytes, bytes] | None = None, policy: Policy = POLICY, **options: Any) -> Partition:
    """A fold with the default policy and the prior model."""
    return Partition(0, {} if states is None else states, policy, Model.prior(policy), **options)


def fold(values: Iterable[bytes], policy: Policy = POLICY) -> tuple[Partition, Snapshot]:
    """Feed everything at once and take the snapshot."""
    p = partition(policy=policy)
    p.feed(records(values))
    return p, p.snapshot()


def alerts_of(snapshot: Snapshot) -> list[AlertEvent]:
    """The alert revisions of a snapshot."""
    return [decode_alert(value) for _, value, _ in snapshot.writes.get(ALERTS, ()) if value is not None]


def customer_after(values: Iterable[bytes], key: str = "c-1") -> Customer:
    """The state that a history leaves."""
    return load(fold(values)[0].states[key.encode()])


def read(code: str, values: Sequence[bytes], day: float) -> tuple[float | None, Because | None]:
    """Strength and reason of one signal after a history, at a time; None where it is unknown."""
    p, _ = fold(values)
    state = p.states.get(b"c-1")
    c = load(state) if state is not None else Customer()
    moment = Moment(POLICY, round(START_S + day * DAY_S), p.world.feed_s)
    moment.row = POLICY.signals[code]
    signal = CATALOGUE[code]
    value = signal.measure(c, moment)
    if value is None:
        return None, None
    strength = ramp(value, moment.row)
    return strength, signal.explain(c, moment, value) if strength > 0 else None


def content(states: dict[bytes, bytes]) -> dict[bytes, Customer]:
    """Every customer of a store, decoded."""
    return {key: load(state) for key, state in states.items() if is_customer(key)}


__all__ = [
    "Assessor",
    "alerts_of",
    "at",
    "content",
    "customer_after",
    "event",
    "fold",
    "partition",
    "read",
    "records",
    "tick",
]
