"""The metrics as a page for people: docs/metrics.md is what this makes of the declarations."""

from __future__ import annotations

from streams.metrics import REGISTRY

HEAD = """# Metrics

Prometheus names, prefix `churn_`, base units, no label whose values are not bounded (never a customer). This page is
made from the declarations in `streams/metrics.py`; a test says so.

| metric | kind | labels | meaning |
| --- | --- | --- | --- |
"""


def metrics_page() -> str:
    """docs/metrics.md."""
    rows = []
    for collector in REGISTRY._collector_to_names:
        kind, labels = type(collector).__name__.lower(), getattr(collector, "_labelnames", ())
        family = next(iter(collector.describe())) if hasattr(collector, "describe") else next(iter(collector.collect()))
        name = family.name + {"counter": "_total", "info": "_info"}.get(kind, "")
        rows.append(f"| `{name}` | {kind} | {', '.join(f'`{x}`' for x in labels) or '–'} | {family.documentation} |")
    return HEAD + "\n".join(sorted(rows)) + "\n"
