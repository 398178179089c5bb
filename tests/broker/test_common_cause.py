"""An outage through the real broker: one incident, alerts that bear its id, the same bytes from the journal's dump."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from schemas.alerts import decode_alert
from schemas.insights_live import CallAbandonment, CommonCause
from schemas.journal import IncidentDeclared, decode_control
from schemas.journal_dump import encode_journal_line
from schemas.topics import ALERTS, INSIGHTS, JOURNAL
from streams.journal_dump import dump
from streams.replay import run
from streams.replay_options import ReplayOptions
from tests.broker.harness import Feeder, Trial
from tests.broker.traffic import Item
from tests.detectors.lives import event

CUSTOMERS, HIT, UNPAID, CALM = 80, 40, "c-7", "c-77"
OUTAGE = "technology-2026-01-21T09Z"
Topics = dict[str, list[tuple[int, Item]]]


def traffic() -> Topics:
    """Sessions every day; one morning everything crashes for half of the customers; two do not pay either."""
    sessions = [event("usage.session.started", day + 0.3 + i / 9_000, customer=f"c-{i}")
                for day in range(24) for i in range(CUSTOMERS)]  # fmt: skip
    errors = [
        event("app.error.raised", 20.38 + i / 1_440, customer=f"c-{i}", code="E", fatal=True, count=40)
        for i in range(HIT)
    ]
    unpaid = [
        event("billing.payment.failed", 20.1 + i / 100, id=f"{customer}-{i}", customer=customer, invoice_id=f"i{i}",
              attempt=1)
        for i in range(3) for customer in (UNPAID, CALM)
    ]  # fmt: skip
    calls = [event("support.call.abandoned", 20.4 + i / 500, customer=f"c-{i}", call_id=f"k{i}", wait_s=60.0)
             for i in range(6)]  # fmt: skip
    by_topic = {
        "usage.events": sessions,
        "app-errors.events": errors,
        "billing.events": unpaid,
        "support.events": calls,
    }
    return {topic: [(i % 2, (None, value)) for i, value in enumerate(values)] for topic, values in by_topic.items()}


async def _feed(trial: Trial) -> None:
    async with Feeder(trial.bootstrap) as feeder:
        for topic, items in traffic().items():
            await feeder.feed(trial.named(topic), items)


async def _replayed(trial: Trial) -> dict[str, list[bytes]]:
    """What the dump of the journal gives."""
    path = trial.folder / "journal.jsonl"
    with path.open("wb") as out:
        async for line in dump(trial.bootstrap, trial.settings.topic_prefix):
            out.write(encode_journal_line(line) + b"\n")
    alerts, insights = trial.folder / "alerts.jsonl", trial.folder / "insights.jsonl"
    options = ReplayOptions(files=(str(path),), journal=True, alerts=str(alerts), insights=str(insights))
    await asyncio.to_thread(run, options)
    return {"alerts": alerts.read_bytes().splitlines(), "insights": insights.read_bytes().splitlines()}


async def _outage(trial: Trial) -> None:
    await trial.create(churn_journal=2, **dict.fromkeys(("usage_events", "app_errors_events", "billing_events"), 2))
    try:
        await _feed(trial)
        first = trial.start(CHURNWATCH_INSTANCE_ID="w")
        await first.ready(2)
        await asyncio.sleep(2.5)
        first.kill()
        worker = trial.start(CHURNWATCH_INSTANCE_ID="w")
        await worker.ready(2)
        await trial.caught_up("intake")
        await trial.caught_up("detector")
        await worker.stop()
        await trial.assert_exact()
        alerts = await _values(trial, ALERTS)
        standing: dict[bytes, Any] = {}
        for records in (await trial.read(trial.named(INSIGHTS))).values():
            standing |= {record.key: record.value for record in records}
        standing = {key: value for key, value in standing.items() if value is not None}
        replayed = await _replayed(trial)
        journal = await trial.read(trial.named(JOURNAL))
    finally:
        trial.end()
    assert sorted(alerts) == sorted(replayed["alerts"])
    assert sorted(standing.values()) == sorted(replayed["insights"])
    (incident,) = (msgspec.json.decode(v, type=CommonCause) for k, v in standing.items() if k.startswith(b"incident/"))
    assert (incident.incident_id, incident.customers) == (OUTAGE, HIT)
    assert incident.ended_at is not None
    given_up = [msgspec.json.decode(v, type=CallAbandonment) for k, v in standing.items() if k.startswith(b"call_")]
    assert sum(row.abandoned for row in given_up) == 6
    causes = {alert.subject: alert.data.common_cause for alert in map(decode_alert, alerts)}
    assert causes[UNPAID] == OUTAGE
    assert causes[CALM] is None
    assert set(causes) == {UNPAID, CALM}
    for records in journal.values():
        said = [decode_control(record.value) for record in records if record.key is None]
        ids = [control.id for control in said if isinstance(control, IncidentDeclared)]
        assert len(ids) == len(set(ids)) >= 2


async def _values(trial: Trial, topic: str) -> list[bytes]:
    return [record.value for records in (await trial.read(trial.named(topic))).values() for record in records]


def test_an_outage_is_one_incident_though_the_worker_is_killed(bootstrap: str, tmp_path: Path) -> None:
    roles = {"CHURNWATCH_ROLES": "intake,detector", "CHURNWATCH_CLOCK": "events", "CHURNWATCH_IDLE_S": "2"}
    asyncio.run(_outage(Trial(bootstrap, tmp_path, fold="detectors", **roles)))
