"""The alert rules: what is wrong with churnwatch, and for how long it must be so before somebody is told.

Rules: `critical` pages a person, `warning` is for the next working day; every rule has its section in docs/runbook.md
(a test says so) and its trial in deploy/prometheus/rules_test.yml. They are for `CHURNWATCH_CLOCK=wall`: a worker that
reads history has times of its own. A gauge that two workers may tell of during a handover is taken by its better
value. A series with labels begins when it first counts, and `increase` does not see that first step: hence `unless …
offset`.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

RUNBOOK: Final = "docs/runbook.md"


class Rule(NamedTuple):
    """One alert; `lasting` is how long the expression must hold."""

    name: str
    severity: Literal["critical", "warning"]
    lasting: str
    summary: str
    expression: str


WORKERS: Final = (
    Rule(
        "ChurnNoWorker",
        "critical",
        "3m",
        "No churnwatch worker tells anything: nothing is read, no alert is made.",
        "absent(churn_build_info)",
    ),
    Rule(
        "ChurnWorkerDown",
        "warning",
        "5m",
        "{{ $labels.instance }} does not answer Prometheus.",
        'up{job=~".*churnwatch.*"} == 0',
    ),
    Rule(
        "ChurnWorkerNotReady",
        "critical",
        "10m",
        "{{ $labels.instance }} is up and does not do its work.",
        "churn_ready == 0",
    ),
    Rule(
        "ChurnWorkerStalled",
        "critical",
        "1m",
        "{{ $labels.instance }} stands still in front of records, while Kafka answers.",
        "churn_live == 0",
    ),
    Rule(
        "ChurnWorkerFailing",
        "warning",
        "0m",
        "{{ $labels.instance }} failed {{ $value }} times in a row soon after its start.",
        "churn_failed_starts >= 3",
    ),
    Rule(
        "ChurnRebalancing",
        "warning",
        "5m",
        "Partitions of {{ $labels.role }} moved {{ $value | humanize }} times in half an hour.",
        "max by (namespace, job, role) (increase(churn_rebalances_total[30m])) > 6",
    ),
    Rule(
        "ChurnRecoverySlow",
        "warning",
        "0m",
        "{{ $labels.instance }} took {{ $value | humanizeDuration }} to recover its partitions.",
        "churn_state_recovery_seconds > 120\n"
        "unless churn_state_recovery_seconds == churn_state_recovery_seconds offset 30m",
    ),
)

FLOW: Final = (
    Rule(
        "ChurnLagSeconds",
        "critical",
        "5m",
        "{{ $labels.topic }}[{{ $labels.partition }}] is read {{ $value | humanizeDuration }} late.",
        'max by (namespace, job, topic, partition) (churn_consumer_lag_seconds{topic!~".*churn.examples"}) > 300',
    ),
    Rule(
        "ChurnLagRecords",
        "warning",
        "10m",
        "{{ $value | humanize }} records of {{ $labels.topic }}[{{ $labels.partition }}] wait to be read.",
        "max by (namespace, job, topic, partition) (churn_consumer_lag_records) > 100000\n"
        "or max by (namespace, topic, partition) (\n"
        '  kafka_consumergroup_lag{consumergroup=~"churnwatch.*-(intake|detector|learner)"} >= 0\n'
        ") > 100000",
    ),
    Rule(
        "ChurnLagNearRetention",
        "critical",
        "5m",
        "{{ $labels.topic }}[{{ $labels.partition }}] is {{ $value | humanizeDuration }} behind; "
        "Kafka will delete what was not read.",
        "max by (namespace, job, topic, partition) (churn_consumer_lag_seconds) > 3 * 86400",
    ),
    Rule(
        "ChurnCheckpointOld",
        "critical",
        "1m",
        "Journal partition {{ $labels.partition }} was last committed {{ $value | humanizeDuration }} ago.",
        "min by (namespace, job, partition) (churn_checkpoint_age_seconds) > 60",
    ),
    Rule(
        "ChurnClockStopped",
        "critical",
        "5m",
        "No tick was written for five minutes: nobody is assessed.",
        "sum by (namespace, job) (rate(churn_ticks_total[5m])) == 0",
    ),
    Rule(
        "ChurnLatencyHigh",
        "warning",
        "10m",
        "One record in a hundred takes longer than {{ $value | humanizeDuration }} from the journal to what it caused.",
        "histogram_quantile(\n"
        "  0.99, sum by (namespace, job, le) (rate(churn_end_to_end_latency_seconds_bucket[10m]))\n"
        ") > 2.5",
    ),
    Rule(
        "ChurnFenceSkips",
        "critical",
        "0m",
        "{{ $labels.instance }} read records that the state held already.",
        "increase(churn_fence_skips_total[1h]) > 0\n"
        "or (churn_fence_skips_total > 0 unless churn_fence_skips_total offset 1h)",
    ),
)

CONTENT: Final = (
    Rule(
        "ChurnDeadLetters",
        "warning",
        "10m",
        "{{ $value | humanizePercentage }} of {{ $labels.source }} cannot be used.",
        "sum by (namespace, job, source) (\n"
        '  label_replace(rate(churn_dead_letters_total[10m]), "source", "$1", "topic", "(.+)")\n'
        ") / sum by (namespace, job, source) (rate(churn_events_consumed_total[10m])) > 0.01",
    ),
    Rule(
        "ChurnDetectorFailed",
        "warning",
        "0m",
        "The detector failed on an event of {{ $labels.topic }} that obeys its contract.",
        'increase(churn_dead_letters_total{reason="detector_failed"}[1h]) > 0\n'
        'or (churn_dead_letters_total{reason="detector_failed"} > 0\n'
        '  unless churn_dead_letters_total{reason="detector_failed"} offset 1h)',
    ),
    Rule(
        "ChurnSourceSilent",
        "warning",
        "10m",
        "{{ $labels.source }} is silent, and a week ago at this time it was not.",
        "(\n"
        "  (sum by (namespace, job, source) (increase(churn_events_consumed_total[1h] offset 1w)) > 20\n"
        "    unless sum by (namespace, job, source) (increase(churn_events_consumed_total[1h])) > 0)\n"
        "  or min by (namespace, job, source) (churn_source_silence_seconds) > 86400\n"
        ") and on (namespace, job) sum by (namespace, job) (churn_ready) > 0",
    ),
    Rule(
        "ChurnAlertFlood",
        "warning",
        "10m",
        "{{ $value | humanize }} alerts opened within an hour, far above the week's mean.",
        'sum by (namespace, job) (increase(churn_alerts_emitted_total{type="opened"}[1h]))\n'
        '> 20 + 4 * sum by (namespace, job) (increase(churn_alerts_emitted_total{type="opened"}[1w])) / 168',
    ),
    Rule(
        "ChurnBudgetSpent",
        "warning",
        "6h",
        "Every partition has used up its budget of alerts for six hours: alerts wait.",
        "min by (namespace, job) (max by (namespace, job, partition) (churn_alert_budget_used_ratio)) >= 1",
    ),
    Rule(
        "ChurnAlertDrought",
        "warning",
        "30m",
        "No alert opened for a day, while events flow and the week before had some each day.",
        'sum by (namespace, job) (increase(churn_alerts_emitted_total{type="opened"}[1w] offset 1d)) > 35\n'
        'unless sum by (namespace, job) (increase(churn_alerts_emitted_total{type="opened"}[1d])) > 0\n'
        "and on (namespace, job) sum by (namespace, job) (increase(churn_events_consumed_total[1d])) > 1000",
    ),
)

MODEL: Final = (
    Rule(
        "ChurnModelStale",
        "warning",
        "1h",
        "The newest model is {{ $value | humanizeDuration }} old; one is handed over each week where outcomes come.",
        "min by (namespace, job) (churn_model_age_seconds) > 21 * 86400",
    ),
    Rule(
        "ChurnLearnerGone",
        "warning",
        "1h",
        "A worker learned within the last week, and none does now: alerts keep the model that they have.",
        "count by (namespace, job) (max_over_time(churn_model_age_seconds[1w]) >= 0)\n"
        "unless count by (namespace, job) (churn_model_age_seconds >= 0)",
    ),
    Rule(
        "ChurnModelDrifting",
        "warning",
        "1h",
        "The newest outcomes are not like those that the model learned from.",
        "max by (namespace, job) (churn_model_drifting) == 1",
    ),
    Rule(
        "ChurnModelCalibrationOff",
        "warning",
        "1h",
        "Probabilities are off by {{ $value | humanizePercentage }} on average, of the newest outcomes.",
        "max by (namespace, job) (churn_model_calibration_error_ratio) > 0.05",
    ),
    Rule(
        "ChurnModelHeld",
        "warning",
        "1h",
        "For a week a model has decided that somebody promoted or went back to; the learner's own choice waits.",
        "max by (namespace, job) (min_over_time(churn_model_held[1w])) == 1\n"
        "and max by (namespace, job) (churn_model_held offset 1w) == 1",
    ),
)

GROUPS: Final = {
    "churnwatch-workers": WORKERS,
    "churnwatch-flow": FLOW,
    "churnwatch-content": CONTENT,
    "churnwatch-model": MODEL,
}
RULES: Final = tuple(rule for group in GROUPS.values() for rule in group)

HEAD: Final = """\
# Made by `python -m deploy.observe` from deploy/observe/rules.py; a test says so. For CHURNWATCH_CLOCK=wall.
# Put your documents' address before each runbook_url.
groups:
"""


def rules_yaml() -> str:
    """deploy/prometheus/rules.yml."""
    lines = []
    for name, rules in GROUPS.items():
        lines += [f"  - name: {name}", "    rules:"]
        for rule in rules:
            lines += [
                f"      - alert: {rule.name}",
                "        expr: |",
                *(f"          {line}" for line in rule.expression.splitlines()),
                f"        for: {rule.lasting}",
                "        labels:",
                f"          severity: {rule.severity}",
                "        annotations:",
                f'          summary: "{rule.summary}"',
                f'          runbook_url: "{RUNBOOK}#{rule.name.lower()}"',
            ]
    return HEAD + "\n".join(lines) + "\n"
