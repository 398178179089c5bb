"""The Grafana dashboards: one for those who run churnwatch, one for those who work with its alerts.

Rules: a panel says in a sentence what to make of it; every metric and label is declared, and every legend names a label
that is left (tests say so). Customers are never shown.
"""

from __future__ import annotations

from typing import Final

from deploy.observe.grafana import Dashboard, Panel, Query, Row
from deploy.observe.learned import BY_GROUP, WHY


def number(title: str, means: str, unit: str, expression: str, red_from: float | None = None) -> Panel:
    """A single number."""
    return Panel(title, means, unit, [Query(expression)], "stat", red_from)


def quantiles(title: str, means: str, metric: str, label: str = "") -> Panel:
    """The middle and the worst one in a hundred of a histogram of seconds."""
    by, name = (f"{label}, le", f"{{{{{label}}}}} ") if label else ("le", "")
    rate = f"sum by ({by}) (rate({metric}_bucket{{$j}}[$__rate_interval]))"
    return Panel(
        title,
        means,
        "s",
        [
            Query(f"histogram_quantile(0.5, {rate})", f"{name}median"),
            Query(f"histogram_quantile(0.99, {rate})", f"{name}99 %"),
        ],
    )


def per_second(metric: str, by: str, matching: str = "") -> Query:
    """How fast a counter rises, by one label."""
    chosen = f"$j,{matching}" if matching else "$j"
    return Query(f"sum by ({by}) (rate({metric}{{{chosen}}}[$__rate_interval]))", f"{{{{{by}}}}}")


OPENED: Final = 'churn_alerts_emitted_total{$j,type="opened"}'

