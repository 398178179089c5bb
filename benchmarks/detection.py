"""Whether the alerts are right: simulated customers, the replay in this process, and the truth kept beside it.

Rules: the same seeds give the same numbers on any machine; the policy is the default one; what is judged was written
by `churnwatch simulate --truth`, and what is judged by it is what `churnwatch replay --alerts` writes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import orjson

from benchmarks.report import Row, at_least, at_most
from benchmarks.verdicts import (
    DAY_S,
    Known,
    Said,
    Verdict,
    by_customer,
    customer_weeks,
    false_alarms,
    known_of,
    opened_between,
    owed_to_it,
    said_of,
    verdict,
)
from streams.durations import parse_time_s
from streams.replay import run
from streams.replay_options import ReplayOptions
from streams.simulate import SimulateOptions, simulate_to_file
from streams.simulation.faults import Silence

SEEDS = (101, 102, 103)
CUSTOMERS = 600
DAYS = 365.0
START_S = parse_time_s("2025-01-01")
STORM_S = parse_time_s("2025-04-15T10:00:00Z")
SILENT_S = parse_time_s("2025-04-10"), parse_time_s("2025-04-20")
SILENT = ("usage.events", "billing.events", "support.events", "app-errors.events", "engagement.events")
SHORT_DAYS = 150.0
STORM_AFTERWARDS_S = 35 * DAY_S  # past the longest window that counts faults
AFTERWARDS_S = 14 * DAY_S  # so long after a silence, rates over weeks still have the hole in them


def lived(options: dict[str, object], policy: str | None = None) -> tuple[list[Known], dict[str, list[Said]]]:
    """The truth about simulated customers, and what a replay with a policy said of them."""
    with tempfile.TemporaryDirectory(prefix="churnwatch-bench-") as folder:
        events, truth, alerts = (str(Path(folder, name)) for name in ("events.jsonl", "truth.jsonl", "alerts.jsonl"))
        simulate_to_file(SimulateOptions(start_s=START_S, out=events, truth=truth, **options))  # type: ignore[arg-type]
        end_s = START_S + float(str(options["days"])) * DAY_S
        run(ReplayOptions((events,), alerts=alerts, policy=policy, now_s=end_s + DAY_S))
        known = [known_of(orjson.loads(line)) for line in Path(truth).read_bytes().splitlines()]
        return known, by_customer(said_of(orjson.loads(line)) for line in Path(alerts).read_bytes().splitlines())


def measure(
    *,
    seeds: Sequence[int] = SEEDS,
    customers: int = CUSTOMERS,
    days: float = DAYS,
    policy: str | None = None,
    silent: Sequence[str] = SILENT,
) -> list[Row]:
    """What must hold of the alerts, over all seeds and by churn type; then silent feeds and a storm."""
    known: list[Known] = []
    said: dict[str, list[Said]] = {}
    for seed in seeds:
        truth, found = lived({"customers": customers, "days": days, "seed": seed}, policy)
        known += truth
        said |= found
    rows = [*_over_all(known, said, days, len(seeds)), *_by_type(known, said)]
    return [*rows, *_twins(seeds[0], customers // 2, policy, silent)]


def _over_all(known: list[Known], said: dict[str, list[Said]], days: float, seeds: int) -> list[Row]:
    all_left, alarms = verdict(known, said), false_alarms(known, said)
    per_1000_weeks = customer_weeks(known, START_S + days * DAY_S) / 1_000
    unseen = sum(each.left_s is not None and each.began_s is None for each in known)
    return [
        Row(
            f"customers of {seeds} seeds over {days:.0f} days; who left with a cause, without one",
            f"{len(known):,}; {all_left.left}, {unseen}",
        ),
        at_least("who left with a cause, alerted before", _percent(all_left.warned_share), 80, "%"),
        at_least("from the alert to the leaving, median", _number(all_left.lead_days), 14, "d"),
        at_least("true signal group first, last revision before leaving", _percent(all_left.group_at_last), 70, "%"),
        at_least("true signal group first, at opening", _percent(all_left.group_at_opening), 70, "%"),
        at_least("true churn type, last revision before leaving", _percent(all_left.type_at_last), None, "%"),
        at_most("opened alerts on customers who had no cause", _percent(alarms.share), 10, "%"),
        Row("opened alerts; of those with a cause, before it began", f"{alarms.opened:,}; {alarms.too_early:,}"),
        at_most("alerts opened per 1,000 customers and week", alarms.opened / per_1000_weeks, None, "alerts"),
    ]


def _by_type(known: list[Known], said: dict[str, list[Said]]) -> list[Row]:
    types = sorted({each.churn_type for each in known if each.churn_type is not None})
    return [_said_of_type(name, verdict([each for each in known if each.churn_type == name], said)) for name in types]


def _said_of_type(name: str, found: Verdict) -> Row:
    return Row(
        f"{name}: left; alerted before; lead; group first at the end, at opening; type",
        f"{found.left}; {_percent(found.warned_share):.0f} %; {_number(found.lead_days):.0f} d; "
        f"{_percent(found.group_at_last):.0f} %, {_percent(found.group_at_opening):.0f} %; "
        f"{_percent(found.type_at_last):.0f} %",
    )


def _twins(seed: int, customers: int, policy: str | None, topics: Sequence[str]) -> list[Row]:
    """What silent feeds and a storm do, against a twin: the same customers, all of them heard, and no storm."""
    shape: dict[str, object] = {"customers": customers, "days": SHORT_DAYS, "seed": seed}
    known, twin = lived(shape, policy)
    rows = []
    for topic in topics:
        silence = Silence(topic, *SILENT_S)
        _, silent = lived({**shape, "silences": (silence,)}, policy)
        owed = owed_to_it(silent, twin, silence.start_s, silence.end_s + AFTERWARDS_S)
        days = (silence.end_s - silence.start_s) / DAY_S
        what = f"customers of {customers:,} alerted because {topic} was silent for {days:.0f} days"
        rows.append(at_most(what, len(owed), 0, "customers"))
    _, said = lived({**shape, "storms_s": (STORM_S,)}, policy)
    return [*rows, *_storm(known, said, twin)]


def _storm(known: list[Known], said: dict[str, list[Said]], twin: dict[str, list[Said]]) -> list[Row]:
    touched = [each for row in said.values() for each in row if STORM_S <= each.as_of_s < STORM_S + DAY_S]
    incidents = {each.incident for each in touched if each.incident is not None}
    owed = {each.customer_id: each for each in owed_to_it(said, twin, STORM_S, STORM_S + STORM_AFTERWARDS_S)}
    contented = [
        each
        for each in known
        if each.customer_id in owed and (each.began_s is None or each.began_s > owed[each.customer_id].as_of_s)
    ]
    opened = opened_between(said, STORM_S, STORM_S + DAY_S)
    days = STORM_AFTERWARDS_S / DAY_S
    return [
        Row(
            "incidents that the alerts of an outage storm name (`common_cause`)",
            f"{len(incidents)}",
            "1",
            len(incidents) == 1,
        ),
        Row(f"alerts opened in the day of that storm, of {len(known)} customers", f"{len(opened)}"),
        Row(f"customers without a cause alerted because of it within {days:.0f} days", f"{len(contented)}"),
    ]


def _percent(share: float | None) -> float:
    return float("nan") if share is None else 100.0 * share


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
