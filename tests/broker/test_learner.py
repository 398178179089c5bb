"""Learning through the real broker: no outcome twice or lost though workers die, one model for all, the same alerts."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

from detectors.customer import DAY_S
from detectors.learning.examples import Example
from detectors.learning.learner import Learner
from detectors.learning.lessons import decode_lesson, taken
from detectors.learning.shown_groups import group_rows
from detectors.policy_text import parse_policy
from schemas.alerts import decode_alert
from schemas.insights import encode_insight
from schemas.insights_learned import STATE_ID, LearnerState, decode_state
from schemas.insights_reasons import GROUP_INSIGHTS
from schemas.journal import ModelChanged, decode_control
from schemas.journal_dump import encode_journal_line
from schemas.topics import ALERTS, EXAMPLES, INSIGHTS, JOURNAL
from streams.journal_dump import dump
from streams.replay import run
from streams.replay_options import ReplayOptions
from tests.broker.harness import Feeder, Trial
from tests.broker.traffic import Item
from tests.detectors.lives import event

CUSTOMERS, DAYS, CUT = 60, 48, 36
POLICY = """
[churn]
horizon_days = 7
landmark_days = 3
[learning]
start_after = 30
publish_days = 3
[alerts]
enter = 0.15
exit = 0.08
"""
Topics = dict[str, list[tuple[int, Item]]]


def history() -> dict[str, list[tuple[float, bytes]]]:
    """Sessions every other day; before leaving a customer fails to pay thrice; half of those who do not pay leave."""
    rng = random.Random(5)
    usage: list[tuple[float, bytes]] = []
    billing: list[tuple[float, bytes]] = []
    for i in range(CUSTOMERS):
        name = f"c-{i}"
        leaves = rng.uniform(8, DAYS + 30)
        billing.append((0.1 + i / 900, event("billing.subscription.started", 0.1 + i / 900, customer=name,
                                              id=f"{name}s", plan="pro", mrr=50.0)))  # fmt: skip
        days = [day + rng.random() for day in range(1, DAYS, 2)]
        usage += [(d, event("usage.session.started", d, customer=name)) for d in days if d < leaves]
        if i % 2 or leaves < DAYS:
            failed = min(leaves, DAYS) - rng.uniform(1, 6)
            for number in range(3):
                at_d = failed + number / 100
                billing.append((at_d, event("billing.payment.failed", at_d, customer=name, id=f"{name}f{number}",
                                            invoice_id=f"I{number}", attempt=1)))  # fmt: skip
        if leaves < DAYS:
            billing.append((leaves, event("billing.subscription.cancelled", leaves, customer=name)))
    return {"usage.events": sorted(usage), "billing.events": sorted(billing)}


async def _feed(trial: Trial, first_day: float, last_day: float) -> None:
    async with Feeder(trial.bootstrap) as feeder:
        for topic, told in history().items():
            part = [value for day, value in told if first_day <= day < last_day]
            await feeder.feed(trial.named(topic), [(0, (None, value)) for value in part])


async def _all_caught_up(trial: Trial) -> None:
    for role in ("intake", "detector", "learner", "detector"):
        await trial.caught_up(role)


async def _values(trial: Trial, topic: str) -> dict[int, list[bytes]]:
    found = await trial.read(trial.named(topic))
    return {number: [record.value for record in records] for number, records in found.items()}


async def _state(trial: Trial) -> LearnerState:
    rows = (await trial.read(trial.named(INSIGHTS)))[0]
    return decode_state([row.value for row in rows if row.key == STATE_ID.encode()][-1])


async def _groups(trial: Trial) -> dict[bytes, bytes]:
    """The rows by group of customers, as they stand."""
    rows = (await trial.read(trial.named(INSIGHTS)))[0]
    return {row.key: row.value for row in rows if row.key.startswith(tuple(kind.encode() for kind in GROUP_INSIGHTS))}


async def _learned(trial: Trial) -> dict[str, Any]:
    """Two halves of a history; two workers are killed, the second while a third stands by, which goes on learning."""
    await trial.create(churn_journal=2, **dict.fromkeys(("usage_events", "billing_events"), 1))
    try:
        first = trial.start(CHURNWATCH_INSTANCE_ID="w")
        await first.ready(3)
        await _feed(trial, 0, CUT)
        await first.until(lambda: first.said("a model is handed over") > 0)
        first.kill()
        second = trial.start(CHURNWATCH_INSTANCE_ID="w")
        await second.ready(3)
        await _all_caught_up(trial)
        trial.start("spare", CHURNWATCH_ROLES="learner")
        second.kill()
        last = trial.start(CHURNWATCH_INSTANCE_ID="w", CHURNWATCH_ROLES="intake,detector")
        await last.ready(2)
        await _feed(trial, CUT, DAYS)
        await asyncio.sleep(3.0)  # the inputs are idle after two
        await _all_caught_up(trial)
        await last.stop()
        await trial.assert_exact()
        path = trial.folder / "journal.jsonl"
        with path.open("wb") as out:
            async for line in dump(trial.bootstrap, trial.settings.topic_prefix):
                out.write(encode_journal_line(line) + b"\n")
        return {
            "examples": (await _values(trial, EXAMPLES))[0],
            "journal": await _values(trial, JOURNAL),
            "alerts": [value for values in (await _values(trial, ALERTS)).values() for value in values],
            "state": await _state(trial),
            "groups": await _groups(trial),
            "dump": str(path),
        }
    finally:
        trial.end()


def _models(values: list[bytes]) -> list[ModelChanged]:
    told = [decode_control(value) for value in values if b"churn.model.v1" in value]
    return [control for control in told if isinstance(control, ModelChanged)]


def test_outcomes_are_learned_once_and_every_partition_gets_each_model_once(bootstrap: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    env = {
        "CHURNWATCH_ROLES": "intake,detector,learner",
        "CHURNWATCH_IDLE_S": "2",
        "CHURNWATCH_LEARNER_SAVE_S": "1",
        "CHURNWATCH_POLICY": str(policy),
    }
    trial = Trial(bootstrap, tmp_path, fold="detectors", **env)
    found = asyncio.run(_learned(trial))

    learner, due_s, groups = Learner(parse_policy(POLICY)), 0, dict[bytes, bytes]()
    examples = [decode_lesson(value) for value in found["examples"]]
    for example in examples:
        assert taken(learner, example) is None
        if isinstance(example, Example) and example.landmark_s >= due_s:
            due_s = example.landmark_s // (3 * DAY_S) * 3 * DAY_S + 3 * DAY_S
            rows = group_rows(learner, learner.model(), example.landmark_s + 7 * DAY_S)
            groups |= {row.insight_id.encode(): encode_insight(row) for row in rows}
    assert found["groups"] == groups
    assert len(examples) > 300
    assert {example.left for example in examples} == {True, False}
    assert bytes(found["state"].learner) == learner.snapshot()

    models = [_models(values) for values in found["journal"].values()]
    assert models[0] == models[1]
    versions = [model.id for model in models[0]]
    assert len(versions) == len(set(versions)) > 3
    assert found["state"].model_version == versions[-1]

    alerts = tmp_path / "alerts.jsonl"
    run(ReplayOptions(files=(found["dump"],), journal=True, alerts=str(alerts), policy=str(policy)))
    assert sorted(alerts.read_bytes().splitlines()) == sorted(found["alerts"])
    assert {decode_alert(value).data.model_version for value in found["alerts"]} & set(versions)
