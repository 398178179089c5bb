"""From a verdict to the alert revision that retention teams read, and from a customer to its score row."""

import hashlib

from detectors.assess import Assessor, Reason
from detectors.customer import NEVER, AlertState, Customer
from detectors.lifecycle import is_churned, level_of
from detectors.profile import actions_for, churn_type_of, revenue_at_risk, stage_of
from detectors.signals import Moment
from schemas import alerts as wire
from schemas.scores import ScoreReason, ScoreRow
from schemas.times import rfc3339

DIGITS = 6  # of a probability or a contribution on the wire
STEADY = 0.01  # a move of the probability under this is no trend


def alert_id_of(customer_id: str, ordinal: int, opened_s: int) -> str:
    """Id of a customer's n-th alert: the same journal gives the same id, and nobody can read the customer from it."""
    return hashlib.sha256(f"{customer_id}\n{ordinal}\n{opened_s}".encode()).hexdigest()[:20]


def trend_of(now: float, before: float | None) -> wire.Trend:
    """Where the probability goes since the last revision; a first one rises, or it would not be there."""
    if before is None or now - before >= STEADY:
        return "rising"
    return "falling" if before - now >= STEADY else "steady"


def wire_reasons(reasons: list[Reason], before: dict[int, float], most: int) -> tuple[wire.Reason, ...]:
    """The strongest reasons, each with what changed since the last revision."""
    return tuple(
        wire.Reason(
            code=r.code,
            contribution=round(r.contribution, DIGITS),
            since_last=round(r.contribution - before.get(r.number, 0.0), DIGITS),
            text=r.because.text,
            evidence=tuple(r.because.evidence),
        )
        for r in reasons[:most]
    )


def revise(
    customer_id: str,
    c: Customer,
    at: Moment,
    assessor: Assessor,
    status: wire.Status,
    change: wire.Change,
    by: wire.ChangedBy,
    place: tuple[int, int],
) -> wire.Alert:
    """Move the customer's alert on by one revision and return it; `place` is journal partition and offset."""
    policy, now_s, p = assessor.policy, at.now_s, c.probability
    reasons = assessor.reasons(c, at)
    last = c.alert
    if change == "opened" or last is None:
        c.alerts += 1
        last = None
        alert_id, revision, opened_s = alert_id_of(customer_id, c.alerts, now_s), 1, now_s
    else:
        alert_id, revision, opened_s = last.alert_id, last.revision + 1, last.opened_s
    level = level_of(p, policy.alerts)
    churn_type = churn_type_of(reasons, policy)
    win_back = policy.win_back[churn_type]
    alert = wire.Alert(
        alert_id=alert_id,
        revision=revision,
        customer_id=customer_id,
        status=status,
        opened_at=rfc3339(opened_s),
        as_of=rfc3339(now_s),
        churn_probability=round(p, DIGITS),
        horizon_days=policy.churn.horizon_days,
        previous_probability=round(last.probability, DIGITS) if last else None,
        trend=trend_of(p, last.probability if last else None),
        risk_level=level,
        confidence=assessor.model.confidence,
        reasons=wire_reasons(reasons, last.contributions if last else {}, policy.alerts.reasons),
        lifecycle_stage=stage_of(c, now_s, policy),
        churn_type=churn_type,
        win_back_potential=win_back,
        recommended_actions=actions_for(reasons, win_back, churned=is_churned(c), policy=policy),
        revenue_at_risk=revenue_at_risk(c, now_s, p, policy),
        common_cause=None,
        delivery="deliver",
        evidence_range=wire.EvidenceRange(place[0], c.first_offset, place[1]),
        model_version=assessor.model.version,
        policy_version=assessor.policy_version,
        changed_by=by,
    )
    c.alert = AlertState(
        alert_id,
        revision,
        status,
        opened_s,
        now_s,
        level,
        p,
        assessor.contributions(c),
        assessor.first_reason(c),
        last.calm_since_s if last else NEVER,
        last.snoozed_until_s if last and status == "snoozed" else 0,
        by_team=last is not None and last.feedback == "closed",
    )
    return alert


def score_row(customer_id: str, c: Customer, now_s: int, assessor: Assessor) -> ScoreRow:
    """The customer's risk as last read."""
    contributions = [(n, v) for n, v in assessor.contributions(c).items() if v]
    contributions.sort(key=lambda item: (-item[1], item[0]))
    return ScoreRow(
        customer_id=customer_id,
        as_of=rfc3339(now_s),
        churn_probability=round(c.probability, DIGITS),
        risk_level=level_of(c.probability, assessor.policy.alerts),
        confidence=assessor.model.confidence,
        lifecycle_stage=stage_of(c, now_s, assessor.policy),
        model_version=assessor.model.version,
        policy_version=assessor.policy_version,
        reasons=tuple(ScoreReason(assessor.by_number[n].signal.code, round(v, DIGITS)) for n, v in contributions),
    )
