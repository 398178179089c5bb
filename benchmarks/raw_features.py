"""Features that an analyst would make of an event file without knowing churnwatch: for rivals of their own.

Rules: a feature of a landmark follows from the events before it; one row per customer and landmark, in their order.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
import orjson

DAY_S: Final = 86_400
WINDOWS_D: Final = (7, 14, 30, 60, 90, 180)
NEVER_D: Final = 999.0
Array = Any  # numpy's, of floats


class Past(NamedTuple):
    """All events of one customer, in order of time."""

    times_s: Array
    days: Array  # distinct
    by_type: dict[str, tuple[Array, Array]]  # times, and the sums of amounts or durations up to each


def pasts(path: str) -> dict[str, Past]:
    """The events of a file by customer; lines that are no event are left out."""
    found: dict[str, list[tuple[float, str, float]]] = defaultdict(list)
    seen: set[tuple[str, str]] = set()
    with open(path, "rb") as lines:
        for line in lines:
            try:
                said = orjson.loads(line)
                who, kind, data = said["subject"], said["type"], said.get("data") or {}
                time_s = datetime.fromisoformat(said["time"]).timestamp()
            except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
                continue
            if (said.get("source"), said.get("id")) not in seen:
                seen.add((said.get("source"), said.get("id")))
                value = data.get("amount") or data.get("duration_s") or 0.0
                found[who].append((time_s, kind, float(value) if isinstance(value, int | float) else 0.0))
    return {who: _past(sorted(events)) for who, events in found.items()}


def _past(events: list[tuple[float, str, float]]) -> Past:
    times = np.array([time_s for time_s, _, _ in events])
    by_type = {}
    for kind in {kind for _, kind, _ in events}:
        own = [(time_s, value) for time_s, each, value in events if each == kind]
        by_type[kind] = (np.array([t for t, _ in own]), np.concatenate([[0.0], np.cumsum([v for _, v in own])]))
    return Past(times, np.unique(times // DAY_S), by_type)


def raw_features(path: str, customers: list[str], times_s: Array) -> Array:
    """Recency, frequency, gaps, windows and trend over all events, and by type counts, recency and amounts."""
    past = pasts(path)
    kinds = sorted({kind for each in past.values() for kind in each.by_type})
    rows = [_row(past[who], float(time_s), kinds) for who, time_s in zip(customers, times_s, strict=True)]
    x = np.array(rows, dtype=np.float32)
    return x[:, x.std(0) > 1e-9]


def _row(past: Past, now_s: float, kinds: list[str]) -> list[float]:
    n = int(np.searchsorted(past.times_s, now_s, "right"))
    days = past.days[: int(np.searchsorted(past.days, now_s // DAY_S, "left"))]
    today, many = now_s / DAY_S, len(days)
    gaps = np.diff(days) if many > 1 else np.array([NEVER_D])
    quiet_d = today - (days[-1] if many else 0.0)
    within = [many - int(np.searchsorted(days, today - window_d)) for window_d in WINDOWS_D]
    found = [
        (now_s - past.times_s[0]) / DAY_S,
        (now_s - past.times_s[n - 1]) / DAY_S if n else NEVER_D,
        float(n),
        float(many),
        float(gaps.mean()),
        float(gaps.std()),
        quiet_d / (gaps.mean() + 1),
        quiet_d / (np.quantile(gaps, 0.9) + 1),
        float(days[-1] - days[0]) if many else 0.0,
        *map(float, within),
        (within[2] + 0.5) / (within[4] / 3 + 0.5),
    ]
    for kind in kinds:
        times, sums = past.by_type.get(kind, (np.zeros(0), np.zeros(1)))
        upto = int(np.searchsorted(times, now_s, "right"))
        before = [int(np.searchsorted(times, now_s - window_d * DAY_S)) for window_d in (7, 30, 90)]
        found += [float(upto), (now_s - times[upto - 1]) / DAY_S if upto else NEVER_D]
        found += [float(max(0, upto - first)) for first in before]
        found.append(float(sums[upto] - sums[min(upto, before[1])]))
    return found