OPERATIONS: Final = Dashboard(
    "churnwatch-operations",
    "churnwatch: operations",
    "Is it up, does it keep up, and is anything lost?",
    "now-6h",
    (
        Row(
            "Well?",
            (
                number("Workers ready", "Of those that answer.", "none", "sum(churn_ready{$j})"),
                number("Workers not ready", "0 but for starts.", "none", "sum(1 - churn_ready{$j})", 1),
                number("Longest lag", "How late records are read.", "s", "max(churn_consumer_lag_seconds{$j})", 300),
                number(
                    "Oldest checkpoint",
                    "Ticks come all the time, so this stays below a second or so.",
                    "s",
                    "max(min by (partition) (churn_checkpoint_age_seconds{$j}))",
                    60,
                ),
                number(
                    "Dead letters in an hour",
                    "Records that cannot be used.",
                    "none",
                    "sum(increase(churn_dead_letters_total{$j}[1h]))",
                    1,
                ),
                number("Fence skips", "Anything but 0 is a fault.", "none", "sum(churn_fence_skips_total{$j})", 1),
            ),
        ),
        Row(
            "Flow",
            (
                Panel(
                    "Records read",
                    "By input topic.",
                    "ops",
                    [per_second("churn_events_consumed_total", "source")],
                    stacked=True,
                ),
                Panel(
                    "Lag in seconds",
                    "Age of what is read now, while there is more.",
                    "s",
                    [Query("max by (topic) (churn_consumer_lag_seconds{$j})", "{{topic}}")],
                ),
                Panel(
                    "Lag in records",
                    "Not yet read.",
                    "none",
                    [Query("sum by (topic) (churn_consumer_lag_records{$j})", "{{topic}}")],
                ),
            ),
        ),
        Row(
            "Sources",
            (
                Panel(
                    "Silence",
                    "Since a source was last heard.",
                    "s",
                    [Query("min by (source) (churn_source_silence_seconds{$j})", "{{source}}")],
                ),
                Panel(
                    "Age of events when they come",
                    "Late is normal; a step is a change upstream.",
                    "s",
                    [Query("max by (source) (churn_event_time_lag_seconds{$j})", "{{source}}")],
                ),
                Panel(
                    "Duplicates",
                    "Events that had counted already.",
                    "ops",
                    [per_second("churn_events_deduplicated_total", "source")],
                ),
                Panel(
                    "Late events",
                    "More than an hour after they happened; they count where they belong in time.",
                    "ops",
                    [per_second("churn_events_late_total", "source")],
                ),
            ),
        ),
        Row(
            "Latency",
            (
                quantiles(
                    "From the journal to what it caused",
                    "Until a read_committed reader can see it.",
                    "churn_end_to_end_latency_seconds",
                ),
                quantiles(
                    "One fetch", "Work on what Kafka gave at once.", "churn_processing_duration_seconds", "stage"
                ),
                quantiles(
                    "One checkpoint", "One transaction of one partition.", "churn_checkpoint_duration_seconds", "role"
                ),
            ),
        ),
        Row(
            "State and recovery",
            (
                Panel(
                    "Customers held",
                    "By worker.",
                    "none",
                    [Query("sum by (instance) (churn_state_customers{$j})", "{{instance}}")],
                    stacked=True,
                ),
                Panel(
                    "Bytes of states",
                    "As bytes; those kept decoded take several times that.",
                    "bytes",
                    [Query("sum by (instance) (churn_state_bytes{$j})", "{{instance}}")],
                    stacked=True,
                ),
                Panel(
                    "Memory of a worker",
                    "Resident; the limit of its pod must be above it at the busiest hour.",
                    "bytes",
                    [Query("sum by (instance) (process_resident_memory_bytes{$j})", "{{instance}}")],
                ),
                Panel(
                    "Last recovery",
                    "From the assignment to the first record.",
                    "s",
                    [Query("max by (instance, role) (churn_state_recovery_seconds{$j})", "{{instance}} {{role}}")],
                ),
            ),
        ),
        Row(
            "Changes and faults",
            (
                Panel(
                    "Partitions taken over",
                    "Steps are starts, stops and rebalances.",
                    "none",
                    [Query("sum by (role) (increase(churn_rebalances_total{$j}[$__rate_interval]))", "{{role}}")],
                ),
                Panel(
                    "Failed starts in a row",
                    "0 but for trouble.",
                    "none",
                    [Query("max by (instance) (churn_failed_starts{$j})", "{{instance}}")],
                ),
                Panel(
                    "Dead letters by reason",
                    "What the reasons mean: docs/events.md.",
                    "ops",
                    [per_second("churn_dead_letters_total", "reason")],
                    stacked=True,
                ),
                Panel(
                    "Erasures",
                    "Customers erased on request, and events of theirs that came later and were dropped.",
                    "short",
                    [
                        Query("sum(increase(churn_erasures_total{$j}[1h]))", "erased in an hour"),
                        Query("sum(increase(churn_events_after_erasure_total{$j}[1h]))", "events dropped in an hour"),
                    ],
                ),
                Panel(
                    "Fetches refused for a gap",
                    "They are read again; many of them cost time.",
                    "ops",
                    [per_second("churn_fetch_gaps_total", "role")],
                ),
            ),
        ),
        Row(
            "Learning",
            (
                Panel(
                    "Outcomes learned from",
                    "By label; those refused are named in the log.",
                    "ops",
                    [per_second("churn_examples_total", "label")],
                    stacked=True,
                ),
                Panel(
                    "Skill of the model",
                    "Of the newest outcomes; an AUC of 0.5 is chance. Nothing is shown before there are enough.",
                    "none",
                    [
                        Query("max(churn_model_auc{$j})", "AUC"),
                        Query("max(churn_model_log_loss{$j})", "log loss"),
                        Query("max(churn_model_calibration_error_ratio{$j})", "calibration error"),
                    ],
                ),
                *BY_GROUP,
                Panel(
                    "Age of the model",
                    "Since the outcomes by which the newest one was handed over.",
                    "s",
                    [Query("min(churn_model_age_seconds{$j})", "age")],
                ),
                Panel(
                    "Has the world moved?",
                    "The error of what decides, and features that are not what they used to be.",
                    "none",
                    [
                        Query("max(churn_model_drifting{$j})", "drifting"),
                        Query("sum(increase(churn_model_drifts_total{$j}[1d]))", "drifts of a day"),
                        Query("max(churn_features_moved{$j})", "features moved"),
                    ],
                ),
                Panel(
                    "Challengers",
                    "Log loss per outcome by which each is better than what decides.",
                    "none",
                    [Query("max by (model) (churn_challenger_gain{$j})", "{{model}}")],
                ),
                Panel(
                    "Who chooses the model",
                    "Held: a promotion or a rollback stands, until somebody releases it.",
                    "none",
                    [
                        Query("max(churn_model_held{$j})", "held"),
                        Query(
                            "sum by (command, outcome) (increase(churn_model_commands_total{$j}[1d]))",
                            "{{command}} {{outcome}}",
                        ),
                    ],
                ),
            ),
        ),
    ),
)

