"""Learning through the real broker: no outcome twice or lost though workers die, one model for all, the same alerts."""

from __future__ import annotations

import asyncio
import json
import random
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from deploy.kafka.kafka import free_port
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
from schemas.model_commands import ModelCommand, Promote, Promotion, Return, Rollback, decode_command
from schemas.topics import ALERTS, EXAMPLES, INSIGHTS, JOURNAL
from streams.cli import main
from streams.insights import standing, wanted
from streams.journal_dump import dump
from streams.models import Answered, Place, ask
from streams.replay import run
from streams.replay_options import ReplayOptions
from tests.broker.harness import Feeder, Trial
from tests.broker.test_ops import ask as page_of
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
AT = datetime(2026, 3, 1, tzinfo=UTC)
NOBODY = Promote(id="p-1", time=AT, data=Promotion(model="nobody"))
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
    # In this order: on a busy machine the clock may go by the first alone, and what is told of late warns of nobody.
    return {"billing.events": sorted(billing), "usage.events": sorted(usage)}


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


async def _groups(trial: Trial) -> dict[str, bytes]:
    """The rows by group of customers, as `churnwatch insights` finds them."""
    rows = await standing(trial.bootstrap, trial.settings.topic_prefix)
    assert STATE_ID in {row.insight_id for row in rows}
    return {row.insight_id: row.value for row in wanted(rows, tuple(GROUP_INSIGHTS), None)}


async def _tells_of_the_model(port: int) -> None:
    """What the metrics of a worker say once a model is handed over."""
    _, shown = await page_of(port, "/metrics")
    told = dict(re.findall(r"^churn_(examples_total.*stayed.*|model_\w+) (\S+)$", shown, re.MULTILINE))
    assert float(told['examples_total{label="stayed"}']) > 0
    assert float(told["model_log_loss"]) > 0
    assert float(told["model_calibration_error_ratio"]) >= 0
    assert float(told["model_age_seconds"]) > 0
    assert told["model_drifting"] == "0.0"


async def _learned(trial: Trial) -> dict[str, Any]:
    """Two halves of a history; two workers are killed, the second while a third stands by, which goes on learning.

    Between the halves somebody goes back to the model from before, which holds while the second one is learned; in the
    end the other kind of model is promoted.
    """
    await trial.create(churn_journal=2, **dict.fromkeys(("usage_events", "billing_events"), 1))
    try:
        port = free_port()
        first = trial.start(CHURNWATCH_INSTANCE_ID="w", CHURNWATCH_OPS=f"127.0.0.1:{port}")
        await first.ready(3)
        await _feed(trial, 0, CUT)
        await first.until(lambda: first.said("a model is handed over") > 0)
        await _tells_of_the_model(port)
        first.kill()
        second = trial.start(CHURNWATCH_INSTANCE_ID="w")
        await second.ready(3)
        await _all_caught_up(trial)
        went_back = await _ask(trial, Rollback(id="b-1", time=AT, data=Return(reason="a trial")))
        trial.start("spare", CHURNWATCH_ROLES="learner")
        second.kill()
        last = trial.start(CHURNWATCH_INSTANCE_ID="w", CHURNWATCH_ROLES="intake,detector")
        await last.ready(2)
        await _feed(trial, CUT, DAYS)
        await asyncio.sleep(3.0)  # the inputs are idle after two
        await _all_caught_up(trial)
        held = await _state(trial)
        said = [await _ask(trial, command) for command in (Rollback(id="b-1", time=AT), NOBODY)]
        promoted = await asyncio.to_thread(_command, trial, "promote", "quick", "--reason", "a trial")
        await _all_caught_up(trial)
        shown = [await asyncio.to_thread(_command, trial, name, "--json") for name in ("list", "card")]
        await last.stop()
        await trial.assert_exact()
        path = trial.folder / "journal.jsonl"
        with path.open("wb") as out:
            async for line in dump(trial.bootstrap, trial.settings.topic_prefix):
                out.write(encode_journal_line(line) + b"\n")
        return {
            "examples": (await trial.read(trial.named(EXAMPLES)))[0],
            "went_back": went_back,
            "held": held,
            "said": said,
            "promoted": promoted,
            "shown": shown,
            "journal": await _values(trial, JOURNAL),
            "alerts": [value for values in (await _values(trial, ALERTS)).values() for value in values],
            "state": await _state(trial),
            "groups": await _groups(trial),
            "dump": str(path),
        }
    finally:
        trial.end()


