"""What the learner says of groups of customers, for both dashboards."""

from __future__ import annotations

from typing import Final

from deploy.observe.grafana import Panel, Query, Row

BY_GROUP: Final = (
    Panel(
        "Skill by group",
        "AUC by lifecycle stage and how a customer is known, over a year; none where too few left.",
        "none",
        [Query("max by (group) (churn_group_auc{$j})", "{{group}}")],
    ),
    Panel(
        "Average precision by group",
        "Over a year; compare it with the share that leaves.",
        "none",
        [Query("max by (group) (churn_group_average_precision{$j})", "{{group}}")],
    ),
    Panel(
        "Loss and calibration error by group",
        "How far what was given is from what came, over a year.",
        "none",
        [
            Query("max by (group) (churn_group_log_loss{$j})", "log loss, {{group}}"),
            Query("max by (group) (churn_group_calibration_error_ratio{$j})", "calibration, {{group}}"),
        ],
    ),
)
"""How good the probabilities are, for those who run it."""

WHY: Final = Row(
    "Why customers leave, and how far to trust a probability",
    (
        Panel(
            "What those who leave have in common",
            "How many times as often as everybody those leave who have a signal; only what is beyond chance. "
            "By plan, channel and stage, and pairs of signals: rows `common_reasons` of churn.insights.",
            "none",
            [Query("max by (signal) (churn_reason_lift{$j})", "{{signal}}")],
        ),
        Panel(
            "How many of them had it",
            "Share of those who left that had the signal.",
            "percentunit",
            [Query("max by (signal) (churn_reason_support_ratio{$j})", "{{signal}}")],
        ),
        Panel(
            "How many leave",
            "Within the horizon, of a year's landmarks, by lifecycle stage and how a customer is known.",
            "percentunit",
            [Query("max by (group) (churn_group_left_ratio{$j})", "{{group}}")],
        ),
        Panel(
            "Of the highest as many as the budget allows: how many left",
            "By lifecycle stage, and how a customer is known, over a year.",
            "percentunit",
            [Query("max by (group) (churn_group_precision_at_budget_ratio{$j})", "{{group}}")],
        ),
        Panel(
            "How early alerts come",
            "Median time from an alert to leaving, by lifecycle stage and how a customer is known, over a year.",
            "s",
            [Query("max by (group) (churn_group_lead_seconds{$j})", "{{group}}")],
        ),
        Panel(
            "Given and observed",
            "By tenth of the outcomes, the lowest probabilities first; the two should be equal.",
            "percentunit",
            [
                Query("max by (tenth) (churn_model_given_ratio{$j})", "given {{tenth}}"),
                Query("max by (tenth) (churn_model_observed_ratio{$j})", "observed {{tenth}}"),
            ],
        ),
        Panel(
            "What acting achieves",
            "By how much a smaller share left where alerts were delivered than in the control group.",
            "percentunit",
            [Query("max by (bound) (churn_saved_share_ratio{$j})", "{{bound}}")],
        ),
        Panel(
            "Alerts whose outcome is known",
            "Within the week before each point: delivered ones and those of the control group.",
            "none",
            [
                Query(
                    "sum by (delivery, label) (increase(churn_alert_outcomes_total{$j}[7d]))",
                    "{{delivery}}, {{label}}",
                )
            ],
        ),
    ),
)
"""What leavers have in common, and how far to trust a probability, for those who work with alerts."""