RETENTION: Final = Dashboard(
    "churnwatch-retention",
    "churnwatch: alerts",
    "How many alerts there are, how grave, and whether what they rest on is there.",
    "now-7d",
    (
        Row(
            "Today",
            (
                number("Opened in 24 hours", "New alerts.", "none", f"sum(increase({OPENED}[1d]))"),
                number(
                    "Of them critical",
                    "The gravest level.",
                    "none",
                    'sum(increase(churn_alerts_emitted_total{$j,type="opened",level="critical"}[1d]))',
                ),
                number(
                    "Grew worse in 24 hours",
                    "Alerts that went up a level.",
                    "none",
                    'sum(increase(churn_alerts_emitted_total{$j,type="escalated"}[1d]))',
                ),
                number(
                    "Resolved in 24 hours",
                    "Ended, by a person or because the risk passed.",
                    "none",
                    'sum(increase(churn_alerts_emitted_total{$j,type="resolved"}[1d]))',
                ),
                number("Customers known", "Whose state is held.", "none", "sum(churn_state_customers{$j})"),
            ),
        ),
        Row(
            "Alerts",
            (
                Panel(
                    "Opened, by level",
                    "Within the hour before each point.",
                    "none",
                    [Query(f"sum by (level) (increase({OPENED}[1h]))", "{{level}}")],
                    stacked=True,
                ),
                Panel(
                    "Opened and resolved",
                    "Within the day before each point: is the pile growing?",
                    "none",
                    [
                        Query(
                            'sum by (type) (increase(churn_alerts_emitted_total{$j,type=~"opened|resolved"}[1d]))',
                            "{{type}}",
                        )
                    ],
                ),
            ),
        ),
        Row(
            "What was kept back, and calls given up",
            (
                Panel(
                    "Kept back, by reason",
                    "Within the hour before each point: by the budget, for a common cause, or for the control group.",
                    "none",
                    [Query("sum by (reason) (increase(churn_alerts_held_back_total{$j}[1h]))", "{{reason}}")],
                    stacked=True,
                ),
                Panel(
                    "Budget of alerts that is used",
                    "At 100 % alerts wait, the most urgent first; the mean over partitions.",
                    "percentunit",
                    [Query("avg(max by (partition) (churn_alert_budget_used_ratio{$j}))", "used")],
                ),
                Panel(
                    "Calls given up",
                    "Of all calls, in the newest whole hour and day of the events' own time.",
                    "percentunit",
                    [
                        Query(
                            'sum by (period) (churn_calls{$j,outcome="abandoned"})'
                            ' / sum by (period) (churn_calls{$j,outcome="all"})',
                            "{{period}}",
                        )
                    ],
                ),
            ),
        ),
        WHY,
        Row(
            "What they rest on",
            (
                Panel(
                    "Events by source",
                    "A source that stops takes its signals with it.",
                    "ops",
                    [per_second("churn_events_consumed_total", "source", 'outcome="accepted"')],
                ),
                Panel(
                    "Silence of sources",
                    "Since each was last heard.",
                    "s",
                    [Query("min by (source) (churn_source_silence_seconds{$j})", "{{source}}")],
                ),
                Panel(
                    "Customers looked at",
                    "Assessments per second, by the level that was found; 0 means that nobody is.",
                    "ops",
                    [per_second("churn_assessments_total", "level")],
                    stacked=True,
                ),
            ),
        ),
    ),
)

DASHBOARDS: Final = (OPERATIONS, RETENTION)
