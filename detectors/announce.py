"""From a verdict to the alert revision that retention teams read, and from a customer to its score row."""

import hashlib
from typing import cast

import msgspec

from detectors.actions import actions_for
from detectors.assess import Assessor, Reason
from detectors.customer import NEVER, AlertState, Customer
from detectors.hold_out import is_held_out, lot_of
from detectors.leaving import farewell_of
from detectors.lifecycle import level_of
from detectors.profile import churn_type_of, revenue_at_risk, stage_of
from detectors.signals import Because, Moment
from detectors.win_back import potential
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


def reasons_of(c: Customer, at: Moment, assessor: Assessor) -> list[Reason]:
    """Why the customer is leaving; of one who has left, why it left, as it was said then."""
    farewell = farewell_of(c)
    if farewell is None:
        return assessor.reasons(c, at)
    return [Reason(r.number, r.code, r.contribution, Because(r.text, r.evidence)) for r in farewell.reasons]


def kind_of(c: Customer, at: Moment, reasons: list[Reason]) -> tuple[wire.ChurnType, float]:
    """What kind of leaving this is or would be, and how likely it can be undone; as it was for one who has left."""
    farewell = farewell_of(c)
    if farewell is not None:
        return farewell.churn_type, farewell.win_back_potential
    churn_type = churn_type_of(reasons, at.policy, c)
    return churn_type, potential(c, at, churn_type)


def outcome_of(c: Customer, last: AlertState) -> wire.Outcome:
    """How a live alert ends that ends now."""
    if last.feedback == "closed":
        return cast(wire.Outcome, last.outcome)
    if last.win_back:
        return "expired" if c.left_s else "returned"
    return "churned" if c.left_s else "calm"


def revise(
    customer_id: str,
    c: Customer,
    at: Moment,
    assessor: Assessor,
    status: wire.Status,
    change: wire.Change,
    by: wire.ChangedBy,
    place: tuple[int, int],
    outcome: wire.Outcome | None = None,
    common_cause: str | None = None,
) -> wire.Alert:
    """Move the customer's alert on by one revision and return it; `place` is journal partition and offset.

    How it ends follows from the customer, unless `outcome` says it.
    """
    policy, now_s, p = assessor.policy, at.now_s, c.probability
    reasons = reasons_of(c, at, assessor)
    last, lot = c.alert, c.alert.lot if c.alert is not None else 0
    if change == "opened" or last is None:
        c.alerts += 1
        c.win_back_s = c.left_s or c.win_back_s
        last, lot = None, lot_of(policy.hold_out) or lot
        alert_id, revision, opened_s = alert_id_of(customer_id, c.alerts, now_s), 1, now_s
    else:
        alert_id, revision, opened_s = last.alert_id, last.revision + 1, last.opened_s
    if status == "resolved" and last is not None:
        outcome = outcome or outcome_of(c, last)
    churn_type, win_back = kind_of(c, at, reasons)
    held_out = last.held_out if last else is_held_out(customer_id, policy.hold_out)
    stage = stage_of(c, now_s, policy, at.quiet_s(c))
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
        trend="steady" if c.left_s else trend_of(p, last.probability if last else None),
        risk_level=level_of(p, policy.alerts),
        confidence=assessor.model.confidence,
        reasons=wire_reasons(reasons, last.contributions if last else {}, policy.alerts.reasons),
        lifecycle_stage=stage,
        churn_type=churn_type,
        win_back_potential=win_back,
        recommended_actions=actions_for(c, reasons, stage, win_back, policy),
        revenue_at_risk=revenue_at_risk(c, now_s, p, policy),
        common_cause=common_cause,
        delivery="hold_out" if held_out else "deliver",
        outcome=outcome,
        last_contact=last_contact_of(c),
        evidence_range=wire.EvidenceRange(place[0], c.first_offset, place[1]),
        model_version=assessor.model.version,
        policy_version=assessor.policy_version,
        changed_by=by,
    )
    c.alert = remembered(c, alert, at, assessor, last, lot)
    return alert


def remembered(
    c: Customer, alert: wire.Alert, at: Moment, assessor: Assessor, last: AlertState | None, lot: int
) -> AlertState:
    """What is kept of a revision that goes out; `last` is what was kept of the one before, None of a first one."""
    return AlertState(
        alert.alert_id,
        alert.revision,
        alert.status,
        last.opened_s if last else at.now_s,
        at.now_s,
        alert.risk_level,
        c.probability,
        assessor.contributions(c),
        assessor.first_reason(c),
        last.calm_since_s if last else NEVER,
        last.snoozed_until_s if last and alert.status == "snoozed" else 0,
        by_team=last is not None and last.feedback == "closed",
        outcome=alert.outcome or "",
        win_back=last.win_back if last else c.left_s != 0,
        held_out=alert.delivery == "hold_out",
        lot=lot,
    )


def last_contact_of(c: Customer) -> wire.LastContact | None:
    """The team's latest contact, as far as it was told."""
    if not c.contacted_s:
        return None
    return wire.LastContact(at=rfc3339(c.contacted_s), playbook=c.contacted, by=c.contacted_by)


def score_row(customer_id: str, c: Customer, at: Moment, assessor: Assessor) -> ScoreRow:
    """The customer's risk as last read; of one who has left also how it left, and how likely it can be won back."""
    contributions = [(n, v) for n, v in assessor.contributions(c).items() if v]
    contributions.sort(key=lambda item: (-item[1], item[0]))
    stage = stage_of(c, at.now_s, assessor.policy, at.quiet_s(c))
    row = ScoreRow(
        customer_id=customer_id,
        as_of=rfc3339(at.now_s),
        churn_probability=round(c.probability, DIGITS),
        risk_level=level_of(c.probability, assessor.policy.alerts),
        confidence=assessor.model.confidence,
        lifecycle_stage=stage,
        model_version=assessor.model.version,
        policy_version=assessor.policy_version,
        reasons=tuple(ScoreReason(assessor.by_number[n].signal.code, round(v, DIGITS)) for n, v in contributions),
    )
    if stage != "churned":
        return row
    churn_type, win_back = kind_of(c, at, reasons_of(c, at, assessor))
    return msgspec.structs.replace(row, churn_type=churn_type, win_back_potential=win_back)
