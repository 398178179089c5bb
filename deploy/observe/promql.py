"""What a PromQL expression uses, as far as it can be told without an engine: metrics, their labels, groupings.

Rules: this finds names and says which nobody declared; whether an expression means what it should is for
`promtool test rules` to say (deploy/prometheus/rules_test.yml).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from streams.metrics_page import declarations

TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[A-Za-z_][A-Za-z0-9_]*|[0-9][0-9a-z.]*|\$[a-z_]+|[{}()]|[^\s\w{}()"$]+')
GROUPINGS: Final = frozenset(("by", "without", "on", "ignoring", "group_left", "group_right"))
WORDS: Final = frozenset(("and", "or", "unless", "offset", "bool"))
REPLACED: Final = re.compile(r'"(\w+)",\s*"[^"]*",\s*"(\w+)",\s*"[^"]*"\s*\)')
SCRAPED: Final = frozenset(("namespace", "job", "instance", "pod"))
"""Labels that Prometheus adds when it reads a worker."""
FOREIGN: Final[Mapping[str, frozenset[str]]] = {
    "up": frozenset(),
    "process_resident_memory_bytes": frozenset(),
    "process_cpu_seconds_total": frozenset(),
    "kafka_consumergroup_lag": frozenset(("consumergroup", "topic", "partition")),
}
"""Metrics that others declare: Prometheus itself, its client about the process, and the usual exporter of Kafka's
consumer groups."""


class Uses(NamedTuple):
    """Metric → the labels that it is selected by; and the labels by which results are grouped or matched."""

    metrics: dict[str, set[str]]
    grouped: set[str]


def uses(expression: str) -> Uses:
    """What an expression uses.

    >>> uses('sum by (topic) (rate(churn_dead_letters_total{reason!="not_json"}[5m])) > 1')
    Uses(metrics={'churn_dead_letters_total': {'reason'}}, grouped={'topic'})
    """
    found = Uses({}, set())
    tokens = [*TOKEN.findall(expression), ""]
    at = 0
    while tokens[at]:
        word, following = tokens[at], tokens[at + 1]
        at += 1
        if not re.match(r"[A-Za-z_]", word) or word in WORDS:
            continue
        if word in GROUPINGS:
            end = tokens.index(")", at) if following == "(" else at
            found.grouped.update(each for each in tokens[at:end] if re.match(r"\w", each))
            at = end
        elif following == "{":
            end = tokens.index("}", at)
            labels = {each for each in tokens[at:end] if re.match(r"[A-Za-z_]", each)}
            found.metrics.setdefault(word, set()).update(labels)
            at = end
        elif following not in GROUPINGS | {"("}:
            found.metrics.setdefault(word, set())
    return found


def declared() -> dict[str, frozenset[str]]:
    """Every series of a worker, by its name: its labels.

    >>> sorted(declared()["churn_checkpoint_duration_seconds_bucket"])
    ['le', 'role']
    """
    series: dict[str, frozenset[str]] = dict(FOREIGN)
    for collector in declarations():
        kind = type(collector).__name__.lower()
        labels = frozenset(getattr(collector, "_labelnames", ()))
        name = getattr(collector, "_name", "")
        if kind == "histogram":
            series[f"{name}_bucket"] = labels | {"le"}
            series[f"{name}_sum"] = series[f"{name}_count"] = labels
        elif kind == "info":
            series[f"{name}_info"] = labels | {"version"}
        else:
            series[name + ("_total" if kind == "counter" else "")] = labels
    return series


def undeclared(expression: str) -> Iterator[str]:
    """What an expression names and nobody declares, a line each.

    >>> list(undeclared('sum by (customer) (churn_ready{level="high"}) + churn_wealth'))
    ['churn_ready has no label level', 'there is no metric churn_wealth', 'no metric here has a label customer']
    """
    known, found = declared(), uses(expression)
    groupable = SCRAPED | {made for made, _ in REPLACED.findall(expression)}
    for name, labels in found.metrics.items():
        if name not in known:
            yield f"there is no metric {name}"
            continue
        groupable |= known[name]
        yield from (f"{name} has no label {label}" for label in sorted(labels - known[name] - SCRAPED))
    sources = {source for _, source in REPLACED.findall(expression)}
    yield from (f"no metric here has a label {label}" for label in sorted((found.grouped | sources) - groupable))
