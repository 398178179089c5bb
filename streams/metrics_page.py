"""The metrics as a page for people: docs/metrics.md is what this makes of the declarations."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics import MetricWrapperBase

from streams.metrics import REGISTRY

HEAD = """# Metrics

Prometheus names, prefix `churn_`, base units, no label whose values are not bounded (never a customer). This page is
made from the declarations in `streams/metrics.py`; a test says so. Besides these there is what every exporter tells of
its process on Linux: `process_resident_memory_bytes`, `process_cpu_seconds_total`, `process_open_fds`,
`process_max_fds`, `process_start_time_seconds` and `process_virtual_memory_bytes`.

| metric | kind | labels | meaning |
| --- | --- | --- | --- |
"""


def declarations() -> Iterator[MetricWrapperBase]:
    """The metrics of ours."""
    return (each for each in REGISTRY._collector_to_names if isinstance(each, MetricWrapperBase))


def metrics_page() -> str:
    """docs/metrics.md."""
    rows = []
    for collector in declarations():
        kind, labels = type(collector).__name__.lower(), getattr(collector, "_labelnames", ())
        family = next(iter(collector.describe()))
        name = family.name + {"counter": "_total", "info": "_info"}.get(kind, "")
        rows.append(f"| `{name}` | {kind} | {', '.join(f'`{x}`' for x in labels) or '–'} | {family.documentation} |")
    return HEAD + "\n".join(sorted(rows)) + "\n"
