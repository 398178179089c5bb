"""The life of an alert.

Every transition an alert can make is in TRANSITIONS, and nowhere else: what the customer's alert is
(status) and what was found (verdict) give its next status and what is announced, if anything. `judge`
finds the verdict; it opens higher than it ends, ends only after a dwell, and rests after an end
(hysteresis), so that a probability near an edge does not flap.
"""

from typing import TYPE_CHECKING, Final

from detectors.customer import NEVER, AlertState, Customer
from detectors.leaving import farewell_of
from detectors.policy import AlertPolicy, Policy
from detectors.win_back import closes_s, is_wanted, opens_s
from schemas.alerts import Change, RiskLevel, Status

if TYPE_CHECKING:
    from detectors.assess import Assessor  # which needs the stages of life, and they this file

LEVELS: Final[tuple[RiskLevel, ...]] = ("low", "medium", "high", "critical")
STATUSES: Final = ("none", "open", "acknowledged", "snoozed", "resolved")
VERDICTS: Final = (
    "same",
    "risen",  # a live risk worth an alert
    "win_back",  # gone, and worth an alert about winning it back
    "worse",
    "changed",
    "calm",
    "churned",
    "returned",
    "expired",  # not won back in the time there was for it
    "acknowledged",
    "snoozed",
    "contacted",
    "awake",
    "closed",
)
LIVE: Final = ("open", "acknowledged", "snoozed")
ENDS: Final = ("calm", "churned", "returned", "expired", "closed")
LIFECYCLE: Final = 0  # the number of this deadline among a customer's: signals are numbered from 1

TRANSITIONS: Final[dict[tuple[str, str], tuple[Status, Change]]] = {
    **{(rest, rise): ("open", "opened") for rest in ("none", "resolved") for rise in ("risen", "win_back")},
    **{(live, end): ("resolved", "resolved") for live in LIVE for end in ENDS},
    **{(live, "acknowledged"): ("acknowledged", "updated") for live in LIVE},
    **{(live, "snoozed"): ("snoozed", "updated") for live in LIVE},
    ("open", "worse"): ("open", "escalated"),
    ("open", "changed"): ("open", "updated"),
    ("open", "contacted"): ("open", "updated"),
    ("acknowledged", "worse"): ("acknowledged", "escalated"),
    ("acknowledged", "changed"): ("acknowledged", "updated"),
    ("acknowledged", "contacted"): ("acknowledged", "updated"),
    ("snoozed", "worse"): ("open", "escalated"),  # it got worse while nobody looked: that is news
    ("snoozed", "contacted"): ("snoozed", "updated"),
    ("snoozed", "awake"): ("open", "updated"),
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


def status_of(c: Customer) -> str:
    """Status of the customer's newest alert, `none` where there never was one."""
    return c.alert.status if c.alert is not None else "none"


def is_awake(c: Customer, now_s: int) -> bool:
    """Whether the customer's alert was snoozed until a time that has come."""
    return c.alert is not None and c.alert.status == "snoozed" and now_s >= c.alert.snoozed_until_s


def judge(c: Customer, probability: float, assessor: "Assessor", now_s: int) -> str:
    """What is to be said of a customer whose probability is this, as a verdict.

    Changes only the alert's own marks: since when it is calm, and when to look again.
    """
    c.dues.pop(LIFECYCLE, None)
    alert = c.alert
    if c.left_s:
        return _judge_left(c, alert, assessor.policy, now_s)
    if alert is None or alert.status == "resolved":
        return _judge_quiet(c, alert, probability, assessor, now_s)
    if alert.win_back:
        return "returned"
    if alert.feedback:
        return alert.feedback
    return _judge_live(c, alert, probability, assessor, now_s)


def _judge_left(c: Customer, alert: AlertState | None, policy: Policy, now_s: int) -> str:
    if alert is not None and alert.status != "resolved":
        if not alert.win_back:
            return "churned"
        if alert.feedback:
            return alert.feedback
        ends_s = closes_s(c, policy)
        if now_s >= ends_s:
            return "expired"
        if alert.status == "snoozed":
            if now_s >= alert.snoozed_until_s:
                return "awake"
            ends_s = min(ends_s, alert.snoozed_until_s)
        c.dues[LIFECYCLE] = ends_s
        return "same"
    farewell = farewell_of(c)
    if farewell is None or not is_wanted(c, farewell, policy) or now_s >= closes_s(c, policy):
        return "same"
    if now_s < opens_s(c, policy):
        c.dues[LIFECYCLE] = opens_s(c, policy)
        return "same"
    return "win_back"


def rests_until_s(alert: AlertState, level: RiskLevel, p: AlertPolicy) -> int:
    """Until when no alert opens after one that ended, for a customer who is now at this level; 0 for at once.

    What the team has closed rests unless it is worse than what they knew; what ended by itself unless it is critical.
    """
    if alert.win_back:
        return 0
    if alert.by_team:
        if LEVELS.index(level) > LEVELS.index(alert.level):
            return 0
        return alert.revised_s + (p.no_risk_cooldown_s if alert.outcome == "no_risk" else p.cooldown_s)
    return 0 if level == "critical" else alert.revised_s + p.cooldown_s


def _judge_quiet(c: Customer, alert: AlertState | None, probability: float, assessor: "Assessor", now_s: int) -> str:
    p = assessor.policy.alerts
    risk = assessor.risk(c, probability)
    if risk < p.enter:
        return "same"
    if assessor.mark and p.learned_share and not assessor.has_reason(c):
        return "same"  # what a learned model knows besides is no reason that anybody could act on
    if alert is not None and now_s < (rested_s := rests_until_s(alert, level_of(risk, p), p)):
        c.dues[LIFECYCLE] = rested_s
        return "same"
    return "risen"


def _judge_live(c: Customer, alert: AlertState, probability: float, assessor: "Assessor", now_s: int) -> str:
    p = assessor.policy.alerts
    is_worse = LEVELS.index(level_of(probability, p)) > LEVELS.index(alert.level)
    risen = probability - alert.probability - alert.ruled_by
    if is_worse or (alert.status == "snoozed" and risen >= p.wake_delta):
        alert.calm_since_s = NEVER
        return "worse"
    look_again_s = NEVER
    if assessor.risk(c, probability) < p.exit:
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
