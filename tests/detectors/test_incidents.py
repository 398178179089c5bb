"""One cause that many customers share: one incident, whoever finds it, in whatever order they hear of it."""

from __future__ import annotations

from itertools import permutations

import msgspec
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.model import Model
from detectors.partition import Partition
from detectors.policy import IncidentPolicy, Policy
from detectors.records import ALERTS, INSIGHTS, JOURNAL, Outbox, Write
from detectors.world import World, dump_world
from schemas import journal as said
from schemas.alerts import AlertEvent, decode_alert
from schemas.insights_live import CommonCause
from schemas.journal_dump import JournalRecord
from schemas.times import utc
from tests.detectors.lives import DAY_S, START_S, alerts_of, event, fold, tick
from tests.detectors.lives import at as at_day

HOUR_D = 1 / 24
# Any watched signal weighs enough to open an alert by itself: what is held back is held for the incident's sake.
POLICY = msgspec.structs.replace(
    Policy(),
    signals={
        code: msgspec.structs.replace(row, prior=2.5) if code.startswith("tech.") else row
        for code, row in Policy().signals.items()
    },
)


class Cluster:
    """A few partitions, and the journal that they share: what one declares follows the tick that it does so at."""

    def __init__(self, partitions: int = 2, policy: Policy = POLICY) -> None:
        self.journals: list[list[JournalRecord]] = [[] for _ in range(partitions)]
        self.parts = [Partition(n, {}, policy, Model.prior(policy)) for n in range(partitions)]
        self.wrote: list[dict[str, list[Write]]] = [{} for _ in range(partitions)]

    def put(self, number: int, value: bytes) -> None:
        subject = orjson.loads(value).get("subject")
        key = None if subject is None else subject.encode()
        record = JournalRecord(len(self.journals[number]), key, value, 0)
        self.journals[number].append(record)
        self.parts[number].feed([record])

    def tick(self, day: float) -> None:
        for number in range(len(self.parts)):
            self.put(number, tick(day))
        for value in [value for number in range(len(self.parts)) for value in self.taken(number)]:
            for number in range(len(self.parts)):
                self.put(number, value)

    def taken(self, number: int) -> list[bytes]:
        writes = self.parts[number].snapshot().writes
        for topic, items in writes.items():
            self.wrote[number].setdefault(topic, []).extend(items)
        return [value for _, value, _ in writes.get(JOURNAL, ()) if value is not None]

    def end(self) -> None:
        for number in range(len(self.parts)):
            self.taken(number)

    def alerts(self) -> list[AlertEvent]:
        return [decode_alert(v) for wrote in self.wrote for _, v, _ in wrote.get(ALERTS, ()) if v is not None]

    def rows(self) -> dict[bytes, CommonCause]:
        """What stands on the compacted topic."""
        rows: dict[bytes, CommonCause] = {}
        for wrote in self.wrote:
            for key, value, _ in wrote.get(INSIGHTS, ()):
                assert key is not None
                if value is None:
                    del rows[key]
                elif key.startswith(b"incident/"):
                    rows[key] = msgspec.json.decode(value, type=CommonCause)
        return rows


def storm(cluster: Cluster, number: int, customers: range, day: float, errors: int = 40) -> None:
    """Errors for many, some minutes apart."""
    for i in customers:
        at = day + (i % 7) / 1440
        cluster.put(
            number, event("app.error.raised", at, customer=f"c-{number}-{i}", code="E", fatal=False, count=errors)
        )


def everyday(cluster: Cluster, customers: int, day: float) -> None:
    for number in range(len(cluster.parts)):
        for i in range(customers):
            cluster.put(number, event("usage.session.started", day, customer=f"c-{number}-{i}"))


