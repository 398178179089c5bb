"""The alert rules: made from their description, about metrics that are declared, with a runbook, and right on trial."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from deploy.observe.files import files
from deploy.observe.promql import declared, undeclared
from deploy.observe.rules import RULES, Rule

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
TRIALS = sorted(PROMETHEUS.glob("*_test.yml"))
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian: prometheus) is not installed")


@pytest.mark.parametrize("name", files())
def test_a_made_file_is_fresh(name: str) -> None:
    """python -m deploy.observe"""
    assert (ROOT / name).read_text() == files()[name]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_is_about_what_is_declared(rule: Rule) -> None:
    assert list(undeclared(rule.expression)) == []


def test_every_rule_has_its_section_in_the_runbook_and_every_section_its_rule() -> None:
    assert re.findall(r"^## (.+)$", RUNBOOK, re.MULTILINE) == [rule.name for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_section_says_what_it_means_how_to_see_it_what_to_do_and_when_it_is_over(rule: Rule) -> None:
    section = RUNBOOK.split(f"## {rule.name}\n")[1].split("\n## ")[0]
    assert re.findall(r"^\*\*(\w+)\*\*", section, re.MULTILINE) == ["Means", "See", "Do", "Over"]


def test_the_runbook_speaks_of_metrics_and_alerts_that_there_are() -> None:
    known = {rule.name for rule in RULES} | set(declared()) | {name.lower() for name in (r.name for r in RULES)}
    named = set(re.findall(r"\b(?:churn_[a-z_]+[a-z]|Churn[A-Z]\w+)", RUNBOOK)) - {"churn_dlq"}
    histograms = {name.removesuffix("_bucket") for name in known if name.endswith("_bucket")}
    assert named - known - histograms == set()


def test_every_rule_is_tried_where_it_must_fire_and_where_it_must_not() -> None:
    tried: Counter[tuple[str, bool]] = Counter()
    for path in TRIALS:
        for name, rest in re.findall(r"alertname: (\w+)(.*?)(?=alertname: |\Z)", path.read_text(), re.DOTALL):
            tried[name, re.search(r"exp_alerts: \[\]", rest) is None] += 1
    untried = [f"{rule.name}: {fires}" for rule in RULES for fires in (True, False) if not tried[rule.name, fires]]
    assert untried == []


@needs_promtool
def test_promtool_accepts_the_rules() -> None:
    done = promtool("check", "rules", str(PROMETHEUS / "rules.yml"))
    assert done.returncode == 0, done.stderr
    assert f"{len(RULES)} rules found" in done.stdout


@needs_promtool
@pytest.mark.parametrize("path", TRIALS, ids=lambda path: path.name)
def test_the_rules_pass_their_trial(path: Path) -> None:
    done = promtool("test", "rules", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_a_trial_can_fail(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(
        (PROMETHEUS / "rules.yml").read_text().replace("churn_live == 0", "churn_live > 1")
    )
    trial = tmp_path / TRIALS[0].name
    trial.write_text(TRIALS[0].read_text())
    done = promtool("test", "rules", str(trial))
    assert done.returncode != 0
    assert "ChurnWorkerStalled" in done.stdout + done.stderr


@needs_promtool
def test_promtool_finds_no_fault_in_the_metrics_that_a_worker_serves() -> None:
    from prometheus_client import generate_latest

    from streams.metrics import REGISTRY

    done = promtool("check", "metrics", given=generate_latest(REGISTRY).decode())
    assert done.returncode == 0, done.stdout + done.stderr


def promtool(*args: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    assert PROMTOOL is not None
    return subprocess.run([PROMTOOL, *args], input=given, capture_output=True, text=True, timeout=100, check=False)
