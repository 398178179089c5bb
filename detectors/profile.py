"""Who is leaving: stage of life, price in force, kind of leaving, what is at stake."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from detectors import kinds
from detectors.customer import DAY_S, Customer
from detectors.leaving import has_cancelled, has_left
from detectors.policy import Policy
from detectors.signals.price import price_trail
from schemas.alerts import ChurnType, LifecycleStage, RevenueAtRisk

if TYPE_CHECKING:
    from detectors.assess import Reason  # which needs the stages of this file

MONTH_S = 30.4375 * DAY_S


def stage_of(c: Customer, now_s: int, policy: Policy, lost_s: int = 0) -> LifecycleStage:
    """Where in its life the customer is; `lost_s` of the time since its last activity say nothing about it.

    A first month is onboarding also where the contract is short; one who is back is as old as at first.

    >>> stage_of(Customer(started_s=1, first_s=1), 40 * DAY_S, Policy())
    'active'
    """
    if has_left(c, now_s, policy, lost_s):
        return "churned"
    if not c.started_s and not c.subscribed_s and c.lead_s:
        return "lead"
    if c.trial_s and not c.started_s:
        return "trial"
    p = policy.stages
    tenure_s = now_s - (c.started_s or c.first_s)
    if c.started_s and tenure_s < p.onboarding_d * DAY_S:
        return "onboarding"
    if 0 < c.contract_ends_s - now_s <= p.renewal_window_d * DAY_S:
        return "at_renewal"
    return "mature" if tenure_s >= p.mature_d * DAY_S else "active"


def active_life_d(c: Customer) -> int | None:
    """Days from first use to last use; None of one who has used nothing yet.

    >>> active_life_d(Customer(first_used_day=100, used_day=130)), active_life_d(Customer())
    (30, None)
    """
    return c.used_day - c.first_used_day if c.used_day else None


def churn_type_of(reasons: "Sequence[Reason]", policy: Policy, c: Customer | None = None) -> ChurnType:
    """The kind of leaving that the group with the largest contribution stands for; of two, that of the first reason.

    Whoever was cancelled against its will left involuntarily, whatever else there was.
    """
    if c is not None and not c.voluntary and has_cancelled(c, policy.churn):
        return "involuntary"
    by_group: dict[str, float] = {}
    for reason in reasons:
        group = reason.code.split(".", 1)[0]
        by_group[group] = by_group.get(group, 0.0) + reason.contribution
    # What was thought to protect may turn out to harm: a reason, but no kind of leaving.
    kinds_of = policy.churn_types
    harmful = [(contribution, group) for group, contribution in by_group.items() if contribution > 0]
    known = [(contribution, group) for contribution, group in harmful if group in kinds_of]
    return kinds_of[max(known, key=lambda g: g[0])[1]] if known else "drifting"


def mrr_of(c: Customer, now_s: int) -> float | None:
    """Monthly revenue in the customer's currency: the price in force, or the mean of its orders; None if unknown."""
    trail = price_trail(c, now_s)
    if trail:
        return trail[-1].value / 100
    orders = [p for p in c.points.get(kinds.ORDERED, ()) if now_s - p.time_s <= 365 * DAY_S]
    if not orders:
        return None
    months = max(1.0, (now_s - orders[0].time_s) / MONTH_S)
    return round(sum(p.value for p in orders) / 100 / months, 2)


def revenue_at_risk(c: Customer, now_s: int, churn_probability: float, policy: Policy) -> RevenueAtRisk | None:
    """What is lost, in expectation, if the customer leaves."""
    mrr = mrr_of(c, now_s)
    if mrr is None:
        return None
    ahead_s = c.contract_ends_s - now_s
    months = ahead_s / MONTH_S if ahead_s > 0 else policy.revenue.months_remaining
    loss = round(mrr * churn_probability * months, 2)
    return RevenueAtRisk(mrr=mrr, currency=c.currency or policy.revenue.currency, expected_loss=loss)