def test_a_storm_over_two_partitions_is_one_incident_and_no_flood_of_alerts() -> None:
    cluster = Cluster()
    everyday(cluster, 40, 9.9)
    cluster.tick(9.95)
    storm(cluster, 0, range(20), 10 + 0.2 * HOUR_D)
    storm(cluster, 1, range(15), 10 + 0.3 * HOUR_D)
    cluster.tick(10 + HOUR_D)
    cluster.tick(10 + 2 * HOUR_D)
    cluster.end()
    (row,) = cluster.rows().values()
    assert (row.incident_id, row.customers, row.ended_at) == ("technology-2026-01-11T00Z", 35, None)
    assert row.signal == "tech.error_burst"
    assert cluster.alerts() == []
    assert sum(p.stats["held_back_common_cause"] for p in cluster.parts) == 35
    for day in range(11, 42):
        cluster.tick(day)
    cluster.end()
    (row,) = cluster.rows().values()
    assert (row.ended_at, row.customers) == ("2026-01-11T00:25:00Z", 35)
    assert cluster.alerts() == []
    assert all(p.world.incidents == [] for p in cluster.parts)


def test_who_has_a_reason_of_their_own_gets_an_alert_that_bears_the_id_in_the_very_tick() -> None:
    cluster = Cluster()
    storm(cluster, 0, range(20), 10)
    for i in range(3):
        failed = event("billing.payment.failed", 10, id=f"p{i}", customer="c-0-3", invoice_id=f"i{i}", attempt=1)
        cluster.put(0, failed)
    cluster.put(0, event("usage.session.started", 10, customer="c-0-77"))
    for i in range(3):
        failed = event("billing.payment.failed", 10, id=f"q{i}", customer="c-0-77", invoice_id=f"i{i}", attempt=1)
        cluster.put(0, failed)
    cluster.tick(10 + HOUR_D)
    cluster.end()
    causes = {alert.subject: alert.data.common_cause for alert in cluster.alerts()}
    assert causes == {"c-0-3": "technology-2026-01-11T00Z", "c-0-77": None}


def test_what_rises_later_is_the_incidents_while_it_reaches_back_to_it_and_then_the_customers_own() -> None:
    """Crashes of the storm are told of when there are sessions enough to compare them with, days later."""
    cluster = Cluster(1)
    cluster.put(0, event("app.outage.started", 10, customer="c-0-1", outage_id="o", service="web"))
    storm(cluster, 0, range(20), 10)
    for i in range(3):
        for customer in ("c-0-1", "c-0-2"):
            crash = event("app.error.raised", 10, id=f"f{i}{customer}", customer=customer, code="F", fatal=True)
            cluster.put(0, crash)
    cluster.tick(10 + HOUR_D)
    for day in (10.5, 11, 12, 13):
        for i in range(3):
            cluster.put(0, event("usage.session.started", day + i / 100, customer="c-0-1"))
        cluster.tick(day + 0.1)
    cluster.end()
    assert cluster.alerts() == []
    for i in range(3):
        cluster.put(0, event("app.error.raised", 18.5, id=f"g{i}", customer="c-0-2", code="F", fatal=True))
    for i in range(6):
        cluster.put(0, event("usage.session.started", 18.4, id=f"s{i}", customer="c-0-2"))
    cluster.tick(18.6)
    cluster.end()
    assert [(alert.subject, alert.data.common_cause) for alert in cluster.alerts()] == [("c-0-2", None)]


def test_who_has_faults_of_their_own_soon_after_a_storm_waits_no_longer() -> None:
    cluster = Cluster(1)
    storm(cluster, 0, range(20), 10)
    cluster.tick(10 + HOUR_D)
    for i in range(3):
        cluster.put(0, event("app.outage.started", 12 + i / 10, customer="c-0-4", outage_id=f"o{i}", service="web"))
    cluster.put(0, event("app.error.raised", 12.4, customer="c-0-5", code="E", fatal=False, count=1))
    cluster.tick(12.5)
    cluster.end()
    assert [(alert.subject, alert.data.common_cause) for alert in cluster.alerts()] == [("c-0-4", None)]


def test_a_partition_where_too_few_rose_takes_up_what_another_declares() -> None:
    cluster = Cluster()
    storm(cluster, 1, range(20), 10)
    storm(cluster, 0, range(2), 10)
    cluster.tick(10 + HOUR_D)
    cluster.tick(10 + HOUR_D + 1 / 1440)
    cluster.end()
    (row,) = cluster.rows().values()
    assert row.customers == 22
    late = event("app.error.raised", 10 + 1.1 * HOUR_D, customer="c-0-30", code="E", fatal=False, count=40)
    cluster.put(0, late)
    cluster.tick(10 + 1.2 * HOUR_D)
    cluster.tick(10 + 5 * HOUR_D)
    cluster.end()
    (row,) = cluster.rows().values()
    assert (row.customers, row.ended_at) == (23, "2026-01-11T01:06:00Z")
    # The first two were read before anybody knew of the storm; who comes later waits.
    assert {alert.subject for alert in cluster.alerts()} == {"c-0-0", "c-0-1"}


