"""Every metric of a worker, declared once.

Rules: one prefix, base units, no label whose values are not bounded (never a customer); a counter only rises; a name
in PITFALLS of the operators' tools is never changed. The ops server shows REGISTRY.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, which nobody reads
REGISTRY: Final = CollectorRegistry()
ProcessCollector(registry=REGISTRY)  # process_…: memory, CPU time, open files, as every exporter has them
FAST_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)

BUILD: Final = Info("churn_build", "Version of the program.", registry=REGISTRY)
LIVE: Final = Gauge("churn_live", "1 if /livez says ok, else 0.", registry=REGISTRY)
READY: Final = Gauge("churn_ready", "1 if /readyz says ok, else 0.", registry=REGISTRY)
FAILED_STARTS: Final = Gauge(
    "churn_failed_starts", "Runs in a row, before this one, that failed within a minute.", registry=REGISTRY
)
EVENTS: Final = Counter(
    "churn_events_consumed_total", "Records read from input topics.", ("source", "outcome"), registry=REGISTRY
)
DEDUPLICATED: Final = Counter(
    "churn_events_deduplicated_total", "Events that had counted already.", ("source",), registry=REGISTRY
)
LATE: Final = Counter(
    "churn_events_late_total",
    "Events that came more than an hour after they happened; under the events' clock, those after their turn.",
    ("source",),
    registry=REGISTRY,
)
EVENT_LAG: Final = Gauge(
    "churn_event_time_lag_seconds",
    "Age of the newest event of a source when it was read.",
    ("source",),
    registry=REGISTRY,
)
LAG_RECORDS: Final = Gauge(
    "churn_consumer_lag_records", "Records not yet read.", ("topic", "partition"), registry=REGISTRY
)
LAG_SECONDS: Final = Gauge(
    "churn_consumer_lag_seconds",
    "Age of the last record read, while there are more; 0 at the end.",
    ("topic", "partition"),
    registry=REGISTRY,
)
CHECKPOINT: Final = Histogram(
    "churn_checkpoint_duration_seconds",
    "One transaction of a checkpoint.",
    ("role",),
    registry=REGISTRY,
    buckets=FAST_S,
)
CHECKPOINT_AGE: Final = Gauge(
    "churn_checkpoint_age_seconds", "Since a journal partition was last committed.", ("partition",), registry=REGISTRY
)
ERASURES: Final = Counter("churn_erasures_total", "Customers erased on request.", registry=REGISTRY)
AFTER_ERASURE: Final = Counter(
    "churn_events_after_erasure_total", "Events of customers who were erased, dropped.", registry=REGISTRY
)
FENCE_SKIPS: Final = Counter(
    "churn_fence_skips_total", "Records that a state held already; anything but 0 is a fault.", registry=REGISTRY
)
GAPS: Final = Counter(
    "churn_fetch_gaps_total", "Fetches refused because records before them had not come.", ("role",), registry=REGISTRY
)
DEAD_LETTERS: Final = Counter(
    "churn_dead_letters_total", "Records that could not be used.", ("topic", "reason"), registry=REGISTRY
)
ASSESSMENTS: Final = Counter(
    "churn_assessments_total", "Customers looked at, by the level that was found.", ("level",), registry=REGISTRY
)
ALERTS: Final = Counter("churn_alerts_emitted_total", "Alert revisions written.", ("level", "type"), registry=REGISTRY)
HELD_BACK: Final = Counter(
    "churn_alerts_held_back_total",
    "Alerts that were due: kept waiting by the budget or for a common cause, not opened because new rules alone raised "
    "them, or logged for the control group only.",
    ("reason",),
    registry=REGISTRY,
)
BUDGET_USED: Final = Gauge(
    "churn_alert_budget_used_ratio",
    "How much of the alerts that a partition has saved up is gone; at 1 they wait.",
    ("partition",),
    registry=REGISTRY,
)
TICKS: Final = Counter("churn_ticks_total", "Ticks written to the journal, one per partition.", registry=REGISTRY)
CUSTOMERS: Final = Gauge("churn_state_customers", "States held by this worker.", registry=REGISTRY)
STATE_BYTES: Final = Gauge("churn_state_bytes", "Bytes of the states held.", registry=REGISTRY)
RECOVERY: Final = Gauge(
    "churn_state_recovery_seconds", "From the assignment to the first record, last time.", ("role",), registry=REGISTRY
)
PROCESSING: Final = Histogram(
    "churn_processing_duration_seconds", "One fetch.", ("stage",), registry=REGISTRY, buckets=FAST_S
)
REBALANCES: Final = Counter(
    "churn_rebalances_total", "Times that partitions were taken over.", ("role",), registry=REGISTRY
)
SILENCE: Final = Gauge(
    "churn_source_silence_seconds",
    "Since this worker last read a record of a source; of several workers the least counts.",
    ("source",),
    registry=REGISTRY,
)
CALLS: Final = Gauge(
    "churn_calls",
    "Calls in the newest whole hour and day of event time, by what became of them: `all`, `abandoned`.",
    ("period", "outcome"),
    registry=REGISTRY,
)
ABANDONMENT: Final = Gauge(
    "churn_call_abandonment_ratio",
    "Calls given up ÷ calls, of this worker's customers; over several workers divide the sums of `churn_calls`.",
    ("period",),
    registry=REGISTRY,
)
LATENCY: Final = Histogram(
    "churn_end_to_end_latency_seconds",
    "From a record's append to the journal until what it caused can be read.",
    registry=REGISTRY,
    buckets=FAST_S,
)
GROUP_AUC: Final = Gauge(
    "churn_group_auc",
    "Of a year's outcomes, within four weeks of landmarks, by group of customers; none where too few left.",
    ("group",),
    registry=REGISTRY,
)
GROUP_AVERAGE_PRECISION: Final = Gauge(
    "churn_group_average_precision", "Of a year's outcomes, by group of customers.", ("group",), registry=REGISTRY
)
GROUP_LOG_LOSS: Final = Gauge(
    "churn_group_log_loss", "Of a year's outcomes, by group of customers.", ("group",), registry=REGISTRY
)
GROUP_CALIBRATION: Final = Gauge(
    "churn_group_calibration_error_ratio", "Of a year's outcomes, by group of customers.", ("group",), registry=REGISTRY
)
GROUP_PRECISION: Final = Gauge(
    "churn_group_precision_at_budget_ratio",
    "Share that left of the highest probabilities of a group, as many as the alert budget allows.",
    ("group",),
    registry=REGISTRY,
)
GROUP_LEAD: Final = Gauge(
    "churn_group_lead_seconds",
    "Median time from an alert to leaving, of those who left within the horizon and said so, by group of customers.",
    ("group",),
    registry=REGISTRY,
)
GROUP_LEFT: Final = Gauge(
    "churn_group_left_ratio", "Share of a year's outcomes of a group that left.", ("group",), registry=REGISTRY
)
MODEL_GIVEN: Final = Gauge(
    "churn_model_given_ratio",
    "Mean probability that was given to a tenth of all outcomes; 1 is the tenth with the lowest ones.",
    ("tenth",),
    registry=REGISTRY,
)
MODEL_OBSERVED: Final = Gauge(
    "churn_model_observed_ratio", "Share of that tenth that left.", ("tenth",), registry=REGISTRY
)
REASON_LIFT: Final = Gauge(
    "churn_reason_lift",
    "How many times as often as everybody leave those who have a signal, where that is beyond chance.",
    ("signal",),
    registry=REGISTRY,
)
REASON_SUPPORT: Final = Gauge(
    "churn_reason_support_ratio",
    "Share of those who left that had a signal, where it is beyond chance that they leave more often.",
    ("signal",),
    registry=REGISTRY,
)
EXAMPLES: Final = Counter("churn_examples_total", "Outcomes, or examples refused.", ("label",), registry=REGISTRY)
ALERT_OUTCOMES: Final = Counter(
    "churn_alert_outcomes_total",
    "Alerts of which it is known whether the customer left, delivered ones and those of the control group.",
    ("delivery", "label"),
    registry=REGISTRY,
)
SAVED: Final = Gauge(
    "churn_saved_share_ratio",
    "By how much a smaller share left where alerts were delivered than in the control group, as `estimate` and as the "
    "`low` and `high` end of its 95 % interval; NaN: too few outcomes.",
    ("bound",),
    registry=REGISTRY,
)
MODEL_LOG_LOSS: Final = Gauge(
    "churn_model_log_loss", "Of the newest outcomes, by the probability given before; NaN: none.", registry=REGISTRY
)
MODEL_AUC: Final = Gauge(
    "churn_model_auc", "Of the newest outcomes, within landmark weeks; NaN: too few.", registry=REGISTRY
)
MODEL_CALIBRATION: Final = Gauge(
    "churn_model_calibration_error_ratio", "Of the newest outcomes; NaN: none.", registry=REGISTRY
)
MODEL_AGE: Final = Gauge(
    "churn_model_age_seconds", "Since the time of the newest model handed over; NaN: none.", registry=REGISTRY
)
MODEL_DRIFTING: Final = Gauge(
    "churn_model_drifting", "1 if the loss of the newest model has moved of late, else 0; NaN: none.", registry=REGISTRY
)
MODEL_DRIFTS: Final = Counter(
    "churn_model_drifts_total", "Times that its error was found to have moved.", registry=REGISTRY
)
FEATURES_MOVED: Final = Gauge(
    "churn_features_moved",
    "Features whose newest mean is far from the usual one; the row `feature_drift` names them.",
    registry=REGISTRY,
)
MODEL_HELD: Final = Gauge(
    "churn_model_held", "1 while a promotion or a rollback holds; 0: the learner chooses.", registry=REGISTRY
)
MODEL_COMMANDS: Final = Counter(
    "churn_model_commands_total",
    "Commands to the learner, by what became of them: `done`, `refused`.",
    ("command", "outcome"),
    registry=REGISTRY,
)
CHALLENGER_GAIN: Final = Gauge(
    "churn_challenger_gain",
    "Log loss per outcome by which a model is better than the one that decides, as told when one is handed over.",
    ("model",),
    registry=REGISTRY,
)
for unknown in (MODEL_DRIFTING, MODEL_LOG_LOSS, MODEL_AUC, MODEL_CALIBRATION, MODEL_AGE):
    unknown.set(float("nan"))
for bound in ("estimate", "low", "high"):
    SAVED.labels(bound).set(float("nan"))
