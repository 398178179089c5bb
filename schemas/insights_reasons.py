"""The insights of groups of customers: what those who left had in common, and how good the probabilities were.

Rules: those of schemas/insights.py; there is one row per group and kind, of bounded size: everybody, each lifecycle
stage, those known by their orders alone and the others, and the first plans and channels that were met; a row is
written anew as outcomes arrive, in the transaction that commits what was learned from.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final

from msgspec import Meta, Struct

from schemas.fields import Name, Probability, WireTime
from schemas.insights import Insight

Number = Annotated[int, Meta(ge=0)]
Lift = Annotated[float, Meta(ge=0)]
Group = Annotated[
    Name,
    Meta(description="`all`, `plan:NAME`, `via:CHANNEL`, `stage:NAME`, `known_by:orders`, `known_by:subscription`"),
]


class CommonReason(Struct, frozen=True, kw_only=True):
    """A signal, or two of them at once, by what leaving has to do with it."""

    signals: Annotated[tuple[Name, ...], Meta(description="one, or the two of a pair")]
    support: Annotated[Probability, Meta(description="share of those who left that had it")]
    support_kept: Annotated[Probability, Meta(description="share of those who stayed that had it")]
    lift: Annotated[Lift, Meta(description="how many times as often as everybody of the group leave those who have it")]
    lift_low: Annotated[Lift, Meta(description="lower end of its 95 % interval")]
    lift_high: Annotated[Lift, Meta(description="upper end")]
    left: Annotated[Number, Meta(description="landmarks with it of customers who left")]
    outcomes: Annotated[Number, Meta(description="landmarks with it")]


class CommonReasons(Insight, frozen=True, kw_only=True, tag="common_reasons"):
    """What those who left had in common, beyond chance, against everybody of the group. One row per group."""

    group: Group
    since: Annotated[WireTime, Meta(description="the first landmark that may count")]
    outcomes: Annotated[Number, Meta(description="landmarks whose horizon has passed, by their weight")]
    left: Annotated[Number, Meta(description="of them, those of customers who left")]
    customers_left: Annotated[Number, Meta(description="about: a customer once per horizon")]
    enough: Annotated[bool, Meta(description="whether there are outcomes enough to say anything")]
    tried: Annotated[Number, Meta(description="signals and pairs that enough customers had")]
    reasons: Annotated[tuple[CommonReason, ...], Meta(description="signals; what accounts for most first")]
    pairs: Annotated[tuple[CommonReason, ...], Meta(description="pairs that are worse than either of the two")]
    keeping: Annotated[tuple[CommonReason, ...], Meta(description="signals of those who stayed")]


class ReliabilityRow(Struct, frozen=True, kw_only=True):
    """About a tenth of the outcomes: those with the most similar probabilities."""

    outcomes: Number
    left: Number
    given: Annotated[Probability, Meta(description="mean of what was given")]
    observed: Annotated[Probability, Meta(description="share that left")]
    observed_low: Annotated[Probability, Meta(description="lower end of its 95 % interval")]
    observed_high: Annotated[Probability, Meta(description="upper end")]


class QualityOfPeriod(Struct, frozen=True, kw_only=True):
    """The figures of four weeks of landmarks and alerts; null where they are not defined, or outcomes too few."""

    since: Annotated[WireTime, Meta(description="its first landmark")]
    outcomes: Number
    left: Number
    auc: Probability | None
    auc_low: Annotated[Probability, Meta(description="lower end of its 95 % interval")] | None
    auc_high: Annotated[Probability, Meta(description="upper end")] | None
    average_precision: Probability | None
    log_loss: Annotated[float, Meta(ge=0)] | None
    calibration_error: Probability | None
    precision_at_budget: Probability | None
    alerts: Annotated[Number, Meta(description="that opened in it and whose outcome is known")]
    alerts_left: Annotated[Number, Meta(description="of them, those of customers who left within the horizon")]
    lead_days_median: Annotated[float, Meta(ge=0)] | None


class QualityByGroup(Insight, frozen=True, kw_only=True, tag="quality_by_group"):
    """How good the probabilities were for a group of customers, over a year and by four weeks. One row per group."""

    group: Group
    model_version: Annotated[Name, Meta(description="that decides now; earlier ones are judged too")]
    outcomes: Annotated[Number, Meta(description="landmarks whose horizon has passed, by their weight")]
    left: Annotated[Number, Meta(description="of them, those of customers who left")]
    auc: Annotated[Probability, Meta(description="within four weeks of landmarks; null: too few outcomes")] | None
    auc_low: Annotated[Probability, Meta(description="lower end of its 95 % interval")] | None
    auc_high: Annotated[Probability, Meta(description="upper end")] | None
    average_precision: Annotated[Probability, Meta(description="null: too few outcomes")] | None
    log_loss: Annotated[float, Meta(ge=0)] | None
    calibration_error: Probability | None
    precision_at_budget: (
        Annotated[Probability, Meta(description="share that left of the highest, as many as the alert budget allows")]
        | None
    )
    alerts: Annotated[Number, Meta(description="alerts of a year whose outcome is known, those held out too")]
    alerts_left: Annotated[Number, Meta(description="of them, those of customers who left within the horizon")]
    lead_days_median: (
        Annotated[
            float,
            Meta(ge=0, description="from such an alert to leaving, of those who said that they leave; null: nobody"),
        ]
        | None
    )
    reliability: Annotated[tuple[ReliabilityRow, ...], Meta(description="lowest probabilities first; at most 10")]
    periods: Annotated[tuple[QualityOfPeriod, ...], Meta(description="oldest first; at most 13")]


GROUP_INSIGHTS: Final[Mapping[str, type[Insight]]] = MappingProxyType(
    {"common_reasons": CommonReasons, "quality_by_group": QualityByGroup}
)
"""Kind → row."""
