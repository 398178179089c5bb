"""The stored form of a customer: what nobody asked for goes back as it came."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from detectors import kinds
from detectors.customer import Customer, Parts, case_of, dump, load, note
from tests.detectors.lives import event, fold, tick

HISTORY = [
    event("usage.session.started", 1),
    event("app.error.raised", 2, code="E1", fatal=True),
    event("support.ticket.opened", 3, ticket_id="t1", topic="export"),
    event("support.call.answered", 4, call_id="k1", topic="export"),
    event("billing.payment.failed", 5, invoice_id="i1", attempt=1),
    tick(6),
]


@pytest.fixture
def state() -> bytes:
    """State bytes with points, cases and hours of several kinds."""
    return fold(HISTORY)[0].states[b"c-1"]


def stored(parts: Parts[Any]) -> set[int]:
    """The kinds that are as they were stored."""
    return {kind for kind in parts if isinstance(dict.__getitem__(parts, kind), msgspec.Raw)}


def test_a_state_is_its_bytes_however_much_of_it_was_asked_for(state: bytes) -> None:
    asked = load(state)
    assert dump(asked) == state
    assert asked.points.get(kinds.ERROR)
    assert dump(asked) == state
    assert list(asked.points.items()) == list(load(state).points.items())
    assert list(asked.cases.values()) == list(load(state).cases.values())
    assert asked.hours[kinds.ERRORS]
    assert dump(asked) == state


def test_only_the_kind_that_is_asked_for_is_decoded(state: bytes) -> None:
    c = load(state)
    everything = stored(c.points)
    assert everything >= {kinds.ERROR, kinds.FATAL, kinds.CONTACT}
    note(c, kinds.ERROR, 7, 1, "e")
    assert kinds.CONTACT in c.points
    assert c.points.get(kinds.RUDE) is None
    assert c.points.get(kinds.RUDE, ()) == ()
    assert stored(c.points) == everything - {kinds.ERROR}
    case_of(c, kinds.TICKET, "t2")
    assert stored(c.cases) == {kinds.INVOICE}


def test_parts_are_a_mapping_of_what_was_decoded(state: bytes) -> None:
    one, other = load(state), load(state)
    tickets = one.cases.setdefault(kinds.TICKET, {})
    assert tickets is one.cases[kinds.TICKET] is one.cases.get(kinds.TICKET)
    assert list(tickets) == ["t1"]
    assert one.cases == other.cases
    assert one.points == other.points.opened()
    other.cases[kinds.TICKET]["t1"].count = 9
    assert one.cases != other.cases
    with pytest.raises(KeyError):
        one.points[kinds.RUDE]
    assert Customer().points == {}
