"""Every number that shapes a decision, with its reason. The environment holds none of them.

A policy is plain data: two policies with equal numbers have equal versions, whoever wrote them down.
"""

import hashlib
import math
import tomllib
from itertools import pairwise
from typing import Any, Literal

import msgspec

from schemas.alerts import ChurnType

STRONG, MEDIUM, WEAK = 1.6, 0.8, 0.4  # log-odds at full strength: odds × 5, × 2.2, × 1.5


class PolicyError(ValueError):
    """The policy text says something that cannot be meant; the message names the key."""


class SignalPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """How one signal is read: strength 0 at `from`, 1 at `to`, linear between; `prior` in log-odds."""

    from_: float
    to: float
    prior: float
    window_d: int = 0  # rolling window in UTC days; 0 where the signal has no window
    at_least: float = 0.0  # below this much data the signal is unknown

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.from_, self.to, self.prior, self.at_least))):
            raise ValueError("every number must be finite")
        if self.from_ == self.to:
            raise ValueError("`from` and `to` must differ")
        if self.window_d < 0:
            raise ValueError("`window_d` must not be negative")


class ChurnPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What counts as having left, and how far ahead the probability looks."""

    horizon_days: int = 30
    definition: Literal["auto", "explicit", "inactivity"] = "auto"
    inactivity_days: int = 90
    inactivity_gap_factor: float = 3.0
    landmark_days: int = 7  # how often a probability is written down to be judged by the outcome
    base_rate: float = 0.05  # share that leaves within the horizon when nothing is known of a customer


class AlertPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When an alert opens, changes and ends (hysteresis: it opens higher than it ends)."""

    enter: float = 0.20  # one strong signal in full, or two middling ones, above the base rate
    exit: float = 0.12  # well under `enter`, so that a probability near the edge does not flap
    dwell_s: int = 86_400  # it must stay under `exit` this long before the alert ends by itself
    cooldown_s: int = 7 * 86_400  # after an alert ended, none opens for this long unless it is critical
    update_delta: float = 0.05  # a smaller move of the probability is not news
    update_every_s: int = 6 * 3_600  # at most one plain update in this time; escalations go at once
    reasons: int = 5
    band_medium: float = 0.10  # lower edges, inclusive
    band_high: float = 0.20
    band_critical: float = 0.50
    score_delta: float = 0.01  # a smaller move is not written to churn.scores
    budget_per_week_per_1000: float = 20.0  # alerts a retention team can act on; precision is judged at it


class ServicePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Thresholds of the service signals."""

    abandon_after_s: float = 30.0  # a caller who hangs up sooner did not wait
    sla_hours: float = 48.0  # where the ticket names none
    csat_bad: int = 2  # 1-5, at or below
    nps_bad: int = 6  # 0-10, at or below: a detractor
    csat_good: int = 4
    newest_weight: float = 1.5  # the newest rating counts this much, older ones 1
    recovered_within_d: int = 180


class ValuePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a customer's own rhythm is read."""

    feed_grace_s: int = 86_400  # a feed that says nothing of anybody for longer is taken for dead


class TechPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Floors under which a technical signal is noise."""

    errors_floor_per_day: float = 3.0  # an error a day is nobody's crisis
    usual_days: int = 28


class ExitPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What each look at the exit counts."""

    cancel_page: float = 1.0
    data_export: float = 1.0
    integration_removed: float = 1.0
    auto_renew_off: float = 2.0
    said_leaving: float = 2.0


class StagePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the stages of a customer's life begin, in days."""

    onboarding_d: int = 30
    mature_d: int = 365
    renewal_window_d: int = 60


class RevenuePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a customer who leaves is taken to cost."""

    currency: str = "EUR"
    months_remaining: float = 12.0  # where no contract end says otherwise


def _signals() -> dict[str, SignalPolicy]:
    s = SignalPolicy
    return {
        "service.call_abandoned": s(0.2, 0.6, MEDIUM, 30, at_least=2),
        "service.unresolved": s(1, 4, STRONG, 60),
        "service.repeat_contact": s(2, 4, STRONG, 14),
        "service.bad_rating": s(1, 2, MEDIUM, 60),
        "price.increase": s(0.03, 0.25, STRONG, 365),
        "billing.payment_trouble": s(1, 3, STRONG, 45),
        "value.usage_drop": s(-0.3, -0.8, STRONG, 7, at_least=8),
        "value.silence": s(2, 6, STRONG),
        "tech.error_burst": s(3, 10, MEDIUM),
        "tech.crashes": s(0.02, 0.15, MEDIUM, 7, at_least=5),
        "exit.intent": s(1, 4, STRONG, 30),
        "exit.contract_window": s(60, 7, MEDIUM),
        "relationship.billed_in_silence": s(6, 18, MEDIUM),
        "protect.recovered": s(0, 1, -MEDIUM, 180),
    }


# The longest window that a state can answer: it keeps the newest days only (detectors.kinds.DAYS_KEPT).
WINDOW_MAX_D = {"tech.crashes": 7, "service.call_abandoned": 31, "value.usage_drop": 9}

# Which event types are not left to the next tick: whoever acts on them is waiting.
URGENT = (
    "billing.subscription.cancelled",
    "billing.auto_renew.disabled",
    "usage.cancel_page.viewed",
    "retention.alert.acknowledged",
    "retention.alert.snoozed",
    "retention.alert.resolved",
)

CHURN_TYPES: dict[str, ChurnType] = {  # signal group → what kind of leaving it is; `billing` is the payment that fails
    "billing": "involuntary",
    "service": "service",
    "promise": "service",
    "fairness": "price",
    "price": "price",
    "marketing": "unrecognised",
    "loyalty": "unrecognised",
    "relationship": "unrecognised",
    "value": "drifting",
    "quality": "product",
    "tech": "product",
    "availability": "product",
    "exit": "competitor",
    "onboarding": "never_activated",
    "lead": "never_activated",
    "lifecycle": "drifting",
}

WIN_BACK: dict[ChurnType, float] = {  # day-0 potential by type, from the catalogue: high, middle, low-middle, low
    "involuntary": 0.8,
    "service": 0.8,
    "unrecognised": 0.8,
    "price": 0.5,
    "product": 0.5,
    "competitor": 0.35,
    "never_activated": 0.2,
    "drifting": 0.2,
}

PLAYBOOKS = {  # signal group → what to do, best first
    "billing": ("update_payment_method", "call_back_and_own_it"),
    "service": ("call_back_and_own_it", "resolve_oldest_ticket", "apologise_and_compensate"),
    "promise": ("apologise_and_compensate", "call_back_and_own_it"),
    "fairness": ("explain_bill_and_fix_fee", "apologise_and_compensate"),
    "price": ("right_size_plan", "match_newcomers_offer", "explain_bill_and_fix_fee"),
    "marketing": ("give_before_asking",),
    "loyalty": ("give_before_asking", "match_newcomers_offer"),
    "relationship": ("give_before_asking", "invite"),
    "value": ("show_fitting_feature", "give_before_asking"),
    "quality": ("proactive_incident_note", "call_back_and_own_it"),
    "tech": ("proactive_incident_note", "resolve_oldest_ticket"),
    "availability": ("offer_alternative",),
    "exit": ("renewal_talk", "call_back_and_own_it"),
    "onboarding": ("show_fitting_feature", "invite"),
    "lead": ("show_fitting_feature", "invite"),
    "lifecycle": ("give_before_asking", "invite"),
}

PLAYBOOK_TEXT = {
    "call_back_and_own_it": "Call back, own the problem, and stay with it until it is solved.",
    "resolve_oldest_ticket": "Resolve the oldest open ticket now.",
    "apologise_and_compensate": "Apologise and make good what went wrong.",
    "explain_bill_and_fix_fee": "Explain the bill line by line and fix what should not be on it.",
    "match_newcomers_offer": "Give this customer at least what newcomers are offered.",
    "right_size_plan": "Offer the plan that fits what is really used.",
    "give_before_asking": "Give something useful (a tip, training, a benefit) before asking for anything.",
    "invite": "Invite to an event or a launch.",
    "show_fitting_feature": "Show the feature that fits what this customer does.",
    "proactive_incident_note": "Say what broke, since when, and when it will be fixed, before being asked.",
    "offer_alternative": "Offer an alternative, a partner or a bridge for what is unavailable.",
    "update_payment_method": "Help to update the payment method; retry the payment gently.",
    "renewal_talk": "Talk about the renewal now, with an open question first.",
    "win_back_offer": "Make a win-back offer that answers the reason for leaving.",
    "leave_in_peace": "Leave in peace; keep the door open.",
}


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of the above.

    >>> Policy().alerts.enter
    0.2
    >>> Policy().version == Policy().version
    True
    """

    name: str = "default"
    churn: ChurnPolicy = ChurnPolicy()
    alerts: AlertPolicy = AlertPolicy()
    service: ServicePolicy = ServicePolicy()
    value: ValuePolicy = ValuePolicy()
    tech: TechPolicy = TechPolicy()
    exit: ExitPolicy = ExitPolicy()
    stages: StagePolicy = StagePolicy()
    revenue: RevenuePolicy = RevenuePolicy()
    signals: dict[str, SignalPolicy] = msgspec.field(default_factory=_signals)
    urgent: tuple[str, ...] = URGENT
    churn_types: dict[str, ChurnType] = msgspec.field(default_factory=lambda: dict(CHURN_TYPES))
    win_back: dict[ChurnType, float] = msgspec.field(default_factory=lambda: dict(WIN_BACK))
    playbooks: dict[str, tuple[str, ...]] = msgspec.field(default_factory=lambda: dict(PLAYBOOKS))
    playbook_text: dict[str, str] = msgspec.field(default_factory=lambda: dict(PLAYBOOK_TEXT))

    @property
    def version(self) -> str:
        """`name` and eight hex digits of the numbers, so that a change cannot go unseen."""
        return f"{self.name}-{hashlib.sha256(msgspec.json.encode(self, order='sorted')).hexdigest()[:8]}"


