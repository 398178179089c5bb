"""Every number that shapes a decision, with its reason. The environment holds none of them.

A policy is plain data: two policies with equal numbers have equal versions, whoever wrote them down.
"""

import hashlib
from typing import Literal

import msgspec

from detectors.catalogue import SignalPolicy, default_signals
from detectors.playbooks import CHURN_TYPES, PLAYBOOK_TEXT, PLAYBOOKS, WIN_BACK
from schemas.alerts import ChurnType


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
    rude_below: float = -0.3  # agent_tone, -1 to 1: under it an agent is rude, above it only curt; at most 0
    change_fresh_d: int = 30  # a change that nobody announced is on the customer's mind for a billing period


class PricePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Thresholds of the price signals."""

    quota_least: float = 0.3  # who uses less of what the plan includes pays for something else's sake
    period_least_d: int = 6  # quota reports that are closer are of one period: the shortest that is billed is a week


class ValuePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a customer's own rhythm is read."""

    feed_grace_s: int = 86_400  # a feed that says nothing of anybody for longer is taken for dead
    plan_features: dict[str, int] = {}  # how many features each plan has, where that is known
    news_grace_d: int = 14  # nobody ignores a feature before they had two weeks to come across it


class TechPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Floors under which a technical signal is noise."""

    errors_floor_per_day: float = 3.0  # an error a day is nobody's crisis
    usual_days: int = 28
    crash_burst_per_day: int = 3  # one crash is an accident, three on a day are what people remember
    contact_within_h: int = 48  # a contact this soon after an error is about it


class ExitPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What each look at the exit counts."""

    cancel_page: float = 1.0
    data_export: float = 1.0
    integration_removed: float = 1.0
    auto_renew_off: float = 2.0
    said_leaving: float = 2.0


class MarketingPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When an offer counts as ignored."""

    offer_open_d: int = 14  # mail that was not answered in two weeks will not be


class LoyaltyPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From when on loyalty wants to be seen."""

    tenure_months: float = 12.0  # who has been here for a year expects that it is noticed
    newcomer_tenure_months: float = 6.0  # before, one is a newcomer oneself
    newcomer_cut_full: float = 0.30  # as much cheaper than the own price counts in full, as for a competitor's price


class QualityPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a customer's own past is, to compare quality with."""

    prior_d: int = 84  # twelve weeks before the window
    prior_least_d: int = 28  # a shorter past is none
    faults_floor: float = 2.0  # per window: a fault in two weeks is nobody's decline


class AvailabilityPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an unavailable item counts, by what the business did about it."""

    nothing: float = 1.0  # sent away with nothing is the worst answer
    deferred: float = 0.5  # a date is something, and still not the thing
    alternative: float = 0.3
    partner: float = 0.2  # the customer leaves with what they came for


class OnboardingPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a good beginning is."""

    trial_d: float = 14.0  # where the trial does not say when it ends
    lead_d: float = 30.0  # a name left a month ago was not a plan
    active_days: int = 3  # activated: came back twice …
    features: int = 2  # … and found more than one thing to do, where features are reported
    low_after_d: int = 7  # a customer who is not activated a week after the purchase begins to doubt it
    word_after_d: int = 7  # and so does one who was not welcomed by then


class LifePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long the product is expected to be of use to a customer, in days: X, to be measured and set by plan."""

    useful_life_d: float = 1_095.0  # three years: what it was bought for has mostly changed by then
    useful_life_d_by_plan: dict[str, float] = {}


class StagePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the stages of a customer's life begin, in days."""

    onboarding_d: int = 30
    mature_d: int = 365
    renewal_window_d: int = 60


class RevenuePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a customer who leaves is taken to cost."""

    currency: str = "EUR"
    months_remaining: float = 12.0  # where no contract end says otherwise


# Which event types are not left to the next tick: whoever acts on them is waiting.
URGENT = (
    "billing.subscription.cancelled",
    "billing.auto_renew.disabled",
    "usage.cancel_page.viewed",
    "retention.alert.acknowledged",
    "retention.alert.snoozed",
    "retention.alert.resolved",
)


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
    price: PricePolicy = PricePolicy()
    value: ValuePolicy = ValuePolicy()
    tech: TechPolicy = TechPolicy()
    exit: ExitPolicy = ExitPolicy()
    marketing: MarketingPolicy = MarketingPolicy()
    loyalty: LoyaltyPolicy = LoyaltyPolicy()
    quality: QualityPolicy = QualityPolicy()
    availability: AvailabilityPolicy = AvailabilityPolicy()
    onboarding: OnboardingPolicy = OnboardingPolicy()
    life: LifePolicy = LifePolicy()
    stages: StagePolicy = StagePolicy()
    revenue: RevenuePolicy = RevenuePolicy()
    signals: dict[str, SignalPolicy] = msgspec.field(default_factory=default_signals)
    urgent: tuple[str, ...] = URGENT
    churn_types: dict[str, ChurnType] = msgspec.field(default_factory=lambda: dict(CHURN_TYPES))
    win_back: dict[ChurnType, float] = msgspec.field(default_factory=lambda: dict(WIN_BACK))
    playbooks: dict[str, tuple[str, ...]] = msgspec.field(default_factory=lambda: dict(PLAYBOOKS))
    playbook_text: dict[str, str] = msgspec.field(default_factory=lambda: dict(PLAYBOOK_TEXT))

    @property
    def version(self) -> str:
        """`name` and eight hex digits of the numbers, so that a change cannot go unseen."""
        return f"{self.name}-{hashlib.sha256(msgspec.json.encode(self, order='sorted')).hexdigest()[:8]}"
