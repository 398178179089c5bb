"""The Helm chart: it renders as reviewed, refuses what would fail only when it runs, and its pods are locked down.

Where helm is not installed, its rendering cannot be tried; that nobody changed the chart since it was last rendered is
tried everywhere. `python -m tests.deploy.test_helm` renders anew.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest

from streams.settings import VARIABLES, Settings

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "churnwatch"
GOLDEN = ROOT / "tests" / "golden" / "helm"
CASES = ("least", "all")
NAMED = ["--namespace", "retention", "--kube-version", "1.31.0"]
HELM = shutil.which("helm")
needs_helm = pytest.mark.skipif(HELM is None, reason="helm is not installed")


def helm(*args: str) -> subprocess.CompletedProcess[str]:
    assert HELM is not None
    return subprocess.run([HELM, *args], capture_output=True, text=True, timeout=100, check=False)


def rendered(case: str, *more: str) -> str:
    """The manifests of a case; the dashboards' own text, which is tried elsewhere, is left out."""
    done = helm("template", "churnwatch", str(CHART), *NAMED, "--values", str(GOLDEN / f"{case}.values.yaml"), *more)
    assert done.returncode == 0, done.stderr
    return re.sub(r"(  churnwatch-\w+\.json: \|\n)(?:    .*\n|\n)+", r"\1    (as it is)\n", done.stdout)


def source() -> str:
    """What the rendering depends on, in one number."""
    digest = sha256()
    for path in sorted([*CHART.rglob("*"), *GOLDEN.glob("*.values.yaml")]):
        if path.is_file():
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def golden(case: str) -> str:
    return (GOLDEN / f"{case}.yaml").read_text()


def test_the_chart_is_as_it_was_when_it_was_last_rendered() -> None:
    """python -m tests.deploy.test_helm"""
    assert (GOLDEN / "source.sha256").read_text().strip() == source()


@needs_helm
@pytest.mark.parametrize("case", CASES)
def test_the_rendering_is_as_reviewed(case: str) -> None:
    assert rendered(case) == golden(case)


@needs_helm
@pytest.mark.parametrize("case", CASES)
def test_lint_finds_nothing(case: str) -> None:
    done = helm(
        "lint", "--strict", str(CHART), "--kube-version", "1.31.0", "--values", str(GOLDEN / f"{case}.values.yaml")
    )
    assert done.returncode == 0, done.stdout
    assert "WARNING" not in done.stdout


@needs_helm
@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ("ops.secret=", "ops.secret"),
        ("replicas=7", "replicas"),
        ("autoscaling.min=0", "autoscaling.min"),
        ("autoscaling.max=7", "autoscaling.max"),
        ("kafka.security.user=", "kafka.security.user"),
        ("kafka.security.passwordSecret=", "kafka.security.passwordSecret"),
        ("kafka.security.protocol=plaintext", "kafka.security.protocol"),
    ],
)
def test_what_would_fail_only_when_it_runs_is_refused(wrong: str, word: str) -> None:
    values = str(GOLDEN / "all.values.yaml")
    done = helm("template", "churnwatch", str(CHART), *NAMED, "--values", values, "--set", wrong)
    assert done.returncode != 0
    assert f"{word}: " in done.stderr


@pytest.mark.parametrize("case", CASES)
def test_every_variable_of_a_pod_is_a_setting(case: str) -> None:
    names = re.findall(r"- name: ((?:CHURNWATCH|KAFKA)_\w+)", golden(case))
    assert len(names) > 8
    assert len(names) == len(set(names))
    assert set(names) <= set(VARIABLES)
    assert "enableServiceLinks: false" in golden(case)  # else Kubernetes adds some that are none


@pytest.mark.parametrize("case", CASES)
def test_kubernetes_waits_longer_than_a_clean_stop_may_take(case: str) -> None:
    (grace_s,) = re.findall(r"terminationGracePeriodSeconds: (\d+)", golden(case))
    (stop_s,) = re.findall(r'STOP_DEADLINE_S\n\s+value: "(\d+)"', golden(case))
    assert int(grace_s) >= int(stop_s) + 10


def test_a_clean_stop_takes_as_long_as_the_settings_say() -> None:
    assert f"stopDeadlineSeconds: {Settings().stop_deadline_s:.0f}\n" in (CHART / "values.yaml").read_text()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    "locked",
    [
        "runAsNonRoot: true",
        "readOnlyRootFilesystem: true",
        "allowPrivilegeEscalation: false",
        "drop: [ALL]",
        "automountServiceAccountToken: false",
        "type: RuntimeDefault",
        "kind: NetworkPolicy",
        "kind: PodDisruptionBudget",
    ],
)
def test_a_pod_is_locked_down(case: str, locked: str) -> None:
    assert locked in golden(case)


@pytest.mark.parametrize("case", CASES)
def test_no_secret_is_in_a_manifest(case: str) -> None:
    assert "kind: Secret" not in golden(case)
    for name in set(re.findall(r"- name: (CHURNWATCH_KAFKA_\w*_FILE)", golden(case))):
        assert re.search(rf"{name}\n\s+value: /etc/kafka-\w+/", golden(case))
    assert re.search(r"CHURNWATCH_OPS_TOKEN\n\s+valueFrom:\n\s+secretKeyRef:", golden(case))


def test_a_worker_has_every_role_unless_one_says_otherwise() -> None:
    assert f"\nroles: {','.join(Settings().roles)}\n" in (CHART / "values.yaml").read_text()


def test_the_chart_is_of_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"\nappVersion: {version}\n" in (CHART / "Chart.yaml").read_text()


if __name__ == "__main__":
    for each in CASES:
        (GOLDEN / f"{each}.yaml").write_text(rendered(each))
    (GOLDEN / "source.sha256").write_text(source() + "\n")