async def _ask(trial: Trial, command: ModelCommand) -> Answered:
    """What the learner says to a command."""
    answered = await ask(Place(trial.bootstrap, trial.settings.topic_prefix), command, 60.0)
    assert answered is not None
    return answered


def _command(trial: Trial, *args: str) -> str:
    """What `churnwatch model` prints."""
    done = CliRunner().invoke(main, ["model", *args], env=trial.env)
    assert done.exit_code == 0, done.output
    return done.stdout


def _retold(records: list[Any]) -> tuple[Learner, list[str], dict[str, bytes]]:
    """A learner without a worker, who is told the same in the same order: what it hands over, and rows by group."""
    policy = parse_policy(POLICY)
    learner, due_s, every_s = Learner(policy), 0, policy.learning.publish_days * DAY_S
    handed, groups = list[str](), dict[str, bytes]()
    for record in records:
        if record.key is None:
            model = learner.obey(decode_command(record.value))[1]
        else:
            lesson, model = decode_lesson(record.value), None
            assert taken(learner, lesson) is None
            if isinstance(lesson, Example):
                if is_due := lesson.landmark_s >= due_s:
                    due_s = (lesson.landmark_s // every_s + 1) * every_s
                if is_due or learner.is_overrated:
                    known_s = lesson.landmark_s + policy.churn.horizon_days * DAY_S
                    model = learner.hand_over(known_s)
                    rows = group_rows(learner, learner.model(), known_s)
                    groups |= {row.insight_id: encode_insight(row) for row in rows}
        handed += [model.version] if model is not None else []
    return learner, handed, groups


def _models(values: list[bytes]) -> list[ModelChanged]:
    told = [decode_control(value) for value in values if b"churn.model.v1" in value]
    return [control for control in told if isinstance(control, ModelChanged)]


def test_outcomes_are_learned_once_and_each_model_and_one_that_comes_back_is_in_every_partition_once(
    bootstrap: str, tmp_path: Path
) -> None:
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

    learner, models_alone, groups = _retold(found["examples"])
    assert found["groups"] == groups
    assert learner.learned > 300
    assert min(learner.left, learner.saved.undrawn.alerts) > 0
    assert bytes(found["state"].learner) == learner.snapshot()

    models = [_models(values) for values in found["journal"].values()]
    assert models[0] == models[1]
    versions = [model.id for model in models[0]]
    assert versions == models_alone
    assert found["state"].model_version == versions[-1]

    back = found["went_back"].answer.in_force
    assert versions.index(back, versions.index(back) + 1) == len(versions) - 2  # the last but one: what came before it
    assert versions[-3] != back
    assert next(model.data for model in models[0] if model.id == back) == models[0][-2].data
    assert found["held"].model_version == back  # though a half of the history was learned since
    again, nobody = found["said"]
    assert again.answer == found["went_back"].answer
    assert "no model of this name" in nobody.answer.refused
    assert found["promoted"].strip() == versions[-1]
    assert versions[-1].startswith("quick-")
    listed, card = map(json.loads, found["shown"])
    assert (listed["in_force"], listed["chosen_by"], listed["reason"]) == (versions[-1], "promote", "a trial")
    assert [answer["command"] for answer in listed["answers"]] == ["rollback", "promote", "promote"]
    assert (card["version"], card["learned"]) == (versions[-1], learner.learned)

    alerts = tmp_path / "alerts.jsonl"
    run(ReplayOptions(files=(found["dump"],), journal=True, alerts=str(alerts), policy=str(policy)))
    assert sorted(alerts.read_bytes().splitlines()) == sorted(found["alerts"])
    assert {decode_alert(value).data.model_version for value in found["alerts"]} & set(versions)
