"""A small fold with the interface of detectors.partition.Partition, whose state shows every lost or doubled record.

A customer's state is the fence, a count and a running checksum of all its record values; every 50th record of a
customer makes an alert, and every record with the value `poison` a dead letter.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple
from zlib import crc32

STATE = struct.Struct(">QII")
ALERT_EVERY = 50


class Snapshot(NamedTuple):
    states: list[tuple[bytes, bytes | None]]
    writes: dict[str, list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]]]


class StandIn:
    """The fold of one partition."""

    def __init__(self, number: int, states: dict[bytes, bytes]) -> None:
        self.number, self.states = number, states
        self.dirty: dict[bytes, tuple[int, int, int]] = {}
        self.writes: dict[str, list[Any]] = {}
        self.stats: Counter[str] = Counter()
        self.ticks = 0
        self.position = 0
        if b"" in states:
            self.position, self.ticks, _ = STATE.unpack(states[b""])

    def calls(self) -> dict[str, tuple[int, int]]:
        return {}

    def feed(self, records: Sequence[Any]) -> None:
        for record in records:
            if record.offset < self.position:
                self.stats["fence_skips"] += 1
                continue
            self.position = record.offset + 1
            if record.key is None:
                self.ticks += 1
                continue
            self._take(record)

    def _take(self, record: Any) -> None:
        key, value = record.key, record.value
        old = self.dirty.get(key)
        if old is None:
            old = STATE.unpack(self.states[key]) if key in self.states else (0, 0, 0)
        _, count, checksum = old
        self.dirty[key] = (record.offset + 1, count + 1, crc32(value or b"", checksum))
        if value == b"poison":
            self.writes.setdefault("churn.dlq", []).append((key, value, [("churn_dlq-reason", b"detector_failed")]))
        if (count + 1) % ALERT_EVERY == 0:
            alert = b"%s:%d:%d" % (key, count + 1, record.offset)
            self.writes.setdefault("churn.alerts", []).append((key, alert, [("risk_level", b"high")]))

    def snapshot(self) -> Snapshot:
        states: list[tuple[bytes, bytes | None]] = [(key, STATE.pack(*state)) for key, state in self.dirty.items()]
        states.append((b"", STATE.pack(self.position, self.ticks, 0)))
        for key, value in states:
            assert value is not None
            self.states[key] = value
        taken = Snapshot(states, self.writes)
        self.dirty, self.writes = {}, {}
        return taken
