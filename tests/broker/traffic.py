"""What the broker tests send: valid events of seeded customers, and a journal made of them."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from schemas.journal import encode_tick
from streams.engine.partitions import partition_of

START_S = 1_767_225_600  # 2026-01-01T00:00:00Z

Item = tuple[bytes | None, bytes | None]


def journal_items(seed: int, count: int, customers: int = 2_000, partitions: int = 3) -> list[tuple[int, Item]]:
    """`count` events of Zipf customers as (partition, record), and a tick to every partition after each 400."""
    rng = random.Random(seed)
    items: list[tuple[int, Item]] = []
    for i in range(count):
        customer = b"c-%d" % min(int(rng.paretovariate(0.6)), customers)
        items.append((partition_of(customer, partitions), (customer, event(rng, i, customer.decode()))))
        if i % 400 == 399:
            items += [(p, (None, encode_tick(float(START_S + i * 60)))) for p in range(partitions)]
    return items


KINDS: Sequence[tuple[str, dict[str, Any]]] = (
    ("usage.session.started", {}),
    ("usage.feature.used", {"feature": "report"}),
    ("usage.cancel_page.viewed", {}),
    ("billing.payment.failed", {"invoice_id": "I", "attempt": 1}),
    ("support.ticket.opened", {"ticket_id": "T", "topic": "login"}),
    ("support.call.abandoned", {"call_id": "C", "wait_s": 400.0}),
    ("app.error.raised", {"code": "E1", "fatal": True}),
    ("engagement.opted_out", {"channel": "email"}),
)
TOPIC_OF_SEGMENT = {"usage": "usage", "billing": "billing", "support": "support", "app": "app-errors"}


def event(rng: random.Random, number: int, customer: str) -> bytes:
    """A valid event as it stands in the journal, of any kind."""
    return event_of(*rng.choice(KINDS), number, customer)


def event_of(kind: str, data: dict[str, Any], number: int, customer: str) -> bytes:
    """The same of one kind; identifiers in its data are made its own by the number."""
    filled = {key: f"{value}{number}" if value in ("T", "C") else value for key, value in data.items()}
    time_s = START_S + number * 60
    body = {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": "/test",
        "type": kind,
        "subject": customer,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_s)),
        "data": filled,
    }
    return msgspec.json.encode(body)


def input_topic(value: bytes) -> str:
    """The input topic of an event made by `event`."""
    kind = str(msgspec.json.decode(value)["type"])
    return f"{TOPIC_OF_SEGMENT.get(kind.split('.')[0], 'engagement')}.events"
