"""docker-compose.yml as text: what it fetches has a version, what it mounts exists, its ports stay on this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
PROMETHEUS = (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text()


def test_every_image_but_ours_has_a_version() -> None:
    images = re.findall(r"^\s+image: (\S+)$", COMPOSE, re.MULTILINE)
    assert [image for image in images if image != "churnwatch" and not re.search(r":v?\d+\.\d+\.\d+$", image)] == []
    assert len(images) == 4


def test_what_is_mounted_is_there() -> None:
    mounts = re.findall(r"- (\./\S+?):", COMPOSE)
    assert len(mounts) == 4
    assert [mount for mount in mounts if not (ROOT / mount).exists()] == []


def test_ports_are_open_on_this_machine_alone() -> None:
    published = re.findall(r'^\s+ports: \["([^"]+)"\]', COMPOSE, re.MULTILINE)
    assert len(published) == COMPOSE.count("ports:") == 3
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_prometheus_asks_the_worker_where_it_serves_and_with_its_token() -> None:
    assert "CHURNWATCH_OPS: 0.0.0.0:9107" in COMPOSE
    assert "port: 9107" in PROMETHEUS
    token = "${CHURNWATCH_OPS_TOKEN:-inside-this-network}"
    assert f"CHURNWATCH_OPS_TOKEN: {token}" in COMPOSE
    assert f"content: {token}" in COMPOSE
    for place in ("/etc/prometheus/ops_token", "/etc/prometheus/rules.yml"):
        assert place in PROMETHEUS
        assert place in COMPOSE


def compose() -> list[str]:
    """A Compose that reads the file, as a command; empty: none is here."""
    if alone := shutil.which("docker-compose"):
        return [alone]
    plugin = [shutil.which("docker") or "false", "compose"]
    return plugin if subprocess.run([*plugin, "version"], capture_output=True, check=False).returncode == 0 else []


@pytest.mark.skipif(not compose(), reason="Docker Compose is not installed")
@pytest.mark.parametrize("profile", [[], ["--profile", "observe"]], ids=["least", "observe"])
def test_compose_accepts_the_file(profile: list[str]) -> None:
    done = subprocess.run(
        [*compose(), *profile, "config", "--quiet"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_nothing_but_a_worker_is_asked_for_its_health() -> None:
    assert "healthcheck: {disable: true}" in COMPOSE.split("\nservices:\n")[0]
    assert "/readyz" in COMPOSE.split("\n  worker:\n")[1].split("\n  traffic:\n")[0]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed")
def test_promtool_accepts_the_configuration() -> None:
    path = ROOT / "deploy" / "prometheus" / "prometheus.yml"
    done = subprocess.run(
        ["promtool", "check", "config", "--syntax-only", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
