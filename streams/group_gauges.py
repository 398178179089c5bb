"""The gauges of what the learner says of groups of customers.

Rules: a label is one of a fixed few (never a plan, a channel or a customer): lifecycle stages, how a customer is known,
signals of the catalogue, tenths of the outcomes; what is not known has no series; only the worker that learns has any.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from detectors.customer import DAY_S
from detectors.learning.groups import ALL, FIXED_GROUPS
from schemas.insights import Insight
from schemas.insights_reasons import CommonReasons, QualityByGroup
from streams import metrics

_FIGURES: Final = {
    "auc": metrics.GROUP_AUC,
    "average_precision": metrics.GROUP_AVERAGE_PRECISION,
    "log_loss": metrics.GROUP_LOG_LOSS,
    "calibration_error": metrics.GROUP_CALIBRATION,
    "precision_at_budget": metrics.GROUP_PRECISION,
}


def clear() -> None:
    """Say nothing: another worker learns."""
    for gauge in (
        *_FIGURES.values(),
        metrics.GROUP_LEAD,
        metrics.GROUP_LEFT,
        metrics.MODEL_GIVEN,
        metrics.MODEL_OBSERVED,
        metrics.REASON_LIFT,
        metrics.REASON_SUPPORT,
    ):
        gauge.clear()


def show(rows: Iterable[Insight]) -> None:
    """Say what the newest rows say, of the groups that every business has."""
    for row in rows:
        if isinstance(row, QualityByGroup) and row.group in FIXED_GROUPS:
            _show_quality(row)
        elif isinstance(row, CommonReasons) and row.group == ALL:
            _show_reasons(row)


def _show_quality(row: QualityByGroup) -> None:
    for name, gauge in _FIGURES.items():
        value = getattr(row, name)
        if value is None:
            gauge.remove(row.group)
        else:
            gauge.labels(row.group).set(value)
    if row.lead_days_median is None:
        metrics.GROUP_LEAD.remove(row.group)
    else:
        metrics.GROUP_LEAD.labels(row.group).set(row.lead_days_median * DAY_S)
    if row.outcomes:
        metrics.GROUP_LEFT.labels(row.group).set(row.left / row.outcomes)
    if row.group != ALL:
        return
    metrics.MODEL_GIVEN.clear()
    metrics.MODEL_OBSERVED.clear()
    for tenth, of in enumerate(row.reliability, start=1):
        metrics.MODEL_GIVEN.labels(str(tenth)).set(of.given)
        metrics.MODEL_OBSERVED.labels(str(tenth)).set(of.observed)


def _show_reasons(row: CommonReasons) -> None:
    metrics.REASON_LIFT.clear()
    metrics.REASON_SUPPORT.clear()
    for reason in row.reasons:
        metrics.REASON_LIFT.labels(reason.signals[0]).set(reason.lift)
        metrics.REASON_SUPPORT.labels(reason.signals[0]).set(reason.support)