def test_whoever_is_forgotten_counts_for_no_incident() -> None:
    cluster = Cluster(1)
    for i in range(3):
        failed = event("billing.payment.failed", 9, id=f"p{i}", customer="c-0-3", invoice_id=f"i{i}", attempt=1)
        cluster.put(0, failed)
    cluster.tick(9.5)
    storm(cluster, 0, range(3, 4), 10)
    cluster.put(0, event("privacy.erasure.requested", 10.01, customer="c-0-3", request_id="r"))
    cluster.tick(10 + HOUR_D)
    cluster.end()
    assert [alert.data.status for alert in cluster.alerts()] == ["open", "resolved"]
    assert cluster.parts[0].world.rises == {}


def test_a_few_are_no_incident_and_neither_are_many_over_a_day() -> None:
    cluster = Cluster(1)
    storm(cluster, 0, range(7), 10)
    cluster.tick(10 + HOUR_D)
    for i in range(10, 30):
        storm(cluster, 0, range(i, i + 1), 10 + i * 0.5 * HOUR_D)
        cluster.tick(10 + i * 0.5 * HOUR_D + HOUR_D / 2)
    cluster.end()
    assert cluster.rows() == {}
    assert len(cluster.alerts()) == POLICY.budget.burst  # the others wait, for another reason


def test_of_many_customers_a_share_must_rise() -> None:
    policy = msgspec.structs.replace(POLICY, incidents=IncidentPolicy(at_least=8, share=0.5))
    for customers, found in ((16, 1), (30, 0)):
        cluster = Cluster(1, policy)
        everyday(cluster, customers, 9.9)
        storm(cluster, 0, range(8), 10)
        cluster.tick(10 + HOUR_D)
        cluster.end()
        assert len(cluster.rows()) == found


def test_rises_that_are_read_hours_late_count_when_they_were() -> None:
    """After a pause of the worker one tick reads all of it: what was spread over a night is no storm."""
    cluster = Cluster(1)
    for i in range(20):
        storm(cluster, 0, range(i, i + 1), 10 + i * 0.25 * HOUR_D)
    cluster.tick(10.5)
    cluster.end()
    assert cluster.rows() == {}


def declared(incident_id: str, signal: str, start_s: int, newest_s: int, partition: int, customers: int) -> bytes:
    data = said.Incident(
        incident_id=incident_id,
        signal=signal,
        started_at=utc(start_s),
        newest_at=utc(newest_s),
        partition=partition,
        customers=customers,
    )
    return said.encode_control(said.IncidentDeclared(id=f"{incident_id}@{partition}", time=utc(newest_s), data=data))


def test_two_that_declare_at_once_agree_whatever_the_order() -> None:
    base_s = START_S + 10 * DAY_S
    records = [
        declared("technology-2026-01-11T01Z", "tech.crashes", base_s + 3_600, base_s + 4_000, 1, 30),
        declared("technology-2026-01-11T00Z", "tech.error_burst", base_s + 3_300, base_s + 3_900, 2, 12),
        declared("technology-2026-01-11T00Z", "tech.crashes", base_s + 3_500, base_s + 5_000, 3, 9),
        declared("technology-2026-01-11T00Z", "tech.error_burst", base_s + 3_300, base_s + 4_100, 2, 25),
    ]
    worlds, rows = set(), set()
    for order in permutations(records):
        part = Partition(0, {}, POLICY, Model.prior(POLICY))
        part.feed([JournalRecord(i, None, value, 0) for i, value in enumerate([*order, tick(10.5)])])
        world = part.world
        for incident in world.incidents:
            incident.counts = dict(sorted(incident.counts.items()))
        worlds.add(dump_world(world))
        standing = {key: value for key, value, _ in part.snapshot().writes[INSIGHTS]}
        rows.add(tuple(value for _, value in sorted(standing.items()) if value is not None))
    assert len(worlds) == len(rows) == 1
    (row,) = (msgspec.json.decode(value, type=CommonCause) for value in rows.pop())
    assert row.customers == 64
    assert row.also_known_as == ("technology-2026-01-11T01Z",)


