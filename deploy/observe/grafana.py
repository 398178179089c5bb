"""What a Grafana dashboard is made of, and the JSON that Grafana reads.

Rules: `$j` in an expression stands for the choice of job and namespace.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

CHOSEN: Final = 'namespace=~"$namespace",job=~"$job"'
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
WIDTH: Final = 24


class Query(NamedTuple):
    """One series of a panel, and how each line of it is called."""

    expression: str
    legend: str = ""

    @property
    def text(self) -> str:
        """The expression as Grafana sends it."""
        return self.expression.replace("$j", CHOSEN)


class Panel(NamedTuple):
    """One picture; `red_from` colours a single number from there on."""

    title: str
    means: str
    unit: str
    queries: Sequence[Query]
    kind: Literal["timeseries", "stat"] = "timeseries"
    red_from: float | None = None
    stacked: bool = False


class Row(NamedTuple):
    """Panels under one heading, of equal width."""

    title: str
    panels: Sequence[Panel]


class Dashboard(NamedTuple):
    """One page of Grafana."""

    uid: str
    title: str
    means: str
    since: str
    rows: Sequence[Row]

    @property
    def panels(self) -> list[Panel]:
        """Every panel."""
        return [panel for row in self.rows for panel in row.panels]


def dashboard_json(dashboard: Dashboard) -> str:
    """The file that Grafana reads."""
    panels: list[dict[str, Any]] = []
    top = 0
    for row in dashboard.rows:
        panels.append(_heading(row.title, len(panels) + 1, top))
        height = 4 if all(panel.kind == "stat" for panel in row.panels) else 8
        width = WIDTH // len(row.panels)
        for index, panel in enumerate(row.panels):
            place = {"h": height, "w": width, "x": index * width, "y": top + 1}
            panels.append(_panel(panel, len(panels) + 1, place))
        top += height + 1
    page = {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.means,
        "tags": ["churnwatch"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": dashboard.since, "to": "now"},
        "templating": {"list": [_data_source(), _choice("namespace"), _choice("job")]},
        "panels": panels,
    }
    return json.dumps(page, indent=2, ensure_ascii=False) + "\n"


def _heading(title: str, number: int, top: int) -> dict[str, Any]:
    place = {"h": 1, "w": WIDTH, "x": 0, "y": top}
    return {"id": number, "type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": place}


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.red_from is not None:
        steps.append({"color": "red", "value": panel.red_from})
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.kind == "timeseries":
        stacking = {"mode": "normal" if panel.stacked else "none"}
        defaults["custom"] = {"fillOpacity": 20 if panel.stacked else 0, "stacking": stacking, "showPoints": "never"}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.means,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + at), "datasource": SOURCE, "expr": query.text, "legendFormat": query.legend}
            for at, query in enumerate(panel.queries)
        ],
    }


def _data_source() -> dict[str, Any]:
    return {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}


def _choice(label: str) -> dict[str, Any]:
    """A variable over the values that a label of the workers has; all of them at first."""
    return {
        "name": label,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": f"label_values(churn_build_info, {label})", "refId": label},
        "refresh": 2,
        "includeAll": True,
        # Where there is no such label, as under Docker, it matches too.
        "allValue": ".*",
        "multi": True,
        "current": {"selected": True, "text": "All", "value": "$__all"},
    }
