"""Who is erased is forgotten, stays forgotten, and the receipt names nobody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.customer import load
from detectors.erasure import MARKS, mark_key
from detectors.partition import Partition
from detectors.policy import Policy
from detectors.policy_care import PrivacyPolicy
from detectors.records import ALERTS, CURRENT, DEAD, INSIGHTS, SCORES, Snapshot
from schemas.erasure import HELD_MS, SEGMENT_MS, Erased, receipt_key, receipt_of
from schemas.journal_dump import JournalRecord
from schemas.times import rfc3339
from schemas.topics import DAY_MS, TOPICS
from tests.detectors.lives import DAY_S, POLICY, START_S, alerts_of, event, partition, records, tick
from tests.detectors.test_incidents import HOUR_D, Cluster, everyday, storm

WHO = "c-erased"
ANEW = msgspec.structs.replace(POLICY, privacy=PrivacyPolicy(new_customer=True))
ERASED_D = 30.0

KINDS: list[tuple[str, dict[str, Any]]] = [
    ("billing.subscription.started", {"plan": "basic", "mrr": 20.0}),
    ("billing.payment.failed", {"invoice_id": "i-1", "attempt": 1}),
    ("billing.subscription.cancelled", {"reason": "price"}),
    ("usage.session.started", {}),
    ("usage.cancel_page.viewed", {}),
    ("support.ticket.opened", {"ticket_id": "t-1"}),
    ("app.error.raised", {"code": "E", "fatal": True, "count": 9}),
]


def happened(kind: int, hour: int, customer: str = WHO) -> bytes:
    name, data = KINDS[kind]
    return event(name, hour / 24, customer=customer, id=f"{customer}-{kind}-{hour}", **data)


def erasure(day: float = ERASED_D, customer: str = WHO, id: str = "request-7") -> bytes:
    return event("privacy.erasure.requested", day, customer=customer, id=id, request_id="r")


def receipts(snapshot: Snapshot) -> list[Erased]:
    rows = [(key, value) for key, value, _ in snapshot.writes.get(INSIGHTS, ()) if (key or b"").startswith(b"erasure/")]
    return [msgspec.json.decode(value or b"", type=Erased) for _, value in rows]


def fed(values: Sequence[bytes], policy: Policy = POLICY, **options: Any) -> tuple[Partition, Snapshot]:
    p = partition(policy=policy, **options)
    p.feed(records(values))
    return p, p.snapshot()


def hours(low: float, high: float) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(0, len(KINDS) - 1), st.integers(round(low * 24), round(high * 24)))


PAST = st.lists(hours(0, ERASED_D), min_size=1, max_size=12, unique=True)
LATER = st.lists(hours(ERASED_D + 1, ERASED_D + 20), min_size=1, max_size=12, unique=True)


@settings(max_examples=40, deadline=None)
@given(past=PAST, late=PAST, later=LATER, cut=st.integers(0, 30))
def test_nothing_of_who_was_erased_stays_or_comes_back(
    past: list[tuple[int, int]], late: list[tuple[int, int]], later: list[tuple[int, int]], cut: int
) -> None:
    before = [*(happened(*each) for each in past), tick(ERASED_D - 0.1)]
    after = [*(happened(*each) for each in [*late, *later]), tick(ERASED_D + 21)]
    states: dict[bytes, bytes] = {}
    p = partition(states, examples=True)
    p.feed(records([*before, erasure()]))
    compacted: dict[tuple[str, bytes | None], bytes | None] = {}
    for snapshot in (p.snapshot(), _restarted(states, after, len(before) + 1, min(cut, len(after)))):
        for topic, items in snapshot.writes.items():
            if topic in (CURRENT, SCORES, INSIGHTS):
                compacted.update({(topic, key): value for key, value, _ in items})
        if snapshot.writes.get(ALERTS):
            assert alerts_of(snapshot)[-1].data.status == "resolved"
    rows = [*states.items(), *((key, value) for (_, key), value in compacted.items() if value is not None)]
    assert not [key for key, value in rows if WHO.encode() in (key or b"") + value]


def _restarted(states: dict[bytes, bytes], values: list[bytes], offset: int, cut: int) -> Snapshot:
    """Feed on with a fold that begins anew from the stored states, and does so once more on the way."""
    p = partition(states, examples=True)
    p.feed(records(values[:cut], offset))
    first = p.snapshot()
    p = partition(states, examples=True)
    p.feed(records(values[cut:], offset + cut))
    second = p.snapshot()
    assert p.stats["fence_skips"] == 0
    return Snapshot([*first.states, *second.states], {**first.writes, **second.writes})


@settings(max_examples=40, deadline=None)
@given(past=PAST, late=PAST, later=LATER)
def test_where_policy_says_so_a_new_customer_begins_of_whom_nothing_old_is_known(
    past: list[tuple[int, int]], late: list[tuple[int, int]], later: list[tuple[int, int]]
) -> None:
    old = [*(happened(*each) for each in past), tick(ERASED_D - 0.1), erasure()]
    new = [happened(*each) for each in later]
    mixed = [*new, *(happened(*each) for each in late)]
    p, _ = fed([*old, *mixed], ANEW)
    alone = partition(policy=ANEW)
    alone.feed([record for record in records([*old, *mixed]) if len(old) <= record.offset < len(old) + len(new)])
    alone.snapshot()
    assert _events_of(p) == _events_of(alone)
    assert p.stats["after_erasure"] == len(late)


def _events_of(p: Partition) -> dict[str, Any]:
    """What a state knows by its events; what an assessment marks depends on more than these."""
    c = load(p.states[WHO.encode()])
    marks = {"due_s", "dues", "strengths", "known", "probability", "scored", "scored_level", "stale", "ruled", "stage"}
    marks |= {"left_s", "farewell", "win_back_s", "alert", "alerts", "held_s", "unsaid"}
    fields = {name: getattr(c, name) for name in c.__struct_fields__ if name not in marks}
    return {**fields, "kept": bytes(c.kept)}


def test_what_comes_after_an_erasure_is_counted_and_is_no_dead_letter() -> None:
    values = [happened(3, 100), erasure(), happened(4, 200), happened(3, 24 * 40), tick(41)]
    p, snapshot = fed(values)
    assert p.stats["after_erasure"] == 2
    assert p.stats["fence_skips"] == 0
    assert DEAD not in snapshot.writes
    assert p.world.purse.customers == 0


def test_others_are_left_alone() -> None:
    mine = [happened(kind, 24 * 10 + kind) for kind in range(len(KINDS))]
    other = [happened(kind, 24 * 10 + kind, "c-other") for kind in range(len(KINDS))]
    with_me, _ = fed([*mine, *other, tick(11), erasure(12), tick(13)])
    without, _ = fed([*other, tick(11), tick(13)])
    assert _events_but_offsets(with_me, b"c-other") == _events_but_offsets(without, b"c-other")


def _events_but_offsets(p: Partition, key: bytes) -> tuple[float, float, int]:
    c = load(p.states[key])
    return c.probability, c.scored, c.last_s


def test_a_receipt_says_what_went_and_until_when_logs_hold_the_rest() -> None:
    trouble = [happened(1, 24 * 10 + i) for i in range(3)]
    _, snapshot = fed([*trouble, tick(11), erasure()])
    assert alerts_of(snapshot)[-1].data.outcome == "erased"
    (receipt,) = receipts(snapshot)
    assert receipt.receipt == receipt_of("/test", "request-7")
    assert receipt.insight_id == receipt_key(receipt.receipt)
    assert (receipt.found, receipt.alert_ended, receipt.new_customer) == (True, True, False)
    (value,) = [value for key, value, _ in snapshot.writes[INSIGHTS] if key == receipt.insight_id.encode()]
    assert not any(word in (value or b"") for word in (WHO.encode(), b"request-7", b"/test", b'"r"'))
    assert receipt.as_of == rfc3339(START_S + 11 * DAY_S)
    journal_s = START_S + 11 * DAY_S + (TOPICS["churn.journal"].retention_ms or 0) // 1000 + 7 * DAY_S
    until = {held.topic: held.until for held in receipt.held}
    assert until["churn.journal"] == rfc3339(journal_s)
    assert receipt.held_until == max(until.values()) == until["churn.alerts"]
    assert set(until) == {name for name in TOPICS if name != INSIGHTS} | {"state-changelog"}


def test_a_receipt_counts_from_when_the_request_was_in_the_journal() -> None:
    p = partition()
    now_ms = (START_S + 50 * DAY_S) * 1_000
    p.feed([JournalRecord(0, WHO.encode(), erasure(), now_ms)])
    (receipt,) = receipts(p.snapshot())
    assert receipt.as_of == rfc3339(START_S + 50 * DAY_S)
    assert not receipt.found
    longest_s = (max(HELD_MS.values()) + SEGMENT_MS) // 1000
    assert receipt.held_until == rfc3339(START_S + 50 * DAY_S + longest_s)
    assert longest_s >= 90 * DAY_MS // 1000


def test_one_request_counts_once_and_a_second_one_again() -> None:
    back = happened(3, 24 * 40)
    p, snapshot = fed([happened(3, 100), erasure(), back, erasure()], ANEW)
    assert (p.stats["erased"], p.stats["duplicates"]) == (1, 1)
    assert WHO.encode() in p.states
    assert len(receipts(snapshot)) == 1
    again = erasure(41, id="request-8")
    p.feed(records([again], 4))
    (second,) = receipts(p.snapshot())
    assert second.found
    assert WHO.encode() not in p.states


def test_an_erasure_is_remembered_as_long_as_policy_says_and_no_longer() -> None:
    states: dict[bytes, bytes] = {}
    p = partition(states)
    p.feed(records([happened(3, 100), tick(ERASED_D), erasure()]))
    p.snapshot()
    assert mark_key(WHO.encode()) in states
    until_d = ERASED_D + POLICY.privacy.remember_d
    p = partition(states)
    p.feed(records([tick(until_d - 1), happened(3, 24 * 40)], 3))
    assert p.stats["after_erasure"] == 1
    p.feed(records([tick(until_d + 0.1), happened(3, round(24 * until_d))], 5))
    snapshot = p.snapshot()
    assert not [key for key in states if key.startswith(MARKS)]
    assert [value for key, value in snapshot.states if key.startswith(MARKS)] == [None]
    assert WHO.encode() in states


@pytest.mark.parametrize("erased", [0, 3])
def test_who_was_erased_does_not_count_for_an_incident(erased: int) -> None:
    least = POLICY.incidents.at_least
    cluster = Cluster(1)
    everyday(cluster, 40, 9.9)
    cluster.tick(9.95)
    storm(cluster, 0, range(least - 1), 10 + 0.1 * HOUR_D)
    cluster.tick(10 + 0.4 * HOUR_D)
    for i in range(erased):
        cluster.put(0, erasure(10 + 0.5 * HOUR_D, f"c-0-{i}", f"request-{i}"))
    storm(cluster, 0, range(20, 22), 10 + 0.6 * HOUR_D)
    cluster.tick(10 + 0.9 * HOUR_D)
    cluster.tick(10 + 2 * HOUR_D)
    cluster.end()
    assert len(cluster.rows()) == (0 if erased else 1)


def test_who_was_erased_is_taken_out_of_a_running_incident() -> None:
    cluster = Cluster(1)
    everyday(cluster, 40, 9.9)
    cluster.tick(9.95)
    storm(cluster, 0, range(20), 10 + 0.2 * HOUR_D)
    cluster.tick(10 + HOUR_D)
    (incident,) = cluster.parts[0].world.incidents
    before = incident.customers
    cluster.put(0, erasure(10.1, "c-0-3"))
    (incident,) = cluster.parts[0].world.incidents
    assert incident.customers == before - 1
    cluster.put(0, erasure(10.1, "c-0-39", "request-9"))  # for whom nothing rose
    assert incident.customers == before - 1


def test_a_mark_does_not_show_the_id() -> None:
    key = mark_key(WHO.encode())
    assert key.startswith(MARKS)
    assert WHO.encode() not in key
    assert len(key) == len(mark_key(b"x" * 300))
    assert orjson.loads(erasure())["subject"] == WHO


def test_a_state_that_cannot_be_read_is_erased_and_was_found() -> None:
    states: dict[bytes, bytes] = {}
    p = partition(states)
    p.feed(records([happened(3, 100), tick(5)]))
    p.snapshot()
    states[WHO.encode()] = states[WHO.encode()][:18] + b"\xc1"
    p = partition(states)
    p.feed(records([erasure()], 2))
    (receipt,) = receipts(p.snapshot())
    assert receipt.found
    assert WHO.encode() not in states
