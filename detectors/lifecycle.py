"""The life of an alert.

Every transition an alert can make is in TRANSITIONS, and nowhere else: what the customer's alert is
(status) and what was found (verdict) give its next status and what is announced, if anything. `judge`
finds the verdict; it opens higher than it ends, ends only after a dwell, and rests after an end
(hysteresis), so that a probability near an edge does not flap.
"""

from typing import TYPE_CHECKING, Final

from detectors.customer import NEVER, AlertState, Customer
from detectors.policy import AlertPolicy
from schemas.alerts import Change, RiskLevel, Status

if TYPE_CHECKING:
    from detectors.assess import Assessor  # which needs the stages of life, and they this file

LEVELS: Final[tuple[RiskLevel, ...]] = ("low", "medium", "high", "critical")
STATUSES: Final = ("none", "open", "acknowledged", "snoozed", "resolved")
VERDICTS: Final = ("same", "risen", "worse", "changed", "calm", "churned", "acknowledged", "snoozed", "awake", "closed")
LIFECYCLE: Final = 0  # the number of this deadline among a customer's: signals are numbered from 1

TRANSITIONS: Final[dict[tuple[str, str], tuple[Status, Change]]] = {
    ("none", "risen"): ("open", "opened"),
    ("resolved", "risen"): ("open", "opened"),
    ("open", "worse"): ("open", "escalated"),
    ("open", "changed"): ("open", "updated"),
    ("open", "calm"): ("resolved", "resolved"),
    ("open", "churned"): ("resolved", "resolved"),
    ("open", "acknowledged"): ("acknowledged", "updated"),
    ("open", "snoozed"): ("snoozed", "updated"),
    ("open", "closed"): ("resolved", "resolved"),
    ("acknowledged", "worse"): ("acknowledged", "escalated"),
    ("acknowledged", "changed"): ("acknowledged", "updated"),
    ("acknowledged", "calm"): ("resolved", "resolved"),
    ("acknowledged", "churned"): ("resolved", "resolved"),
    ("acknowledged", "acknowledged"): ("acknowledged", "updated"),
    ("acknowledged", "snoozed"): ("snoozed", "updated"),
    ("acknowledged", "closed"): ("resolved", "resolved"),
    ("snoozed", "worse"): ("open", "escalated"),  # it got worse while nobody looked: that is news
    ("snoozed", "calm"): ("resolved", "resolved"),
    ("snoozed", "churned"): ("resolved", "resolved"),
    ("snoozed", "acknowledged"): ("acknowledged", "updated"),
    ("snoozed", "snoozed"): ("snoozed", "updated"),
    ("snoozed", "awake"): ("open", "updated"),
    ("snoozed", "closed"): ("resolved", "resolved"),
}
"""(status, verdict) → (next status, announcement); a pair that is not here changes nothing."""


def level_of(probability: float, p: AlertPolicy) -> RiskLevel:
    """Band of a probability; lower edges are inclusive.

    >>> from detectors.policy import AlertPolicy
    >>> [level_of(x, AlertPolicy()) for x in (0.05, 0.1, 0.2, 0.5)]
    ['low', 'medium', 'high', 'critical']
    """
    if probability < p.band_medium:
        return "low"
    if probability < p.band_high:
        return "medium"
    return "high" if probability < p.band_critical else "critical"


def is_churned(c: Customer) -> bool:
    """Whether the customer has left and not come back."""
    return c.churned_s > c.subscribed_s or (c.churned_s != 0 and c.churned_s == c.subscribed_s)


def status_of(c: Customer) -> str:
    """Status of the customer's newest alert, `none` where there never was one."""
    return c.alert.status if c.alert is not None else "none"


def judge(c: Customer, probability: float, assessor: "Assessor", now_s: int) -> str:
    """What is to be said of a customer whose probability is this, as a verdict.

    Changes only the alert's own marks: since when it is calm, and when to look again.
    """
    c.dues.pop(LIFECYCLE, None)
    alert, p = c.alert, assessor.policy.alerts
    if alert is None or alert.status == "resolved":
        return _judge_quiet(c, alert, probability, now_s, p)
    if is_churned(c):
        return "churned"
    if alert.feedback:
        return alert.feedback
    return _judge_live(c, alert, probability, assessor, now_s)


def _judge_quiet(c: Customer, alert: AlertState | None, probability: float, now_s: int, p: AlertPolicy) -> str:
    if is_churned(c) or probability < p.enter:
        return "same"
    # What the team has closed rests in any case: they know why.
    rests = alert is not None and (alert.by_team or probability < p.band_critical)
    if alert is not None and rests and now_s < (rested_s := alert.revised_s + p.cooldown_s):
        c.dues[LIFECYCLE] = rested_s
        return "same"
    return "risen"


def _judge_live(c: Customer, alert: AlertState, probability: float, assessor: "Assessor", now_s: int) -> str:
    p = assessor.policy.alerts
    if LEVELS.index(level_of(probability, p)) > LEVELS.index(alert.level):
        alert.calm_since_s = NEVER
        return "worse"
    look_again_s = NEVER
    if probability < p.exit:
        alert.calm_since_s = min(alert.calm_since_s, now_s)
        if now_s - alert.calm_since_s >= p.dwell_s:
            return "calm"
        look_again_s = alert.calm_since_s + p.dwell_s
    else:
        alert.calm_since_s = NEVER
    if alert.status == "snoozed":
        if now_s >= alert.snoozed_until_s:
            return "awake"
        look_again_s = min(look_again_s, alert.snoozed_until_s)
    elif abs(probability - alert.probability) >= p.update_delta or assessor.first_reason(c) != alert.first_reason:
        if now_s - alert.revised_s >= p.update_every_s:
            return "changed"
        look_again_s = min(look_again_s, alert.revised_s + p.update_every_s)
    if look_again_s < NEVER:
        c.dues[LIFECYCLE] = look_again_s
    return "same"
