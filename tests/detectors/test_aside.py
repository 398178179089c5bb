"""What fails beside the customers, or in what is stored of one, is a dead letter: a partition goes on."""

from __future__ import annotations

import pytest

from detectors.customer import HEADER, NEVER, VERSION
from detectors.partition import PARTITION_KEY, Partition
from detectors.records import ALERTS, DEAD, Snapshot
from detectors.world import Incident, World, load_world, store_world
from schemas.alerts import decode_alert
from tests.detectors.lives import MODEL, POLICY, START_S, event, records, tick

HOUR = START_S // 3_600
FAILED = [event("billing.payment.failed", 1 + i / 100, invoice_id="i", attempt=1, customer="c-2") for i in range(3)]
UNKNOWN_CAUSE = Incident("weather-2026-01-01T00Z", 7, "tech.outage", START_S, START_S, customers=9, counts={0: 9})
HALF_A_COUNT = {HOUR: [1], HOUR + 1: [2, 1]}


def run(states: dict[bytes, bytes], values: list[bytes]) -> tuple[Partition, Snapshot]:
    p = Partition(0, states, POLICY, MODEL)
    p.feed(records(values))
    return p, p.snapshot()


def reasons(snapshot: Snapshot) -> list[str]:
    return [dict(headers)["churn_dlq-reason"].decode() for _, _, headers in snapshot.writes.get(DEAD, ())]


def alerted(snapshot: Snapshot) -> list[str]:
    return [decode_alert(value).subject for _, value, _ in snapshot.writes.get(ALERTS, ()) if value is not None]


@pytest.mark.parametrize("world", [World(incidents=[UNKNOWN_CAUSE]), World(calls=HALF_A_COUNT)])
def test_a_step_for_everybody_that_fails_is_a_dead_letter_and_alerts_go_out(world: World) -> None:
    p, snapshot = run({PARTITION_KEY: store_world(world, 0)}, [*FAILED, tick(1.1), tick(1.2)])
    assert alerted(snapshot) == ["c-2"]
    assert reasons(snapshot) == ["detector_failed", "detector_failed"]  # one for each tick
    _, kept = load_world(p.states[PARTITION_KEY])
    assert (kept.incidents, kept.calls) == (world.incidents, world.calls)  # as if the step had not been taken
    assert p.position == 5


def test_a_customer_whose_state_cannot_be_read_does_not_stop_the_others() -> None:
    wrong = HEADER.pack(0, START_S, VERSION, 1) + b"\x91\xa4text"  # a text where the fence belongs
    mine = [event("usage.session.started", 1 + i / 24) for i in range(2)]
    p, snapshot = run({b"c-1": wrong}, [mine[0], *FAILED, mine[1], tick(1.1)])
    assert alerted(snapshot) == ["c-2"]
    assert reasons(snapshot) == ["detector_failed"] * 3  # its two events, and the tick at which it was due
    assert p.states[b"c-1"] == wrong  # for a version that can read it


def test_what_cannot_be_read_can_be_forgotten() -> None:
    wrong = HEADER.pack(0, NEVER, VERSION, 0) + b"\x91\xa4text"
    p, snapshot = run({b"c-1": wrong}, [event("privacy.erasure.requested", 1, request_id="r")])
    assert b"c-1" not in p.states
    assert (b"c-1", None) in snapshot.states
