"""The CDNOW purchase log as events."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.cdnow import CUSTOMERS, PURCHASES, Purchase, events, find_log, read_log
from schemas.billing import OrderPlaced
from schemas.intake import Accepted, read_event

NOW_S = 1_000_000_000.0


@cache
def log() -> list[Purchase]:
    return read_log(find_log())


def test_every_purchase_becomes_one_order_that_obeys_the_contract() -> None:
    ids, customers, amount = set(), set(), 0.0
    for line in events(log()):
        read = read_event(line, (), NOW_S)
        assert isinstance(read, Accepted), read
        assert isinstance(read.event.data, OrderPlaced)
        ids.add(read.event.id)
        customers.add(read.event.subject)
        amount += read.event.data.amount
    assert (len(ids), len(customers)) == (PURCHASES, CUSTOMERS)
    assert round(amount, 2) == round(sum(purchase.amount for purchase in log()), 2)


def test_the_events_are_in_time_order_and_the_same_each_time() -> None:
    lines = list(events(log()))
    times = [line[line.index(b'"time":"') + 8 :][:20] for line in lines]
    assert all(before <= after for before, after in pairwise(times))
    assert (times[0], times[-1]) == (b"1997-01-01T12:00:00Z", b"1998-06-30T12:00:00Z")
    assert lines == list(events(log()))


def test_another_file_is_not_taken_for_the_log(tmp_path: Path) -> None:
    other = tmp_path / "log.txt"
    other.write_text("heading\n 00001 19970101  1   11.77\n")
    with pytest.raises(ValueError, match="holds 1 purchases of 1 customers"):
        read_log(other)
