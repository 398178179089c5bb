"""Who of a partition was erased, so that nothing of the past comes back, and the receipt that says so.

Rules:
* of one who was erased a digest of the id stays, and when it was; for `privacy.remember_d` days, since late and
  repeated events of the past can come for as long as somebody keeps them;
* events of that id from the time before the erasure are dropped, and so are all others unless
  `privacy.new_customer`: then the first later one starts a customer of whom nothing is known;
* what is dropped is counted and goes nowhere: a dead letter would keep what was to go;
* a request counts once: its `source` and `id` are its identity, and the receipt's number is a digest of them.
"""

from collections import Counter
from hashlib import blake2b
from typing import Final

import msgspec

from detectors.customer import DAY_S, HEADER, NEVER, VERSION, Customer, read_header
from detectors.policy import Policy
from detectors.records import CURRENT, INSIGHTS, SCORES, Outbox
from detectors.rules import RESERVED
from schemas.erasure import Erased, held_until, receipt_key, receipt_of
from schemas.events import Event
from schemas.insights import encode_insight
from schemas.times import rfc3339

MARKS: Final = RESERVED + b"\x02"
DIGEST_BYTES: Final = 16
GONE: Final = NEVER  # the fence of a stand-in for one who was erased: every event is behind it


class Mark(msgspec.Struct, array_like=True, gc=False):
    """That somebody was erased. Fields are only ever appended: the order is the stored format."""

    erased_s: int = 0  # time of the newest request
    receipt: str = ""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Mark).decode


def mark_key(key: bytes) -> bytes:
    """Where it is stored that a customer was erased; the id cannot be read from it."""
    return MARKS + blake2b(key, digest_size=DIGEST_BYTES, person=b"erased").digest()


class Erasures:
    """Who of one partition was erased; `states` is the store's own dict, and only read here."""

    def __init__(self, states: dict[bytes, bytes], policy: Policy) -> None:
        self.states, self.policy = states, policy
        self.dirty: dict[bytes, bytes | None] = {}
        self._any = any(key.startswith(MARKS) for key in states)

    def newcomer(self, key: bytes) -> Customer:
        """A customer without a state; where the id was erased, a stand-in whose fence stops every event."""
        return Customer(fence=GONE) if self._mark(key) is not None else Customer()

    def admitted(self, key: bytes, c: Customer, offset: int, time_s: int, stats: Counter[str]) -> Customer | None:
        """The customer of an event that is behind the fence or earlier than all that is known; None, and counted, if it
        is dropped. Where it counts and the customer is a stand-in, it is the first of a new one.
        """
        if offset < c.fence < GONE:
            stats["fence_skips"] += 1
            return None
        mark = self._mark(key)
        if mark is None or (time_s > mark.erased_s and (c.fence < GONE or self.policy.privacy.new_customer)):
            return c if c.fence < GONE else Customer()
        stats["after_erasure"] += 1
        return None

    def is_known(self, key: bytes, event: Event) -> bool:
        """Whether this very request was the last one of its customer that was followed."""
        mark = self._mark(key)
        return mark is not None and mark.receipt == receipt_of(event.source, event.id)

    def note(self, key: bytes, event: Event, as_of_s: int, out: Outbox, *, found: bool, ended: bool) -> int:
        """Take the rows of the compacted topics back, write the receipt, remember the erasure; returns until when."""
        for topic in (CURRENT, SCORES):
            out.write(topic, key, None)
        privacy, receipt = self.policy.privacy, receipt_of(event.source, event.id)
        before = self._mark(key)
        erased_s = max(int(event.time.timestamp()), before.erased_s if before is not None else 0)
        until_s, held = as_of_s + privacy.remember_d * DAY_S, held_until(as_of_s)
        self.dirty[mark_key(key)] = HEADER.pack(0, until_s, VERSION, 0) + _encode(Mark(erased_s, receipt))
        self._any = True
        last = max(each.until for each in held)
        unknown = "" if found else ", of whom nothing was known"
        row = Erased(
            insight_id=receipt_key(receipt),
            as_of=rfc3339(as_of_s),
            text=f"A customer was erased{unknown}; logs may hold the rest until {last}.",
            receipt=receipt,
            found=found,
            alert_ended=ended,
            new_customer=privacy.new_customer,
            refused_until=rfc3339(until_s),
            held=held,
            held_until=last,
        )
        out.write(INSIGHTS, receipt_key(receipt).encode(), encode_insight(row))
        return until_s

    def due_of(self, mark: bytes) -> int:
        """When a mark goes."""
        state = self.dirty[mark] if mark in self.dirty else self.states.get(mark)
        return read_header(state)[1] if state is not None else NEVER

    def wake(self, mark: bytes) -> None:
        """Drop a mark whose time has come."""
        self.dirty[mark] = None

    def _mark(self, key: bytes) -> Mark | None:
        if not self._any:
            return None
        mark = mark_key(key)
        state = self.dirty[mark] if mark in self.dirty else self.states.get(mark)
        return _decode(memoryview(state)[HEADER.size :]) if state is not None else None
