"""The core's work on one customer at a time, for engines that keep the state of a key themselves.

Rules: what happens to an event is `Partition`'s own code; a customer is assessed with the first event in each half
second of event time by which a signal may have changed, which is as often as at ticks; a customer not seen before has
lived (benchmarks.lives).
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from benchmarks.events import Record
from detectors.customer import Customer, dump, load
from detectors.model import Model
from detectors.partition import Partition
from detectors.policy import Policy
from detectors.records import Write


class OneCustomer(Partition):
    """A fold that holds no customer longer than one event."""

    def __init__(self, lived: list[bytes]) -> None:
        super().__init__(0, {}, Policy(), Model.prior(Policy()))
        self.lived = lived
        self._looked: dict[bytes, bytes] = {}

    def first(self, key: bytes) -> bytes:
        """State bytes of a customer of whom the engine has none yet."""
        return self.lived[int(key[1:]) % len(self.lived)]

    def step(self, customer: Customer, key: bytes, value: bytes, offset: int) -> tuple[Customer, list[Write]]:
        """Apply one event; the customer after it, and what is to be written to other topics."""
        record = Record(offset, key, value)
        hot = self.hot
        hot[key] = customer
        self.position = 0  # the engine sees to the order
        self._run((record,))
        half_second = half_second_of(value)
        waits = customer.stale or customer.due_s <= customer.last_s
        if waits and self._looked.get(key) != half_second:
            self._looked[key] = half_second
            self._look_at((key,), customer.last_s, record)
        customer = hot.pop(key)
        self.dirty.clear()
        self.touched.clear()
        found = [write for writes in self.out.writes.values() for write in writes]
        self.out.writes.clear()
        return customer, found

    def step_bytes(self, state: bytes | None, key: bytes, value: bytes, offset: int) -> tuple[bytes, list[Write]]:
        """The same from state bytes (None: not seen before) to state bytes."""
        customer, writes = self.step(load(state or self.first(key)), key, value, offset)
        return dump(customer), writes


def half_second_of(value: bytes) -> bytes:
    """The half second of event time in which an event of benchmarks.events lies, as text that differs for each.

    >>> half_second_of(b'{"time":"2025-10-09T08:53:20.750Z"}')
    b'2025-10-09T08:53:20+'
    """
    at = value.index(b'"time":"') + 8
    return value[at : at + 19] + (b"+" if value[at + 20] >= 0x35 else b"-")


def write_lives(path: Path, lived: list[bytes]) -> None:
    """Keep lived states for a peer's process."""
    path.write_bytes(msgspec.msgpack.encode(lived))


def read_lives(path: Path) -> list[bytes]:
    """What `write_lives` kept."""
    return msgspec.msgpack.decode(path.read_bytes(), type=list[bytes])
