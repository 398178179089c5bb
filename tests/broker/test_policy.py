"""A running worker takes up a policy that is applied, keeps it through a kill, and a replay of its journal agrees."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from detectors.policy_text import parse_policy
from detectors.rules import RULES_KEY
from schemas.alerts import decode_alert
from schemas.topics import ALERTS, JOURNAL
from tests.broker.harness import Feeder, Trial
from tests.broker.traffic import journal_items

ROOT = Path(__file__).parents[2]
CHURNWATCH = [sys.executable, "-c", "from streams.cli import main; main(prog_name='churnwatch')"]
POLICY = 'name = "keen"\n[alerts]\nenter = 0.15\nexit = 0.08\n[signals."exit.intent"]\nprior = 2.4\n'


def churnwatch(trial: Trial, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **trial.env, "PYTHONPATH": str(ROOT)}
    return subprocess.run([*CHURNWATCH, *arguments], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)


async def _taken_up(trial: Trial, file: Path) -> None:
    version = parse_policy(POLICY).version
    await trial.create()
    items = journal_items(seed=11, count=6_000, customers=400)
    worker = trial.start()
    await worker.ready()
    async with Feeder(trial.bootstrap) as feeder:
        await feeder.feed(trial.named(JOURNAL), items[:3_000])
        await trial.caught_up()
        applied = await asyncio.to_thread(churnwatch, trial, "policy", "apply", str(file))
        assert applied.returncode == 0, applied.stderr
        assert [line.split()[0] for line in applied.stdout.splitlines()] == [version] * 3
        await worker.until(lambda: worker.said("another policy or model decides from here on") == 3)
        await feeder.feed(trial.named(JOURNAL), items[3_000:4_500])
        await trial.caught_up()
        worker.kill()
        trial.start()
        await feeder.feed(trial.named(JOURNAL), items[4_500:])
    await trial.caught_up()
    await trial.assert_exact()
    places = applied.stdout
    again = await asyncio.to_thread(churnwatch, trial, "policy", "apply", str(file))
    assert (again.returncode, again.stdout) == (0, places)
    assert "already" in again.stderr
    assert (await asyncio.to_thread(churnwatch, trial, "policy", "show")).stdout == places
    for number, states in (await trial.states()).items():
        assert RULES_KEY in states, number


async def _replayed(trial: Trial, folder: Path) -> None:
    version = parse_policy(POLICY).version
    dump, out = folder / "journal.jsonl", folder / "alerts.jsonl"
    for arguments in (
        ("journal", "dump", "--out", str(dump)),
        ("replay", "--journal", str(dump), "--alerts", str(out)),
    ):
        done = await asyncio.to_thread(churnwatch, trial, *arguments)
        assert done.returncode == 0, done.stderr
    real = await trial.read(trial.named(ALERTS))
    alerts = [r.value for records in real.values() for r in records]
    assert sorted(out.read_bytes().splitlines()) == sorted(alerts)
    journal = await trial.read(trial.named(JOURNAL))
    at = {n: next(r.offset for r in records if b'"churn.policy.v1"' in r.value) for n, records in journal.items()}
    for value in alerts:
        alert = decode_alert(value).data
        place = alert.evidence_range
        assert (alert.policy_version == version) is (place.last_offset > at[place.partition])
        assert alert.policy_version == version or alert.changed_by in ("events", "time")
    assert {decode_alert(value).data.policy_version for value in alerts} > {version}


def test_a_running_worker_takes_up_a_policy_at_one_record_of_each_partition(bootstrap: str, tmp_path: Path) -> None:
    file = tmp_path / "keen.toml"
    file.write_text(POLICY)
    trial = Trial(bootstrap, tmp_path, fold="detectors")

    async def run() -> None:
        await _taken_up(trial, file)
        await _replayed(trial, tmp_path)

    try:
        asyncio.run(run())
    finally:
        trial.end()


def test_a_broker_without_a_journal_is_told_and_a_wrong_policy_never_gets_there(bootstrap: str, tmp_path: Path) -> None:
    trial = Trial(bootstrap, tmp_path)
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(POLICY)
    bad.write_text("[alerts]\nentre = 1")
    done = churnwatch(trial, "policy", "apply", str(good))
    assert (done.returncode, "no such topic" in done.stderr) == (1, True)
    done = churnwatch(trial, "policy", "apply", str(bad))
    assert (done.returncode, "line 2" in done.stderr) == (1, True)
    assert churnwatch(trial, "policy", "show").returncode == 1