def parse_policy(text: str) -> Policy:
    """Read a policy from TOML; keys that are not given keep their default.

    Raises:
        PolicyError: the text is not TOML, names an unknown key, or holds a number out of range.

    >>> parse_policy("[alerts]\\nenter = 0.3").alerts.enter
    0.3
    >>> parse_policy("[alerts]\\nentre = 0.3")
    Traceback (most recent call last):
    detectors.policy.PolicyError: Object contains unknown field `entre` - at `$.alerts`
    """
    try:
        given: dict[str, Any] = tomllib.loads(text)
        merged = _merge(msgspec.to_builtins(Policy()), given)
        policy = msgspec.convert(merged, Policy)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, ValueError) as error:
        raise PolicyError(str(error)) from None
    _check(policy)
    return policy


def _merge(base: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    out = dict(base)
    for key, value in given.items():
        old = out.get(key)
        out[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return out


def _check(policy: Policy) -> None:
    known = _signals().keys()
    for code in policy.signals:
        if code not in known:
            raise PolicyError(f"signals.{code}: there is no such signal")
        if policy.signals[code].window_d > WINDOW_MAX_D.get(code, 10_000):
            raise PolicyError(f"signals.{code}.window_d: at most {WINDOW_MAX_D[code]}, more is not remembered")
    a, c = policy.alerts, policy.churn
    edges = (0.0, a.band_medium, a.band_high, a.band_critical, 1.0)
    if any(low >= high for low, high in pairwise(edges)):
        raise PolicyError("alerts.band_*: the bands must rise from medium to critical, between 0 and 1")
    if not 0 < a.exit <= a.enter < 1:
        raise PolicyError("alerts: 0 < exit <= enter < 1 must hold")
    if not 0 < c.base_rate < 1:
        raise PolicyError("churn.base_rate: must lie between 0 and 1")
    if c.horizon_days < 1:
        raise PolicyError("churn.horizon_days: must be at least 1")
