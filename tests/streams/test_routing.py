"""Which topic and key a published line gets."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import TOPIC_OF_TYPE
from schemas.topics import INPUT_TOPICS
from streams.routing import TOPIC_OF_SEGMENT, Route, Unroutable, route


def line(**fields: object) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize("name", TOPIC_OF_TYPE)
def test_every_type_of_the_contract_goes_to_its_topic(name: str) -> None:
    assert route(line(type=name, subject="c-1"), "subject") == Route(TOPIC_OF_TYPE[name], b"c-1")


def test_the_segments_lead_to_every_input_topic_and_nowhere_else() -> None:
    assert set(TOPIC_OF_SEGMENT.values()) == set(INPUT_TOPICS)


def test_a_type_that_is_not_known_goes_where_its_kind_goes() -> None:
    assert route(line(type="billing.spaceship.launched", subject="c-1"), "subject") == Route("billing.events", b"c-1")


@pytest.mark.parametrize("subject", [None, 7, "", ["c-1"]])
def test_what_is_no_customer_id_is_no_key(subject: object) -> None:
    assert route(line(type="app.error.raised", subject=subject), "subject") == Route("app-errors.events", None)


def test_a_type_within_the_data_does_not_mislead() -> None:
    told = line(data={"type": "billing.invoice.paid"}, type="usage.data.exported", subject="c-1")
    assert route(told, "subject") == Route("usage.events", b"c-1")


@given(st.binary())
def test_whatever_the_bytes_a_line_has_a_route_or_a_reason(value: bytes) -> None:
    assert isinstance(route(value, "subject"), Route | Unroutable)
    assert isinstance(route(value, "id", "billing.events"), Route)