def test_nonsense_in_a_declaration_changes_nothing() -> None:
    part = Partition(0, {}, POLICY, Model.prior(POLICY))
    part.feed([JournalRecord(0, None, declared("weather-2026", "rain", START_S, START_S, 1, 10), 0)])
    assert part.world == World()


def test_what_is_remembered_stays_small() -> None:
    part = Partition(0, {}, POLICY, Model.prior(POLICY))
    incidents, world, out = part.desk.incidents, World(), Outbox()
    for i in range(2_000):
        at_s = START_S + i * 40_000
        record = declared(f"technology-{i:06}", "tech.crashes", at_s, at_s + 60, i % 7, 10)
        control = said.decode_control(record)
        assert isinstance(control, said.IncidentDeclared)
        incidents.heard(world, control.data, out, at_s)
        world.rises.setdefault("technology", {})[i] = 1
        incidents.find(world, i * 300)
    assert len(world.incidents) <= 16
    assert len(dump_world(world)) < 4_000


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 55), st.integers(0, 1)), min_size=8, max_size=60),
    st.lists(st.integers(0, 200), max_size=8),
)
def test_a_journal_with_its_declarations_gives_the_same_bytes_however_it_is_cut(
    errors: list[tuple[int, int, int]], cuts: list[int]
) -> None:
    cluster = Cluster()
    last = 0.0
    for i, (customer, minute, number) in enumerate(sorted(errors, key=lambda e: e[1])):
        at = 10 + minute / 1440
        body = event("app.error.raised", at, id=str(i), customer=f"c-{customer}", code="E", fatal=False, count=40)
        cluster.put(number, body)
        if at - last > 20 / 1440:
            last = at
            cluster.tick(at)
    for hour in (1, 2, 5, 30, 200):
        cluster.tick(10 + hour * HOUR_D)
    cluster.end()
    for number, journal in enumerate(cluster.journals):
        states: dict[bytes, bytes] = {}
        wrote: dict[str, list[Write]] = {}
        kept = 0
        for cut in sorted({min(c, len(journal)) for c in cuts} | {len(journal)}):
            part = Partition(number, states, POLICY, Model.prior(POLICY), max_hot=0)
            part.feed(journal[: cut // 2])  # read, and lost: what was not taken never happened
            part = Partition(number, states, POLICY, Model.prior(POLICY), max_hot=0)
            part.feed(journal[kept:cut])
            kept = cut
            for topic, items in part.snapshot().writes.items():
                wrote.setdefault(topic, []).extend(items)
        assert states == cluster.parts[number].states
        assert wrote == cluster.wrote[number]


def test_a_snooze_ends_on_time_though_what_is_worse_waits_for_its_common_cause() -> None:
    at_once = msgspec.structs.replace(
        POLICY,
        alerts=msgspec.structs.replace(POLICY.alerts, enter=0.12, exit=0.05),
        incidents=IncidentPolicy(at_least=2),
    )
    trouble = [event("billing.payment.failed", 1 + i / 100, invoice_id="i", attempt=1, id=f"p{i}") for i in range(3)]
    before = [*trouble, *(event("usage.session.started", 1, customer=f"c-{i}") for i in range(2, 5)), tick(1.1)]
    alert_id = alerts_of(fold(before, at_once)[1])[0].data.alert_id
    snoozed = event("retention.alert.snoozed", 1.2, alert_id=alert_id, by="ann", until=at_day(2.2))
    storm = [
        event("app.error.raised", 1.5, customer=f"c-{i}", code="E", fatal=False, count=40, id=f"e{i}")
        for i in range(1, 5)
    ]
    _, snapshot = fold([*before, snoozed, *storm, tick(1.51), tick(2.19), tick(2.21)], at_once)
    found = [(a.data.customer_id, a.data.status, a.data.as_of) for a in alerts_of(snapshot)]
    assert found[-1] == ("c-1", "open", at_day(2.21))
