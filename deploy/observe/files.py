"""Every file that is made from a description in this folder."""

from __future__ import annotations

from deploy.observe.rules import rules_yaml


def files() -> dict[str, str]:
    """Path from the checkout → content."""
    return {"deploy/prometheus/rules.yml": rules_yaml()}
