"""Every file that is made from a description in this folder."""

from __future__ import annotations

from typing import Final

from deploy.observe.dashboards import DASHBOARDS
from deploy.observe.grafana import dashboard_json
from deploy.observe.rules import rules_yaml

CHART: Final = "deploy/helm/churnwatch/files"
"""A chart can only hold what lies in its folder, so it has copies."""


def files() -> dict[str, str]:
    """Path from the checkout → content."""
    made = {"deploy/prometheus/rules.yml": rules_yaml(), f"{CHART}/rules.yml": rules_yaml()}
    for each in DASHBOARDS:
        for folder in ("deploy/grafana", CHART):
            made[f"{folder}/dashboards/{each.uid}.json"] = dashboard_json(each)
    return made
