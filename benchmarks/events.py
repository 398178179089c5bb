"""The seeded streams that everything is measured on.

Rules:
* a stream is a function of its arguments: the same seed gives the same bytes;
* event time moves as the wall clock would at the stream's rate, and a tick follows every half second of it;
* what belongs together comes in order: a ticket is opened before it is resolved, an invoice issued before it is paid.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from typing import NamedTuple

from schemas.events import EVENT_TYPES
from schemas.journal import encode_tick

START_S = 1_760_000_000  # 2025-10-09, in the past whatever the machine's clock says
TICK_S = 0.5
SEED = 7


class Shape(NamedTuple):
    """Whose events a stream holds."""

    name: str
    customers: int
    zipf: bool


ZIPF = Shape("Zipf, 20,000 customers", 20_000, True)
UNIFORM = Shape("uniform, 200,000 customers", 200_000, False)


class Happening(NamedTuple):
    """One event of a stream, ready to be sent."""

    key: bytes
    type: str
    value: bytes


class Record(NamedTuple):
    """One record of a journal partition, as a consumer gives it."""

    offset: int
    key: bytes | None
    value: bytes
    timestamp: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


# A thousand events of a subscription product: mostly use, some faults, little money, few words.
MIX = {
    "feature": 560,
    "session": 230,
    "error": 60,
    "invoice": 50,
    "ticket": 45,
    "offer": 20,
    "call": 15,
    "contact": 10,
    "quota": 5,
    "survey": 4,
    "exit": 1,
}
SOURCES = {
    "billing": "/billing",
    "support": "/support/desk",
    "app": "/app/web",
    "usage": "/app/web",
    "engagement": "/crm",
    "fulfilment": "/shop",
    "retention": "/retention",
    "privacy": "/retention",
}
SOURCE_OF = {name: SOURCES[name.partition(".")[0]] for name in EVENT_TYPES}
TOPICS_OF_TICKETS = ("login", "invoice", "speed", "export", "sync")


class Cast:
    """Chooses what happens next to a customer, and remembers what is under way."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self._sessions: set[int] = set()
        self._invoices: dict[int, str] = {}
        self._tickets: dict[int, str] = {}
        self._solved: dict[int, str] = {}
        self._made = 0

    def next(self, customer: int, what: str) -> tuple[str, str]:
        """The event type and its data as JSON text, for one kind of MIX."""
        chance = self.rng.random()
        if what == "feature":
            return "usage.feature.used", f'{{"feature":"f{int(chance * chance * 20)}"}}'
        if what == "session":
            if customer in self._sessions:
                self._sessions.discard(customer)
                return "usage.session.ended", f'{{"duration_s":{int(chance * 3000)}}}'
            self._sessions.add(customer)
            return "usage.session.started", "{}"
        if what == "error":
            fatal = "true" if chance < 0.04 else "false"
            return "app.error.raised", f'{{"code":"E{int(chance * 60)}","fatal":{fatal}}}'
        if what == "invoice":
            return self._invoice(customer, chance)
        if what == "ticket":
            return self._ticket(customer, chance)
        return self._seldom(what, chance)

    def _name(self, letter: str) -> str:
        self._made += 1
        return f"{letter}{self._made}"

    def _invoice(self, customer: int, chance: float) -> tuple[str, str]:
        invoice = self._invoices.get(customer)
        if invoice is None:
            invoice = self._invoices[customer] = self._name("i")
            return "billing.invoice.issued", f'{{"invoice_id":"{invoice}","amount":49.0}}'
        if chance < 0.03:
            return "billing.payment.failed", f'{{"invoice_id":"{invoice}","attempt":1}}'
        del self._invoices[customer]
        return "billing.invoice.paid", f'{{"invoice_id":"{invoice}","amount":49.0}}'

    def _ticket(self, customer: int, chance: float) -> tuple[str, str]:
        solved = self._solved.pop(customer, None)
        if solved is not None and chance < 0.5:
            return "support.ticket.rated", f'{{"ticket_id":"{solved}","csat":{5 - int(chance * chance * 18)}}}'
        ticket = self._tickets.get(customer)
        if ticket is None:
            ticket = self._tickets[customer] = self._name("t")
            topic = TOPICS_OF_TICKETS[int(chance * 5)]
            return "support.ticket.opened", f'{{"ticket_id":"{ticket}","topic":"{topic}"}}'
        if chance < 0.45:
            by = "agent" if chance < 0.25 else "customer"
            return "support.ticket.updated", f'{{"ticket_id":"{ticket}","by":"{by}"}}'
        if chance < 0.5:
            return "support.ticket.transferred", f'{{"ticket_id":"{ticket}"}}'
        del self._tickets[customer]
        self._solved[customer] = ticket
        how = "none" if chance > 0.98 else "solved"
        return "support.ticket.resolved", f'{{"ticket_id":"{ticket}","resolution":"{how}"}}'

    def _seldom(self, what: str, chance: float) -> tuple[str, str]:
        if what == "offer":
            return "engagement.offer.sent", f'{{"offer_id":"{self._name("o")}"}}'
        if what == "call":
            kind = "abandoned" if chance < 0.06 else "answered"
            return f"support.call.{kind}", f'{{"call_id":"{self._name("c")}","wait_s":{int(chance * 400)}}}'
        if what == "contact":
            return "engagement.contact.made", '{"purpose":"check_in"}'
        if what == "quota":
            return "usage.quota.reported", f'{{"used":{int(chance * 100)},"included":100}}'
        if what == "survey":
            return "engagement.survey.answered", f'{{"kind":"nps","score":{10 - int(chance * chance * 10)}}}'
        return "usage.cancel_page.viewed", "{}"


