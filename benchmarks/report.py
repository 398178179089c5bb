"""One table of what was measured, what was wanted, and the machine it ran on."""

from __future__ import annotations

import math
import os
import platform
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from deploy.kafka.kafka import POM

RESULTS = Path(__file__).resolve().parent / "results.md"


class Row(NamedTuple):
    """One measured number; `met` is None where nothing was asked for."""

    what: str
    measured: str
    target: str = ""
    met: bool | None = None


def at_least(what: str, value: float, target: float | None, unit: str = "ev/s") -> Row:
    """A number that should not be smaller than its target.

    >>> at_least("core", 312_345.0, 250_000)
    Row(what='core', measured='312,345 ev/s', target='≥ 250,000 ev/s', met=True)
    """
    if target is None:
        return Row(what, spelled(value, unit))
    return Row(what, spelled(value, unit), f"≥ {spelled(target, unit)}", value >= target)


def at_most(what: str, value: float, target: float | None, unit: str) -> Row:
    """A number that should not be larger than its target.

    >>> at_most("recovery", 1.84, 5, "s").measured
    '1.84 s'
    """
    if target is None:
        return Row(what, spelled(value, unit))
    return Row(what, spelled(value, unit), f"≤ {spelled(target, unit)}", value <= target)


def spelled(value: float, unit: str) -> str:
    """A number as people read it.

    >>> spelled(12.345, "×"), spelled(1234.5, "B"), spelled(5, "s")
    ('12.3 ×', '1,234 B', '5 s')
    """
    if not math.isfinite(value):
        text = "–"
    elif value == int(value):
        text = f"{int(value):,}"
    elif value >= 100:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.3g}"
    return f"{text} {unit}"


def machine() -> str:
    """The machine, Python and Kafka, and the day, in one line."""
    cpu = platform.processor() or platform.machine()
    memory = ""
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = re.search(r"model name\s*:\s*(.+)", info.read_text())
        cpu = found[1].strip() if found else cpu
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = f", {os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB RAM"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{cpu}, {cores} cores{memory}; {platform.system()} {platform.release()}; "
        f"Python {platform.python_version()}; Kafka {kafka_version()}; {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    )


def kafka_version() -> str:
    """The version of Kafka that deploy/kafka/pom.xml brings."""
    found = re.search(r"<artifactId>kafka[^<]*</artifactId>\s*<version>([^<]+)<", POM.read_text())
    return found[1] if found else "unknown"


def table(parts: Iterable[tuple[str, list[Row]]], notes: Iterable[str] = ()) -> str:
    """All rows as one markdown table, and the notes under it."""
    lines = [f"Measured on {machine()}.", "", "| what | measured | wanted | |", "| --- | --- | --- | --- |"]
    for title, rows in parts:
        lines.append(f"| **{title}** | | | |")
        for row in rows:
            verdict = "" if row.met is None else "met" if row.met else "**missed**"
            lines.append(f"| {row.what} | {row.measured} | {row.target} | {verdict} |")
    notes = list(notes)
    if notes:
        lines += ["", *(f"* {note}" for note in notes)]
    return "\n".join(lines) + "\n"
