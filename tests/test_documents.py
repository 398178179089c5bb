"""What is documented is what is there."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import msgspec
import pytest

from benchmarks.report import RESULTS
from benchmarks.sizing import scale_page
from detectors.policy import Policy
from detectors.policy_text import check_policy
from detectors.signals.document import signals_page
from streams import metrics
from streams.metrics_page import declarations, metrics_page

DOCS = Path(__file__).parents[1] / "docs"
README = DOCS.parent / "README.md"


def test_docs_signals_is_what_the_catalogue_says() -> None:
    assert (DOCS / "signals.md").read_text() == signals_page(Policy())


def test_docs_metrics_is_what_is_declared() -> None:
    assert (DOCS / "metrics.md").read_text() == metrics_page()


def test_docs_scale_is_reckoned_from_the_results_of_the_benchmark() -> None:
    """python -m benchmarks.sizing"""
    page = scale_page(RESULTS.read_text())
    assert (DOCS / "scale.md").read_text() == page
    assert not re.search(r"{\w+}", page), "a place that nothing was put into"


def test_every_metric_that_is_declared_is_set_by_somebody() -> None:
    code = "".join(path.read_text() for path in (DOCS.parent / "streams").rglob("*.py"))
    declared = set(map(id, declarations()))
    names = {name for name, each in vars(metrics).items() if name.isupper() and id(each) in declared}
    assert len(names) > 30
    assert [name for name in sorted(names) if f"metrics.{name}" not in code] == []


UNITS = {"%": 0.01, "points": 0.01, "days": 86_400.0, "": 1.0}


def test_the_numbers_of_the_policy_that_documents_state_are_those_of_the_policy() -> None:
    policy = msgspec.to_builtins(Policy())
    found = 0
    for page in DOCS.glob("*.md"):
        for section, key, number, unit in re.findall(
            r"`(\w+)\.(\w+)` \(([\d.]+) ?(%|points|days|)[);]", page.read_text()
        ):
            if key in policy.get(section, ()):  # topics have such names too
                found += 1
                scale = 1.0 if unit == "days" and not key.endswith("_s") else UNITS[unit]
                assert policy[section][key] == pytest.approx(float(number) * scale), f"{page.name}: {section}.{key}"
    assert found > 8


def test_every_link_between_documents_leads_somewhere() -> None:
    for page in [*DOCS.glob("*.md"), README]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_examples_of_the_policy_page_are_policies() -> None:
    blocks = re.findall(r"(?m)(?:^    .*\n|^\n(?=    ))+", (DOCS / "policy.md").read_text())
    examples = [block for block in map(textwrap.dedent, blocks) if "=" in block]
    assert len(examples) == 3
    for example in examples:
        checked = check_policy(example)
        assert checked.policy not in (None, Policy()), example
        assert not checked.oddities
