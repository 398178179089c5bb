"""A request to erase is an event that intake accepts, and its receipt can be found without knowing the customer."""

from __future__ import annotations

import pytest

from schemas.erasure import receipt_of
from schemas.events import TOPIC_OF_TYPE
from schemas.intake import Accepted, read_event
from streams.erase import FEEDBACK, SOURCE, request
from streams.failures import WrongUsage

NOW_S = 1_767_225_600.9


@pytest.mark.parametrize("customer", ["c-1", "ü" * 128, 'a "quoted" id', "x" * 256])
def test_a_request_is_an_event_that_intake_takes_in(customer: str) -> None:
    value = request(customer, "DSR-7", "0a", NOW_S)
    verdict = read_event(value, [], NOW_S)
    assert isinstance(verdict, Accepted)
    assert (verdict.event.subject, verdict.event.source, verdict.event.id) == (customer, SOURCE, "0a")
    assert TOPIC_OF_TYPE["privacy.erasure.requested"] == FEEDBACK


@pytest.mark.parametrize("customer", ["", "x" * 257])
def test_what_cannot_be_a_customer_is_wrong_usage(customer: str) -> None:
    with pytest.raises(WrongUsage):
        request(customer, "DSR-7", "0a", NOW_S)


def test_a_receipts_number_follows_from_the_requests_own_identity() -> None:
    assert receipt_of(SOURCE, "0a") != receipt_of(SOURCE, "0b") != receipt_of("/desk", "0b")
