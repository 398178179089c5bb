"""Every number that shapes a decision, with its reason. The environment holds none of them.

A policy is plain data: two policies with equal numbers have equal versions, whoever wrote them down.
"""

import hashlib
from typing import Annotated, Any, Final, Literal

import msgspec

from detectors.catalogue import SignalPolicy, default_signals
from detectors.playbooks import CHURN_TYPES, PLAYBOOK_TEXT, PLAYBOOKS, STAGE_PLAYBOOKS
from detectors.policy_care import BudgetPolicy, HoldOutPolicy, PrivacyPolicy, WinBackPolicy
from detectors.policy_learning import LearningPolicy
from schemas.alerts import ChurnType, LifecycleStage

NAME: Final = msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")


def why(text: str, **bounds: Any) -> msgspec.Meta:
    """The reason of a number, as its description, and the bounds between which it can be meant.

    A key without one fails a test: the policy file is made from these.
    """
    meta: msgspec.Meta = msgspec.Meta(description=text, **bounds)
    return meta


class ChurnPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What counts as having left, and how far ahead the probability looks."""

    horizon_days: Annotated[int, why("the probability is that of leaving within so many days", ge=1, le=3_650)] = 30
    definition: Annotated[
        Literal["auto", "explicit", "inactivity"],
        why("explicit: by the cancellation; inactivity: by silence; auto: inactivity for those known by orders alone"),
    ] = "auto"
    inactivity_days: Annotated[int, why("silent for longer than this many days, and …", ge=1)] = 90
    inactivity_gap_factor: Annotated[float, why("… than this many times the own usual gap: gone", gt=0)] = 3.0
    landmark_days: Annotated[int, why("how often a probability is written down to be judged by the outcome", ge=1)] = 7
    base_rate: Annotated[
        float, why("share that leaves within the horizon when nothing is known of a customer", gt=0, lt=1)
    ] = 0.05


class AlertPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When an alert opens, changes and ends (hysteresis: it opens higher than it ends)."""

    enter: Annotated[float, why("one strong signal nearly in full, or two middling ones", gt=0, lt=1)] = 0.17
    exit: Annotated[float, why("well under `enter`, so that what is near the edge does not flap", gt=0, lt=1)] = 0.12
    learned_share: Annotated[
        float,
        why(
            "of what `enter` and `exit` are held against; the rest is the catalogue's. Measure before you raise it",
            ge=0,
            le=1,
        ),
    ] = 0.0
    dwell_s: Annotated[int, why("it must stay under `exit` this long before the alert ends by itself", ge=0)] = 86_400
    cooldown_s: Annotated[int, why("after an alert ended, none opens for this long unless it is critical", ge=0)] = (
        7 * 86_400
    )
    no_risk_cooldown_s: Annotated[
        int, why("the same after the team said that there is no risk, for they know more; a higher level ends it", ge=0)
    ] = 30 * 86_400
    wake_delta: Annotated[
        float,
        why("a snoozed alert wakes when the probability rose by this much, within its level too", gt=0, le=1),
    ] = 0.10
    update_delta: Annotated[float, why("a smaller move of the probability is not news", ge=0, le=1)] = 0.05
    update_every_s: Annotated[int, why("at most one plain update in this time; escalations go at once", ge=0)] = (
        24 * 3_600
    )
    reasons: Annotated[int, why("how many reasons an alert names, strongest first", ge=1, le=5)] = 5
    reason_least: Annotated[float, why("log-odds; what adds less is no reason to act on", ge=0)] = 0.05
    action_share: Annotated[
        float,
        why("of the strongest reason: what adds less brings no playbook, as the team has one call to make", ge=0, le=1),
    ] = 0.25
    band_medium: Annotated[float, why("lower edge of medium, inclusive", gt=0, lt=1)] = 0.10
    band_high: Annotated[float, why("lower edge of high, inclusive", gt=0, lt=1)] = 0.17
    band_critical: Annotated[float, why("lower edge of critical, inclusive", gt=0, lt=1)] = 0.50
    score_delta: Annotated[float, why("a smaller move is not written to churn.scores", ge=0, le=1)] = 0.01
    budget_per_week_per_1000: Annotated[
        float, why("alerts a retention team can act on; precision is judged at it", gt=0)
    ] = 20.0


class ServicePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Thresholds of the service signals."""

    abandon_after_s: Annotated[float, why("a caller who hangs up sooner did not wait", ge=0)] = 30.0
    sla_hours: Annotated[float, why("time to solve a ticket, where it names none", gt=0)] = 48.0
    csat_bad: Annotated[int, why("1-5, at or below", ge=1, le=5)] = 2
    nps_bad: Annotated[int, why("0-10, at or below: a detractor", ge=0, le=10)] = 6
    csat_good: Annotated[int, why("1-5, at or above", ge=1, le=5)] = 4
    nps_good: Annotated[int, why("0-10, at or above: a promoter", ge=0, le=10)] = 9
    newest_weight: Annotated[float, why("the newest rating counts this much, older ones 1", gt=0)] = 1.5
    recovered_within_d: Annotated[int, why("dissatisfied, then well served, both within so many days", ge=1)] = 180
    rude_below: Annotated[
        float, why("agent_tone, -1 to 1: under it an agent is rude, above it only curt", ge=-1, le=0)
    ] = -0.3
    change_fresh_d: Annotated[
        int, why("a change that nobody announced is on the customer's mind for a billing period", ge=0)
    ] = 30


class PricePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Thresholds of the price signals."""

    quota_least: Annotated[
        float, why("who uses less of what the plan includes pays for something else's sake", ge=0, le=1)
    ] = 0.3
    period_least_d: Annotated[
        int, why("quota reports that are closer are of one period: the shortest that is billed is a week", ge=0)
    ] = 6


class ValuePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a customer's own rhythm is read."""

    feed_grace_s: Annotated[int, why("a feed that says nothing of anybody for longer is taken for dead", ge=0)] = 86_400
    plan_features: Annotated[
        dict[str, Annotated[int, msgspec.Meta(ge=1)]], why("plan → how many features it has, where that is known")
    ] = {}
    gap_least_d: Annotated[
        float, why("who comes every day goes on holiday too: two weeks are little, five weeks are a silence", ge=0)
    ] = 6.0
    drop_lasts_d: Annotated[
        int, why("less use for up to two weeks is mostly a holiday: a drop counts once it lasted longer", ge=0, le=14)
    ] = 14
    news_grace_d: Annotated[int, why("nobody ignores a feature before they had two weeks to come across it", ge=0)] = 14


class TechPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Floors under which a technical signal is noise."""

    errors_floor_per_day: Annotated[float, why("an error a day is nobody's crisis", gt=0)] = 3.0
    usual_days: Annotated[int, why("days that make a customer's usual day", ge=1)] = 28
    crash_burst_per_day: Annotated[
        int, why("one crash is an accident, three on a day are what people remember", ge=1)
    ] = 3
    crashes_least: Annotated[int, why("one crash among few sessions is a high rate, and an accident", ge=1)] = 2
    contact_within_h: Annotated[int, why("a contact this soon after an error is about it", ge=0)] = 48


class IncidentPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When what happens to many customers is one cause and not many (detectors.incidents)."""

    at_least: Annotated[int, why("customers of a journal partition within an hour; fewer may be chance", ge=2)] = 8
    share: Annotated[float, why("and this share of them; of many customers, more rise by chance", gt=0, le=1)] = 0.02
    strength: Annotated[float, why("at which a signal counts as risen: under it, it is noise", gt=0, le=1)] = 0.25
    quiet_s: Annotated[int, why("it ends when it rose for nobody for so long; a pause is no end", ge=300)] = 2 * 3_600
    touches_s: Annotated[
        int, why("so long alerts bear its id, or wait for it: faults are counted over four weeks", ge=300)
    ] = 29 * 86_400
    own_faults: Annotated[
        int, why("so many of a customer's own within a week after it, and an alert waits for it no longer", ge=1)
    ] = 3


class ExitPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What each look at the exit counts."""

    cancel_page: Annotated[float, why("looking is not leaving", ge=0)] = 1.0
    data_export: Annotated[float, why("may be a backup", ge=0)] = 1.0
    integration_removed: Annotated[float, why("may be a change of tools", ge=0)] = 1.0
    auto_renew_off: Annotated[float, why("a decision, not a look", ge=0)] = 2.0
    said_leaving: Annotated[float, why("said to a person", ge=0)] = 2.0


class MarketingPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When an offer counts as ignored."""

    offer_open_d: Annotated[int, why("mail that was not answered in two weeks will not be", ge=1)] = 14


class LoyaltyPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From when on loyalty wants to be seen."""

    tenure_months: Annotated[float, why("who has been here for a year expects that it is noticed", ge=0)] = 12.0
    newcomer_tenure_months: Annotated[float, why("before, one is a newcomer oneself", ge=0)] = 6.0
    newcomer_cut_full: Annotated[
        float, why("as much cheaper than the own price counts in full, as for a competitor's price", gt=0)
    ] = 0.30


class QualityPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a customer's own past is, to compare quality with."""

    prior_d: Annotated[int, why("twelve weeks before the window", ge=1)] = 84
    prior_least_d: Annotated[int, why("a shorter past is none", ge=1)] = 28
    faults_floor: Annotated[float, why("per window: a fault in two weeks is nobody's decline", gt=0)] = 2.0


class AvailabilityPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an unavailable item counts, by what the business did about it."""

    nothing: Annotated[float, why("sent away with nothing is the worst answer", ge=0)] = 1.0
    deferred: Annotated[float, why("a date is something, and still not the thing", ge=0)] = 0.5
    alternative: Annotated[float, why("something like it", ge=0)] = 0.3
    partner: Annotated[float, why("the customer leaves with what they came for", ge=0)] = 0.2


class OnboardingPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a good beginning is."""

    trial_d: Annotated[float, why("where the trial does not say when it ends", gt=0)] = 14.0
    lead_d: Annotated[float, why("a name left a month ago was not a plan", gt=0)] = 30.0
    active_days: Annotated[int, why("activated: came back twice …", ge=1)] = 3
    features: Annotated[int, why("… and found more than one thing to do, where features are reported", ge=1)] = 2
    low_after_d: Annotated[
        int, why("a customer who is not activated a week after the purchase begins to doubt it", ge=1)
    ] = 7
    word_after_d: Annotated[int, why("and so does one who was not welcomed by then", ge=1)] = 7


class LifePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long the product is expected to be of use to a customer, in days: X, to be measured and set by plan."""

    useful_life_d: Annotated[float, why("three years: what it was bought for has mostly changed by then", gt=0)] = (
        1_095.0
    )
    useful_life_d_by_plan: Annotated[
        dict[str, Annotated[float, msgspec.Meta(gt=0)]], why("plan → the same, where it is another")
    ] = {}
    learned: Annotated[
        bool,
        why(
            "whether it is the age by which half of a plan (of all) have left, once that is known; a number given for "
            "a plan stays. It moves `lifecycle.past_optimum` with each model: measure before you set it"
        ),
    ] = False
    learned_least: Annotated[
        int, why("customers of a plan who left, and were watched, before half of it is known", ge=10)
    ] = 100


class StagePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the stages of a customer's life begin, in days."""

    onboarding_d: Annotated[int, why("so long after the first purchase", ge=0)] = 30
    mature_d: Annotated[int, why("a year: every season was seen once", ge=1)] = 365
    renewal_window_d: Annotated[int, why("so long before the contract ends it is up for renewal", ge=0)] = 60


class RevenuePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a customer who leaves is taken to cost."""

    currency: Annotated[str, why("ISO 4217, where an event names none"), msgspec.Meta(pattern="^[A-Z]{3}$")] = "EUR"
    months_remaining: Annotated[float, why("months lost, where no contract end says otherwise", ge=0)] = 12.0


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which customers a profile is for: all that is given must hold."""

    plan: Annotated[str, why("the plan in force")] | None = None
    stage: Annotated[LifecycleStage, why("the stage of life")] | None = None
    channel: Annotated[str, why("how the customer was won (`acquired_via`)")] | None = None
    currency: Annotated[str, why("what the customer pays in: the market")] | None = None


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Weights for some customers: by plan, segment or stage. Of several that match, the first counts."""

    match: Annotated[Match, why("which customers: plan, stage, channel, currency; all that is given must hold")]
    weights: Annotated[dict[str, float], why("signal = log-odds at full strength, instead of what the model says")]


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
    0.17
    >>> Policy().version == Policy().version
    True
    """

    name: Annotated[str, why("what people call it: the first half of its version"), NAME] = "default"
    churn: ChurnPolicy = ChurnPolicy()
    learning: LearningPolicy = LearningPolicy()
    alerts: AlertPolicy = AlertPolicy()
    service: ServicePolicy = ServicePolicy()
    price: PricePolicy = PricePolicy()
    value: ValuePolicy = ValuePolicy()
    tech: TechPolicy = TechPolicy()
    incidents: IncidentPolicy = IncidentPolicy()
    exit: ExitPolicy = ExitPolicy()
    marketing: MarketingPolicy = MarketingPolicy()
    loyalty: LoyaltyPolicy = LoyaltyPolicy()
    quality: QualityPolicy = QualityPolicy()
    availability: AvailabilityPolicy = AvailabilityPolicy()
    onboarding: OnboardingPolicy = OnboardingPolicy()
    life: LifePolicy = LifePolicy()
    stages: StagePolicy = StagePolicy()
    revenue: RevenuePolicy = RevenuePolicy()
    budget: BudgetPolicy = BudgetPolicy()
    hold_out: HoldOutPolicy = HoldOutPolicy()
    privacy: PrivacyPolicy = PrivacyPolicy()
    win_back: WinBackPolicy = msgspec.field(default_factory=WinBackPolicy)
    signals: Annotated[
        dict[str, SignalPolicy], why("how each signal is read, and what it weighs until outcomes were learned from")
    ] = msgspec.field(default_factory=default_signals)
    urgent: Annotated[
        tuple[str, ...], why("event types that are not left to the next tick: whoever acts on them is waiting")
    ] = URGENT
    stage_weights: Annotated[
        dict[LifecycleStage, dict[str, float]],
        why("stage of life → signal = log-odds at full strength, instead of what the model says"),
    ] = {}
    profiles: Annotated[
        tuple[Profile, ...], why("the same by plan, segment or stage; the first that matches comes before the stage")
    ] = ()
    churn_types: Annotated[dict[str, ChurnType], why("signal group → what kind of leaving its signals stand for")] = (
        msgspec.field(default_factory=lambda: dict(CHURN_TYPES))
    )
    playbooks: Annotated[
        dict[str, tuple[str, ...]], why("signal group, or one signal → what to do about it, best first")
    ] = msgspec.field(default_factory=lambda: dict(PLAYBOOKS))
    stage_playbooks: Annotated[
        dict[LifecycleStage, dict[str, tuple[str, ...]]],
        why("stage of life → the same, where it asks for something else: nobody renews a trial"),
    ] = msgspec.field(default_factory=lambda: {stage: dict(table) for stage, table in STAGE_PLAYBOOKS.items()})
    playbook_text: Annotated[dict[str, str], why("playbook → the sentence that a retention agent reads")] = (
        msgspec.field(default_factory=lambda: dict(PLAYBOOK_TEXT))
    )

    @property
    def version(self) -> str:
        """`name` and eight hex digits of the numbers, so that a change cannot go unseen."""
        # Read back once, so that 120 and 120.0 are one number.
        plain = msgspec.convert(msgspec.to_builtins(self), Policy)
        return f"{self.name}-{hashlib.sha256(msgspec.json.encode(plain, order='sorted')).hexdigest()[:8]}"
