"""Examples: frozen at the landmark, labelled after the horizon, neither lost nor doubled by a restart."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from detectors.customer import Customer
from detectors.learning.examples import WATCHES, Example, Ledger, decode_example, is_watched, load_watch, watch_key
from detectors.learning.space import Answers, named
from detectors.partition import Partition
from detectors.records import EXAMPLES, Outbox
from detectors.world import World
from schemas import journal
from schemas.journal_dump import JournalRecord
from tests.detectors.lives import DAY_S, MODEL, POLICY, START_S, event, records, tick

HORIZON_D, EVERY_D = POLICY.churn.horizon_days, POLICY.churn.landmark_days


def history(customer: str = "c-1", days: int = 120, left_d: float | None = 80.5) -> list[bytes]:
    """Sessions every second day with a tick at each midnight; then the cancellation."""
    values = [event("billing.subscription.started", 0.1, customer=customer, plan="pro", mrr=50.0)]
    for day in range(1, days):
        values.append(tick(day))
        if left_d is None or day < left_d:
            if day % 2:
                values.append(event("usage.session.started", day + 0.4, customer=customer))
        elif day - 1 < left_d:
            values.append(event("billing.subscription.cancelled", left_d, customer=customer))
    return values


def orders(times: list[float], days: int = 200) -> list[bytes]:
    placed = [event("billing.order.placed", time, order_id=f"o-{time}", amount=20.0) for time in times]
    ticks = [tick(day) for day in range(1, days)]
    return sorted(placed + ticks, key=lambda value: msgspec.json.decode(value)["time"])


def fold(values: list[bytes], *, every: int = 10_000) -> list[Example]:
    """The examples of a history, with a restart after each so many records."""
    states: dict[bytes, bytes] = {}
    found: list[Example] = []
    given = records(values)
    for first in range(0, len(given), every):
        partition = Partition(0, states, POLICY, MODEL, examples=True)
        partition.feed(given[first : first + every])
        writes = partition.snapshot().writes.get(EXAMPLES, [])
        found += [decode_example(value) for _, value, _ in writes if value is not None]
        states = dict(partition.states)
    return found


def pending_of(values: list[bytes]) -> list[Any]:
    partition = Partition(0, {}, POLICY, MODEL, examples=True)
    partition.feed(records(values))
    partition.snapshot()
    return load_watch(partition.states[watch_key(b"c-1")]).pending


def test_a_landmark_each_week_labelled_by_what_came_within_the_horizon() -> None:
    examples = fold(history())
    landmarks = [(example.landmark_s - START_S) / DAY_S for example in examples]
    assert [b - a for a, b in pairwise(landmarks)] == [EVERY_D] * (len(landmarks) - 1)
    assert [example.left for example in examples] == [day <= 80.5 <= day + HORIZON_D for day in landmarks]
    assert any(example.left for example in examples)
    assert max(landmarks) < 80.5  # nobody is asked whether who has left will leave


def test_nothing_is_labelled_before_its_horizon_has_passed() -> None:
    values = history()
    for end in range(1, len(values), 7):
        now_s = max((START_S + day * DAY_S for day in range(1, 120) if tick(day) in values[:end]), default=0)
        for example in fold(values[:end]):
            assert example.landmark_s + HORIZON_D * DAY_S <= now_s


def test_buyers_leave_by_ordering_nothing() -> None:
    examples = fold(orders([1.3, 20.3, 41.3, 60.3, 150.3]))
    said = {round((example.landmark_s - START_S) / DAY_S): example.left for example in examples}
    assert said
    for day, left in said.items():
        assert left == (not any(day < time <= day + HORIZON_D for time in (1.3, 20.3, 41.3, 60.3, 150.3)))
    assert set(said.values()) == {True, False}


def used(days: range, kind: str = "usage.feature.used") -> list[bytes]:
    """Use on some days, with a tick at each midnight of 120."""
    data: dict[str, Any] = {"feature": "chat"} if kind == "usage.feature.used" else {"duration_s": 600}
    values = [event(kind, day + 0.4, **data) for day in days] + [tick(day) for day in range(1, 120)]
    return sorted(values, key=lambda value: msgspec.json.decode(value)["time"])


@pytest.mark.parametrize("kind", ["usage.feature.used", "usage.session.ended"])
def test_where_there_is_no_billing_who_does_nothing_for_a_horizon_has_left(kind: str) -> None:
    examples = fold(used(range(1, 51, 2), kind))
    last_use_d = 49.4
    found = {(example.landmark_s - START_S) / DAY_S: example.left for example in examples}
    assert found == {day: day > last_use_d for day in found}
    assert {True, False} <= set(found.values())
    quiet = [named(e.values, ())["alone.quiet_ahead"] for e in examples if e.left]
    assert quiet == sorted(quiet)  # the longer it lasts, the surer


def test_daily_use_for_long_after_a_landmark_is_a_stay() -> None:
    assert not any(example.left for example in fold(used(range(1, 119))))


def test_once_billing_is_heard_of_silence_is_no_leaving() -> None:
    values = used(range(1, 51, 2))
    at = next(i for i, value in enumerate(values) if value == tick(60))
    told = journal.encode_heard("billing.events", int(START_S + 60 * DAY_S))
    examples = fold([*values[:at], told, *values[at:]])
    assert examples
    assert [e for e in examples if e.left and e.landmark_s + HORIZON_D * DAY_S > START_S + 60 * DAY_S] == []


def test_of_one_who_is_silent_a_fair_share_is_written_down_and_of_one_who_is_back_every_week() -> None:
    back_d, again_d = 150, 320
    for who in ("c-1", "c-2", "c-3", "c-4"):
        placed = [
            event("billing.order.placed", day + 0.4, customer=who, order_id=str(day), amount=9.0)
            for day in (*range(0, 30, 3), *range(back_d, again_d, 3))
        ]
        ticks = [tick(day) for day in range(1, 360)]
        examples = fold(sorted(placed + ticks, key=lambda value: msgspec.json.decode(value)["time"]))
        days = {(example.landmark_s - START_S) / DAY_S: example for example in examples}
        silent = {day: each for day, each in days.items() if 30 + HORIZON_D < day < back_d}
        assert {each.weight for each in silent.values()} == {4}
        weeks = (back_d - 30 - HORIZON_D) / EVERY_D
        assert abs(sum(each.weight for each in silent.values()) - weeks) <= 4
        there = [day for day in days if back_d < day < again_d]
        assert min(there) <= back_d + EVERY_D
        assert all(b - a == EVERY_D for a, b in pairwise(sorted(there)))


def test_one_who_orders_very_often_stays() -> None:
    assert not any(example.left for example in fold(orders([0.1 + day for day in range(120)], days=120)))


@pytest.mark.parametrize("every", [1, 7, 50])
def test_a_restart_loses_and_doubles_none(every: int) -> None:
    assert fold(history(), every=every) == fold(history())


def test_what_comes_after_a_landmark_cannot_reach_its_features() -> None:
    """A planted leak: the future is told in every way there is, and what was frozen before does not know of it."""
    quiet = history(days=70, left_d=None)
    frozen = pending_of(quiet)
    cut_s = frozen[-1].landmark_s
    cut_d = (cut_s - START_S) / DAY_S
    loud = [
        event("usage.cancel_page.viewed", cut_d + 0.01),
        event("billing.subscription.cancelled", cut_d + 0.02),
        event("app.error.raised", cut_d + 0.03, code="E", fatal=True, count=50),
        event("usage.session.started", cut_d + 0.04),
    ]
    assert pending_of([*quiet, *loud, tick(cut_d + 0.5)]) == frozen
    for name in named(frozen[-1].values, ()):
        assert "cancel" not in name


def test_a_leak_would_be_caught() -> None:
    """The same events told before the landmark do change what is frozen: the test above can fail."""
    quiet = history(days=70, left_d=None)
    last = pending_of(quiet)[-1]
    early = event("usage.cancel_page.viewed", (last.landmark_s - START_S) / DAY_S - 0.01)
    at = quiet.index(tick((last.landmark_s - START_S) / DAY_S))
    assert pending_of([*quiet[:at], early, *quiet[at:]])[-1].values != last.values


def test_who_is_forgotten_is_censored() -> None:
    values = history(left_d=None)
    at = values.index(tick(60))
    erased = event("privacy.erasure.requested", 59.9, request_id="r")
    examples = fold([*values[:at], erased, *[value for value in values[at:] if b"session" not in value]])
    assert examples
    assert all(example.landmark_s + HORIZON_D * DAY_S <= START_S + 60 * DAY_S for example in examples)


def test_the_same_event_twice_gives_the_same_examples() -> None:
    values = history()
    doubled = [again for value in values for again in ((value, value) if b"session" in value else (value,))]
    assert fold(doubled) == fold(values)


def test_customers_are_sampled_fairly_once_there_are_many() -> None:
    keys = [b"c-%d" % i for i in range(8_000)]
    few, many = ({key for key in keys if is_watched(key, 8_000, most)} for most in (1_000, 4_000))
    assert 850 < len(few) < 1_150
    assert few < many
    assert 0.4 < sum(int(key[2:]) < 4_000 for key in few) / len(few) < 0.6


def test_no_customer_has_the_key_of_what_waits() -> None:
    for text in ("\U0010ffff", "þ", "c-1"):
        assert not text.encode().startswith(WATCHES)


def test_a_customer_that_nobody_knows_has_no_examples() -> None:
    ledger, out = Ledger({}, POLICY), Outbox()
    ledger.wake(b"nobody", Customer(), World(), START_S, Answers(MODEL, {}), out)
    ledger.forget(b"nobody")
    assert (out.writes, ledger.dirty) == ({}, {})


def test_without_examples_nothing_is_kept() -> None:
    partition = Partition(0, {}, POLICY, MODEL)
    partition.feed([JournalRecord(i, r.key, r.value, 0) for i, r in enumerate(records(history()))])
    assert EXAMPLES not in partition.snapshot().writes
    assert not [key for key in partition.states if key.startswith(WATCHES)]
