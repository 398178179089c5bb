"""Every file that is made from a description in this folder."""

from __future__ import annotations

from deploy.observe.dashboards import DASHBOARDS, dashboard_json
from deploy.observe.rules import rules_yaml


def files() -> dict[str, str]:
    """Path from the checkout → content."""
    dashboards = {f"deploy/grafana/dashboards/{each.uid}.json": dashboard_json(each) for each in DASHBOARDS}
    return {"deploy/prometheus/rules.yml": rules_yaml(), **dashboards}
