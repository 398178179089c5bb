"""The dashboards show what is declared, under names that are there, and fit on Grafana's grid."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.observe.dashboards import DASHBOARDS
from deploy.observe.grafana import Dashboard, Query, dashboard_json
from deploy.observe.promql import SCRAPED, declared, undeclared, uses

QUERIES = [(panel.title, query) for page in DASHBOARDS for panel in page.panels for query in panel.queries]


@pytest.mark.parametrize(("title", "query"), QUERIES)
def test_a_panel_shows_what_is_declared(title: str, query: Query) -> None:
    assert list(undeclared(query.text)) == [], title
    assert "$j" not in query.text.replace("$job", "")


@pytest.mark.parametrize(("title", "query"), QUERIES)
def test_a_legend_names_labels_that_are_left(title: str, query: Query) -> None:
    named = set(re.findall(r"{{(\w+)}}", query.legend))
    assert named <= uses(query.text).grouped, title


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed")
def test_prometheus_understands_every_panel(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{at}", "expr": query.text.replace("$__rate_interval", "5m")}
        for at, (_, query) in enumerate(QUERIES)
    ]
    path = tmp_path / "panels.json"
    path.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))  # JSON is YAML
    done = subprocess.run(
        ["promtool", "check", "rules", str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(QUERIES)} rules found" in done.stdout


@pytest.mark.parametrize("page", DASHBOARDS, ids=lambda page: page.uid)
def test_panels_have_each_an_id_and_do_not_lie_on_each_other(page: Dashboard) -> None:
    panels: list[dict[str, Any]] = json.loads(dashboard_json(page))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        own = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert max(x for x, _ in own) < 24
        assert not own & cells, panel["title"]
        cells |= own


def test_every_panel_says_what_to_make_of_it() -> None:
    assert [panel.title for page in DASHBOARDS for panel in page.panels if not panel.means.endswith((".", "?"))] == []


def test_an_sre_sees_every_metric_that_a_worker_has() -> None:
    shown = {
        name for page in DASHBOARDS for panel in page.panels for q in panel.queries for name in uses(q.text).metrics
    }
    series = {re.sub(r"_(bucket|sum|count)$", "", name) for name in declared() if name.startswith("churn_")}
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    # Live is ready's little sister, ticks and the version have rules; a ratio of each worker cannot be summed.
    unshown = {"churn_build_info", "churn_live", "churn_ticks_total"}
    unshown.add("churn_call_abandonment_ratio")
    assert series - shown == unshown


def test_nothing_is_shown_by_customer() -> None:
    labels = {label for _, query in QUERIES for label in uses(query.text).grouped} - SCRAPED
    assert labels <= {
        "source",
        "topic",
        "partition",
        "stage",
        "role",
        "reason",
        "level",
        "type",
        "label",
        "le",
        "outcome",
        "period",
        "group",
        "signal",
        "tenth",
        "bound",
        "delivery",
        "model",
        "command",
    }
