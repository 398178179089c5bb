"""More of the same: a customer's tenth use of a day is no reason to look, and what is said is what a look would say."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.customer import Customer, dump, load
from detectors.history import HANDLERS
from detectors.history.routes import Handler
from detectors.partition import Partition
from tests.detectors.lives import event, fold, partition, records, tick

USE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("usage.session.started", {}),
    ("usage.session.ended", {}),
    *(("usage.feature.used", {"feature": f"f{n}"}) for n in range(5)),
    ("app.error.raised", {"code": "E", "fatal": True}),
    ("billing.order.placed", {"order_id": "o", "amount": 20.0}),
    ("support.ticket.opened", {"ticket_id": "t", "topic": "x"}),
    ("billing.payment.failed", {"invoice_id": "i", "attempt": 1}),
)


@st.composite
def lives(draw: st.DrawFn) -> list[bytes]:
    """Use in spells and pauses, much of it on one day, some of it told of late, and ticks in between."""
    values: list[bytes] = []
    day = 0.0
    for i in range(draw(st.integers(1, 25))):
        day += draw(st.sampled_from([0.02, 0.4, 1.0, 1.0, 3.0, 9.0, 30.0]))
        late = draw(st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.9, 3.0, 12.0, 40.0]))
        for j in range(draw(st.integers(1, 8))):
            kind, data = draw(st.sampled_from(USE))
            values.append(event(kind, max(0.0, day + j / 1_000 - late), id=f"{i} {j}", **data))
            if draw(st.integers(0, 3)) == 0:
                values.append(tick(day + j / 1_000))
    return [*values, tick(day + 0.5), tick(day + 1.5)]


def never_the_same(handler: Handler[Any]) -> Handler[Any]:
    def handle(c: Customer, d: Any, time_s: int, event_id: str) -> None:
        handler(c, d, time_s, event_id)

    return handle


ALWAYS_READ = {kind: never_the_same(handler) for kind, handler in HANDLERS.items()}


def said_by(p: Partition) -> list[tuple[str, bytes | None, Any]]:
    """All that is written; but for whether an event that changed nothing or time brought it about."""
    found = []
    for topic, writes in sorted(p.snapshot().writes.items()):
        for key, value, _ in writes:
            said = orjson.loads(value) if value is not None else {}
            said.get("data", {}).pop("changed_by", None)
            found.append((topic, key, said))
    return found


@settings(max_examples=200, deadline=None)
@given(lives())
def test_who_is_not_looked_at_has_nothing_new_to_say(values: list[bytes]) -> None:
    lazy, eager = partition(), partition(handlers=ALWAYS_READ)
    for record in records(values):
        lazy.feed([record])
        eager.feed([record])
        if record.key is None:
            c, same = (load(dump(p.hot[b"c-1"])) if b"c-1" in p.hot else Customer() for p in (lazy, eager))
            assert c.strengths == same.strengths
            assert c.probability == same.probability
    assert said_by(lazy) == said_by(eager)


def test_the_tenth_use_of_a_day_is_not_looked_at() -> None:
    use = [event("usage.feature.used", 1 + i / 100, feature="f") for i in range(10)]
    p, _ = fold([use[0], tick(1.005), *use[1:], tick(1.2)])
    assert p.stats["assessments"] == 1
    p, _ = fold([use[0], tick(1.005), *use[1:], event("usage.feature.used", 1.15, feature="other"), tick(1.2)])
    assert p.stats["assessments"] == 2
