"""The alert that retention teams read, as a CloudEvent.

Rules: the same alert gives the same bytes (fields in the order below, nothing left out of the body); (`alert_id`,
`revision`) is the idempotency key and makes the CloudEvent's id; what a subscriber filters by is in the headers too.
"""

from collections.abc import Callable
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from schemas.fields import Currency, Name, Probability, WireTime

Change = Literal["opened", "updated", "escalated", "resolved"]
Status = Literal["open", "acknowledged", "snoozed", "resolved"]
Trend = Literal["rising", "steady", "falling"]
RiskLevel = Literal["low", "medium", "high", "critical"]
Confidence = Literal["rules", "learning", "proven"]
LifecycleStage = Literal["lead", "trial", "onboarding", "active", "mature", "at_renewal", "churned"]
ChurnType = Literal[
    "involuntary", "service", "price", "product", "competitor", "unrecognised", "never_activated", "drifting"
]
Delivery = Literal["deliver", "hold_out"]
ChangedBy = Literal["events", "time", "policy", "model"]
Outcome = Literal["calm", "churned", "saved", "no_risk", "returned", "expired", "erased"]

AlertType = Literal[
    "churn.alert.opened.v1", "churn.alert.updated.v1", "churn.alert.escalated.v1", "churn.alert.resolved.v1"
]

ALERT_TYPES: Final[dict[Change, AlertType]] = {
    "opened": "churn.alert.opened.v1",
    "updated": "churn.alert.updated.v1",
    "escalated": "churn.alert.escalated.v1",
    "resolved": "churn.alert.resolved.v1",
}

SOURCE: Final = "/churnwatch/detector"
SCHEMA_VERSION: Final = "1"
REASONS_MAX: Final = 5
EVIDENCE_MAX: Final = 5
CONTENT_TYPE: Final = b"application/cloudevents+json; charset=utf-8"

Offset = Annotated[int, Meta(ge=0)]


class Reason(Struct, frozen=True, gc=False):
    """Why the customer is thought to be leaving: one signal."""

    code: Annotated[Name, Meta(description="the signal")]
    contribution: Annotated[float, Meta(description="log-odds")]
    since_last: Annotated[float, Meta(description="change of the contribution since the last revision: why now")]
    text: Annotated[str, Meta(description="a sentence with the numbers in it")]
    evidence: Annotated[tuple[str, ...], Meta(max_length=EVIDENCE_MAX, description="ids of the events behind it")]


class Action(Struct, frozen=True, gc=False):
    """A playbook to carry out."""

    code: Annotated[Name, Meta(description="the playbook")]
    text: Annotated[str, Meta(description="what to do, in a sentence")]


class RevenueAtRisk(Struct, frozen=True, gc=False):
    """What is lost if the customer leaves."""

    mrr: Annotated[float, Meta(ge=0, description="monthly recurring revenue; for orders alone, their monthly mean")]
    currency: Currency
    expected_loss: Annotated[float, Meta(ge=0, description="mrr × probability × months remaining by policy")]


class LastContact(Struct, frozen=True, gc=False):
    """The retention team's latest contact with the customer."""

    at: WireTime
    playbook: Name
    by: Annotated[Name, Meta(description="who")]


class EvidenceRange(Struct, frozen=True, gc=False):
    """The journal records that the alert follows from: `churnwatch explain` derives it again from them."""

    partition: Offset
    first_offset: Offset
    last_offset: Offset


class Alert(Struct, frozen=True, gc=False, kw_only=True):
    """One revision of the alert about one customer."""

    alert_id: Annotated[Name, Meta(description="the same journal gives the same id")]
    revision: Annotated[int, Meta(ge=1, description="1, 2, … within the alert")]
    customer_id: Name
    status: Status
    opened_at: Annotated[WireTime, Meta(description="event time")]
    as_of: Annotated[WireTime, Meta(description="event time")]
    churn_probability: Annotated[Probability, Meta(description="within `horizon_days`, calibrated")]
    horizon_days: Annotated[int, Meta(ge=1)]
    previous_probability: Annotated[Probability, Meta(description="at the last delivered revision")] | None
    trend: Trend
    risk_level: RiskLevel
    confidence: Annotated[Confidence, Meta(description="`rules`: no outcome was learned from yet")]
    reasons: Annotated[tuple[Reason, ...], Meta(max_length=REASONS_MAX, description="strongest first")]
    lifecycle_stage: LifecycleStage
    churn_type: ChurnType
    win_back_potential: Probability
    recommended_actions: Annotated[tuple[Action, ...], Meta(description="best first")]
    revenue_at_risk: Annotated[RevenueAtRisk, Meta(description="null when no revenue is known")] | None
    common_cause: Annotated[str, Meta(description="id of the incident shared with other customers")] | None
    delivery: Annotated[Delivery, Meta(description="`hold_out`: control group, logged and not acted on")]
    outcome: Annotated[Outcome, Meta(description="of a resolved alert: how it ended; null while it is live")] | None = (
        None
    )
    last_contact: Annotated[LastContact, Meta(description="null when no contact was reported")] | None = None
    evidence_range: EvidenceRange
    model_version: Name
    policy_version: Name
    changed_by: Annotated[
        ChangedBy,
        Meta(description="what brought this revision about: the customer's events, time alone, a new policy or model"),
    ] = "events"
    schema_version: Literal["1"] = SCHEMA_VERSION


class AlertEvent(Struct, frozen=True, gc=False, kw_only=True):
    """An alert in its CloudEvent."""

    specversion: Literal["1.0"] = "1.0"
    id: Annotated[str, Meta(min_length=1, description="alert_id.revision")]
    source: Annotated[str, Meta(min_length=1)] = SOURCE
    type: AlertType
    subject: Annotated[str, Meta(min_length=1, description="the customer id")]
    time: Annotated[WireTime, Meta(description="as_of")]
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: str | msgspec.UnsetType = msgspec.UNSET
    data: Alert


decode_alert: Final[Callable[[bytes], AlertEvent]] = msgspec.json.Decoder(AlertEvent).decode
"""Decode one record of `churn.alerts` or `churn.alerts.current`; raises msgspec's errors for anything else."""

_ENCODE: Final = msgspec.json.Encoder().encode


def encode_alert(alert: Alert, change: Change, traceparent: str | None = None) -> bytes:
    """The record value of one alert revision: a structured CloudEvent, compact, fields in a fixed order."""
    return _ENCODE(
        AlertEvent(
            id=f"{alert.alert_id}.{alert.revision}",
            type=ALERT_TYPES[change],
            subject=alert.customer_id,
            time=alert.as_of,
            traceparent=msgspec.UNSET if traceparent is None else traceparent,
            data=alert,
        )
    )


def alert_headers(alert: Alert, change: Change, traceparent: str | None = None) -> list[tuple[str, bytes]]:
    """The record headers of one alert revision, so that a subscriber filters without decoding."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", f"{alert.alert_id}.{alert.revision}".encode()),
        ("ce_source", SOURCE.encode()),
        ("ce_type", ALERT_TYPES[change].encode()),
        ("ce_subject", alert.customer_id.encode()),
        ("ce_time", alert.as_of.encode()),
        ("risk_level", alert.risk_level.encode()),
        ("churn_type", alert.churn_type.encode()),
        ("delivery", alert.delivery.encode()),
        ("content-type", CONTENT_TYPE),
    ]
    if traceparent is not None:
        headers.append(("traceparent", traceparent.encode()))
    return headers
