"""What is looked at without Kafka, and that no secret is shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import json
from msgspec.structs import replace

from streams.cli import main
from streams.doctor.found import fine, is_well, odd, wrong
from streams.doctor.machine import (
    SECRET,
    disk_found,
    files_found,
    memory_found,
    policy_found,
    settings_found,
    shown,
    versions_found,
)
from streams.settings import VARIABLES, Settings

NOBODY = "127.0.0.1:1"


def test_a_warning_is_no_failure() -> None:
    assert is_well([fine("a", "b"), odd("a", "b", "c")])
    assert not is_well([fine("a", "b"), wrong("a", "b", "c")])


def test_no_secret_is_shown_whatever_settings_there_are() -> None:
    secrets = [name for name in VARIABLES if SECRET.search(name) and not name.endswith("_FILE")]
    assert "CHURNWATCH_OPS_TOKEN" in secrets
    given = {VARIABLES[name].field: "hunter2" for name in secrets}
    settings = replace(Settings(), **given)
    assert "hunter2" not in settings_found(settings).line()
    assert [shown(settings)[name] for name in secrets] == ["(set, not shown)"] * len(secrets)
    assert shown(Settings())["CHURNWATCH_OPS_TOKEN"] == ""


def test_settings_that_differ_are_told() -> None:
    assert settings_found(Settings()).detail == "every setting has its default"
    assert settings_found(Settings(tick_ms=500)).detail == "CHURNWATCH_TICK_MS=500"


def test_a_policy_that_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    assert policy_found(Settings(policy=str(file))).status == "failed"
    file.write_text("[churn]\nhorizon_days = 'soon'\n")
    found = policy_found(Settings(policy=str(file)))
    assert found.status == "failed"
    assert "horizon_days" in found.detail
    file.write_text("[churn]\nhorizon_days = 30\n")
    assert policy_found(Settings(policy=str(file))).status == "ok"


def test_versions_are_held_against_the_ones_that_are_pinned() -> None:
    right, *_ = versions_found(["aiokafka[lz4]==0.14.0", "click>=8"])
    assert right.status == "ok"
    assert "aiokafka 0.14.0" in right.detail
    (other,) = versions_found(["aiokafka==0.13.0", "no-such-package==1.0"])
    assert other.status == "failed"
    assert other.detail == "aiokafka 0.14.0 (tried with 0.13.0), no-such-package none (tried with 1.0)."
    assert [each.status for each in versions_found([], python=(3, 10, 1))] == ["failed", "ok"]


def test_a_folder_that_is_made_full_or_forbidden(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "data"
    assert disk_found(folder, free=10**9).status == "ok"
    assert not folder.exists()
    assert not any(tmp_path.iterdir())
    assert disk_found(folder, free=10**8).status == "warning"
    assert disk_found(folder, free=10**6).status == "failed"
    file = tmp_path / "file"
    file.touch()
    assert disk_found(file).status == "failed"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="only Linux has /proc")
def test_a_folder_that_nobody_can_write() -> None:
    found = disk_found(Path("/proc/self/churnwatch"))
    assert found.status == "failed"
    assert "cannot be written" in found.detail


def test_files_and_memory() -> None:
    assert [files_found(100, 3, limit).status for limit in (10_000, 700, 300)] == ["ok", "warning", "failed"]
    assert "ulimit -n" in files_found(100, 3, 300).do
    text = "MemTotal:       1000000 kB\nMemAvailable:    {} kB\n"
    assert [each.status for kb in (900_000, 100_000) for each in memory_found(text.format(kb))] == ["ok", "warning"]
    assert list(memory_found("of another system")) == []


def test_without_a_broker_the_rest_is_looked_at_and_it_ends_with_1(tmp_path: Path) -> None:
    env = {"KAFKA_BOOTSTRAP": NOBODY, "CHURNWATCH_DATA_DIR": str(tmp_path), "CHURNWATCH_OPS_TOKEN": "hunter2"}
    done = CliRunner().invoke(main, ["doctor", "--wait", "100ms", "--json"], env=env)
    assert done.exit_code == 1
    told = json.decode(done.stdout)
    assert told["ok"] is False
    assert [each["check"] for each in told["checks"]][-1] == "broker"
    assert [each["check"] for each in told["checks"] if each["status"] == "failed"] == ["broker"]
    assert told["checks"][-1]["do"]
    assert told["settings"]["CHURNWATCH_DATA_DIR"] == str(tmp_path)
    assert "hunter2" not in done.output
    lines = CliRunner().invoke(main, ["doctor", "--wait", "100ms"], env=env)
    assert lines.exit_code == 1
    assert lines.stdout.splitlines()[-1].startswith("failed   broker        Kafka at 127.0.0.1:1 did not answer")


def test_a_setting_that_cannot_be_used_is_a_finding() -> None:
    done = CliRunner().invoke(main, ["doctor"], env={"CHURNWATCH_TICK_MS": "soon"})
    assert done.exit_code == 1
    assert done.stdout.startswith("failed   settings      CHURNWATCH_TICK_MS: 'soon' is not a whole number")
