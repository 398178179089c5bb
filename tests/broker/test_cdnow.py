"""`make run DATA=cdnow`: real history through Kafka gives what the core alone makes of it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from deploy.kafka.client import Kafka
from deploy.kafka.kafka import HOST, free_port
from tests.broker.harness import Trial

ROOT = Path(__file__).parents[2]
QUIET_S = 8.0
CHURNWATCH = [sys.executable, "-c", "from streams.cli import main; main()"]


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


def customers(alerts: list[bytes]) -> set[str]:
    return {msgspec.json.decode(alert)["subject"] for alert in alerts}


def await_quiet(kafka: Kafka, topic: str, deadline_s: float, quiet_s: float = QUIET_S) -> None:
    """Return when the topic has records and got none for a while: what intake held back has been let go."""
    until_s, since_s, before = time.monotonic() + deadline_s, time.monotonic(), 0
    while time.monotonic() < until_s:
        now = sum(kafka.end_offsets(topic).values())
        if now != before or not now:
            since_s, before = time.monotonic(), now
        if now and time.monotonic() - since_s >= quiet_s:
            return
        time.sleep(0.5)
    raise TimeoutError(f"{topic} is empty or still grows after {deadline_s:.0f} s: {before}")


@pytest.mark.timeout(400)
def test_alerts_of_the_run_are_those_of_its_journal_and_its_customers_those_of_the_file(
    bootstrap: str, kafka: Kafka, prefix: str, app_id: str, tmp_path: Path
) -> None:
    own = {"KAFKA_BOOTSTRAP": bootstrap, "CHURNWATCH_TOPIC_PREFIX": prefix, "CHURNWATCH_APP_ID": app_id}
    own["CHURNWATCH_OPS"] = f"{HOST}:{free_port()}"  # another run may start now, and look for the usual one
    # Intake runs ahead of history, so what is learned comes into force later than in the file: it alerts the same ones.
    own["CHURNWATCH_POLICY"] = str(tmp_path / "policy.toml")
    (tmp_path / "policy.toml").write_text("[learning]\nwatched_max = 200\n")  # a sample teaches
    env = {**os.environ, **own, "PYTHONPATH": str(ROOT)}

    def churnwatch(*arguments: str) -> None:
        subprocess.run([*CHURNWATCH, *arguments], env=env, cwd=tmp_path, check=True, capture_output=True)

    err = tmp_path / "err"
    run = [sys.executable, "-m", "deploy.run", "--data", "cdnow", "--folder", str(tmp_path / "run")]
    with err.open("wb") as said:
        running = subprocess.Popen(run, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=said)
    try:
        while "Traffic: 69,659 events delivered" not in err.read_text():
            assert running.poll() is None, err.read_text()
            time.sleep(0.2)
        trial = Trial(bootstrap, tmp_path, CHURNWATCH_TOPIC_PREFIX=prefix, CHURNWATCH_APP_ID=app_id)
        await_quiet(kafka, f"{prefix}churn.journal", 120, quiet_s=0.0)
        asyncio.run(trial.caught_up("intake", 120))
        await_quiet(kafka, f"{prefix}churn.journal", 60)
        asyncio.run(trial.caught_up("detector", 120))
        running.send_signal(signal.SIGINT)
        assert running.wait(40) == 0, err.read_text()
    finally:
        if running.poll() is None:
            running.kill()
            running.wait()

    live = [record.value or b"" for record in kafka.consume(f"{prefix}churn.alerts")]
    churnwatch("journal", "dump", "--out", "journal.jsonl")
    given = ("--policy", "policy.toml")
    churnwatch("replay", "--journal", "journal.jsonl", *given, "--alerts", "journal-alerts.jsonl")
    assert sorted(live) == sorted(lines(tmp_path / "journal-alerts.jsonl"))
    one = msgspec.json.decode(live[len(live) // 2])["data"]["alert_id"]
    churnwatch("explain", one, *given)  # from Kafka: ends with 1 unless every revision is derived again
    churnwatch("replay", str(tmp_path / "run" / "cdnow.jsonl"), *given, "--alerts", "file-alerts.jsonl")
    assert customers(live) == customers(lines(tmp_path / "file-alerts.jsonl"))
    assert len(customers(live)) > 100
