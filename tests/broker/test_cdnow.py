"""`make run DATA=cdnow`: real history through Kafka gives what the core alone makes of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from deploy.kafka.client import Kafka

ROOT = Path(__file__).parents[2]
QUIET_S = 8.0
CHURNWATCH = [sys.executable, "-c", "from streams.cli import main; main()"]


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


def customers(alerts: list[bytes]) -> set[str]:
    return {msgspec.json.decode(alert)["subject"] for alert in alerts}


def await_quiet(kafka: Kafka, topics: list[str], deadline_s: float) -> None:
    """Return when all the topics have records and none has got one for a while."""
    until, since, before = time.monotonic() + deadline_s, time.monotonic(), [0] * len(topics)
    while time.monotonic() < until:
        now = [sum(kafka.end_offsets(topic).values()) for topic in topics]
        if now != before or not all(now):
            since, before = time.monotonic(), now
        if time.monotonic() - since > QUIET_S:
            return
        time.sleep(0.5)
    raise TimeoutError(f"{topics} still grow after {deadline_s:.0f} s: {before}")


@pytest.mark.timeout(300)
def test_alerts_of_the_run_are_those_of_its_journal_and_its_customers_those_of_the_file(
    bootstrap: str, kafka: Kafka, prefix: str, app_id: str, tmp_path: Path
) -> None:
    own = {"KAFKA_BOOTSTRAP": bootstrap, "CHURNWATCH_TOPIC_PREFIX": prefix, "CHURNWATCH_APP_ID": app_id}
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
        await_quiet(kafka, [f"{prefix}churn.journal", f"{prefix}churn.alerts"], 180)
        running.send_signal(signal.SIGINT)
        assert running.wait(40) == 0, err.read_text()
    finally:
        if running.poll() is None:
            running.kill()
            running.wait()

    live = [record.value or b"" for record in kafka.consume(f"{prefix}churn.alerts")]
    churnwatch("journal", "dump", "--out", "journal.jsonl")
    churnwatch("replay", "--journal", "journal.jsonl", "--alerts", "journal-alerts.jsonl")
    assert sorted(live) == sorted(lines(tmp_path / "journal-alerts.jsonl"))
    one = msgspec.json.decode(live[len(live) // 2])["data"]["alert_id"]
    churnwatch("explain", one)  # from Kafka: ends with 1 unless every revision is derived again
    churnwatch("replay", str(tmp_path / "run" / "cdnow.jsonl"), "--alerts", "file-alerts.jsonl")
    assert customers(live) == customers(lines(tmp_path / "file-alerts.jsonl"))
    assert len(customers(live)) > 100