def encode(kind: str, event_id: str, subject: str, when: str, data: str) -> bytes:
    """One event as structured CloudEvents JSON; `when` is RFC 3339, `data` is JSON text."""
    return (
        f'{{"specversion":"1.0","id":"{event_id}","source":"{SOURCE_OF[kind]}","type":"{kind}",'
        f'"subject":"{subject}","time":"{when}","data":{data}}}'
    ).encode()


def rfc3339(time_s: float) -> str:
    """A time in UTC, to the millisecond.

    >>> rfc3339(1_760_000_000.25)
    '2025-10-09T08:53:20.250Z'
    """
    whole = int(time_s)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{int((time_s - whole) * 1000):03d}Z"


def customer_id(number: int) -> str:
    """The subject, and the key, of a customer.

    >>> customer_id(42)
    'c0000042'
    """
    return f"c{number:07d}"


def stream(shape: Shape, count: int, *, rate_per_s: float, seed: int = SEED) -> Iterator[tuple[float, Happening]]:
    """`count` events with their times in epoch seconds, in order of time."""
    rng = random.Random(f"{seed} {shape.name}")
    cast = Cast(rng)
    if shape.zipf:
        weights = list(itertools.accumulate(1 / rank for rank in range(1, shape.customers + 1)))
        order = rng.sample(range(shape.customers), shape.customers)
        who = [order[rank] for rank in rng.choices(range(shape.customers), cum_weights=weights, k=count)]
    else:
        who = rng.choices(range(shape.customers), k=count)
    what = rng.choices(list(MIX), weights=list(MIX.values()), k=count)
    second, prefix = -1, ""
    for number, (customer, each) in enumerate(zip(who, what, strict=True)):
        time_s = START_S + number / rate_per_s
        if int(time_s) != second:
            second = int(time_s)
            prefix = rfc3339(second)[:-4]
        subject = customer_id(customer)
        kind, data = cast.next(customer, each)
        when = f"{prefix}{int((time_s - second) * 1000):03d}Z"
        yield time_s, Happening(subject.encode(), kind, encode(kind, f"e{number:011d}", subject, when, data))


def with_ticks(happenings: Iterator[tuple[float, Happening]]) -> Iterator[Happening | bytes]:
    """The events, and the bytes of a tick wherever half a second of event time has passed."""
    next_s = START_S + TICK_S
    for time_s, happening in happenings:
        while time_s >= next_s:
            yield encode_tick(next_s)
            next_s += TICK_S
        yield happening
    yield encode_tick(next_s)


def journal(shape: Shape, count: int, *, rate_per_s: float, ticks: bool, seed: int = SEED) -> list[Record]:
    """`count` events, with or without ticks, as the records of one journal partition; offsets begin at 1."""
    events = stream(shape, count, rate_per_s=rate_per_s, seed=seed)
    records: list[Record] = []
    for each in with_ticks(events) if ticks else (happening for _, happening in events):
        offset = len(records) + 1
        records.append(Record(offset, None, each) if isinstance(each, bytes) else Record(offset, each.key, each.value))
    return records
