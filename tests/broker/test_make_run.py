"""`make run` as a user sees it: alerts with reasons come, metrics move, and Ctrl-C leaves nothing behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from deploy.kafka.client import Kafka
from deploy.kafka.kafka import free_port

ROOT = Path(__file__).parents[2]
FIRST_ALERT_S = 90.0
MEASURED_S = 20.0
MOVING = {
    "churn_alert_budget_used_ratio", "churn_alerts_emitted", "churn_assessments", "churn_build",
    "churn_checkpoint_age_seconds", "churn_checkpoint_duration_seconds", "churn_end_to_end_latency_seconds",
    "churn_event_time_lag_seconds", "churn_events_consumed", "churn_live", "churn_processing_duration_seconds",
    "churn_ready", "churn_rebalances", "churn_source_silence_seconds", "churn_state_bytes", "churn_state_customers",
    "churn_state_recovery_seconds", "churn_ticks",
}  # fmt: skip
"""What is not 0 as soon as all is well; the rest waits for outcomes, trouble or a horizon."""


@pytest.fixture
def env(bootstrap: str, prefix: str, app_id: str) -> dict[str, str]:
    own = {"KAFKA_BOOTSTRAP": bootstrap, "CHURNWATCH_TOPIC_PREFIX": prefix, "CHURNWATCH_APP_ID": app_id}
    return {**os.environ, **own, "CHURNWATCH_OPS": f"127.0.0.1:{free_port()}", "PYTHONPATH": str(ROOT)}


def children_of(folder: Path) -> list[str]:
    """Command lines of the processes that keep their data in the run's folder, whoever their parent is now."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes()
            if f"={folder}/data".encode() in environment:
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def metrics_that_moved(ops: str) -> tuple[set[str], str]:
    """The metrics of ours with a value that is not 0, and the page itself."""
    with urlopen(f"http://{ops}/metrics", timeout=5) as answer:
        page = answer.read().decode()
    lines = re.findall(r"^(churn_\w+?)(?:_total|_info|_bucket|_sum|_count)?(?:{.*})? (\S+)$", page, re.MULTILINE)
    return {name for name, value in lines if float(value)}, page


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are looked up in /proc")
@pytest.mark.timeout(180)
def test_alerts_come_metrics_move_and_ctrl_c_stops_all_of_it(env: dict[str, str], tmp_path: Path) -> None:
    out, err, folder = tmp_path / "out", tmp_path / "err", tmp_path / "run"
    command = [sys.executable, "-m", "deploy.run", "--folder", str(folder), "--rate", "100/s"]
    with out.open("wb") as stdout, err.open("wb") as stderr:
        run = subprocess.Popen(command, cwd=ROOT, env=env, stdout=stdout, stderr=stderr, start_new_session=True)
    try:
        until = time.monotonic() + FIRST_ALERT_S
        while "opened" not in out.read_text():
            assert run.poll() is None, err.read_text()
            assert time.monotonic() < until, err.read_text()
            time.sleep(0.2)
        assert len(children_of(folder)) == 3
        until = time.monotonic() + MEASURED_S
        moved, page = metrics_that_moved(env["CHURNWATCH_OPS"])
        while MOVING - moved and time.monotonic() < until:
            time.sleep(0.3)
            moved, page = metrics_that_moved(env["CHURNWATCH_OPS"])
        assert MOVING - moved == set()
        if promtool := shutil.which("promtool"):
            checked = subprocess.run(
                [promtool, "check", "metrics"], input=page, capture_output=True, text=True, check=False
            )
            assert checked.returncode == 0, checked.stderr
        began = time.monotonic()
        run.send_signal(signal.SIGINT)
        assert run.wait(40) == 0
        assert time.monotonic() - began < 15
    finally:
        if run.poll() is None:
            run.kill()
            run.wait()
    said = err.read_text()
    assert said.endswith("» Stopping…\n» Everything that was started here has stopped.\n")
    assert "killed" not in said
    assert "to leave within 30 days" in out.read_text()
    assert children_of(folder) == []


def test_every_input_topic_gets_traffic(env: dict[str, str], kafka: Kafka, prefix: str) -> None:
    from schemas.topics import INPUT_TOPICS

    churnwatch = [sys.executable, "-c", "from streams.cli import main; main()"]
    subprocess.run([*churnwatch, "topics", "create"], env=env, cwd=ROOT, check=True, capture_output=True)
    live = ["simulate", "--live", "--rate", "200/s", "--for", "1s"]
    subprocess.run([*churnwatch, *live], env=env, cwd=ROOT, check=True, capture_output=True)
    sent = {topic: sum(kafka.end_offsets(prefix + topic).values()) for topic in INPUT_TOPICS}
    assert [topic for topic, records in sent.items() if not records] == []
