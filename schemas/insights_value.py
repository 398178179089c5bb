"""The insights about what acting achieves and how long customers stay.

Rules: those of schemas/insights.py; an interval is of 95 %, and null where too few outcomes are known to give one.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from schemas.fields import Name, Probability, WireTime
from schemas.insights import Insight

Number = Annotated[int, Meta(ge=0)]

Comparison = Literal["all", "group", "reason", "recommended", "done"]


class Group(Struct, frozen=True, kw_only=True):
    """Customers of one side of a comparison, each with its first alert."""

    alerts: Annotated[Number, Meta(description="that have an outcome")]
    left: Annotated[Number, Meta(description="of them, within the horizon")]
    contacted: Annotated[Number, Meta(description="of them, after the alert; of the control group none should be")]


class Interval(Struct, frozen=True, kw_only=True):
    """An estimate between the ends of its 95 % interval."""

    value: float
    low: float
    high: float


class SavedMoney(Struct, frozen=True, kw_only=True):
    """Monthly revenue of those alerted, in one currency."""

    currency: str
    delivered: Annotated[float, Meta(ge=0, description="a month, at the opening of the delivered alerts")]
    kept_delivered: Annotated[float, Meta(ge=0, description="share of it that was there when the horizon had passed")]
    kept_control: Annotated[float, Meta(ge=0, description="the same of the control group")]
    saved_share: Annotated[Interval, Meta(description="the difference of the two")] | None
    saved: Annotated[Interval, Meta(description="the same of `delivered`: a month, in the currency")] | None


class SavedRevenue(Insight, frozen=True, kw_only=True, tag="saved_revenue"):
    """Delivered alerts beside those of the control group. One row per comparison."""

    comparison: Annotated[
        Comparison,
        Meta(description="of all; by first reason or its group; by the playbook recommended first, or that was done"),
    ]
    name: Annotated[str, Meta(description="which reason, group or playbook; empty: all")]
    randomised: Annotated[
        bool, Meta(description="whether both sides were drawn by lot; not those who were called by one playbook")
    ]
    since: Annotated[WireTime, Meta(description="the first alert under this control group")] | None
    until: Annotated[WireTime, Meta(description="the newest alert that has an outcome")] | None
    needed: Annotated[Number, Meta(description="alerts of either group with an outcome, before a difference is said")]
    delivered: Group
    control: Group
    saved: Annotated[Interval, Meta(description="by how much a smaller share left where alerts were delivered")] | None
    revenue: tuple[SavedMoney, ...]
    again: Annotated[Number, Meta(description="later alerts of the same customers, which do not count")]


class StayingAt(Struct, frozen=True, kw_only=True):
    """A point of a survival curve."""

    age_d: Annotated[Number, Meta(description="days since the start")]
    at_risk: Annotated[float, Meta(ge=0, description="customers who were watched in the week before it")]
    staying: Annotated[Probability, Meta(description="share that is still there")]
    low: Probability
    high: Probability


class MedianLife(Struct, frozen=True, kw_only=True):
    """The age by which half have left, in days, between the ends of its 95 % interval."""

    value: Number
    low: Number
    high: Annotated[Number, Meta(description="null: not reached as far as is known")] | None


class Survival(Insight, frozen=True, kw_only=True, tag="survival"):
    """How long customers stay. One row per group, `all` among them: plans, channels, how they came to buy."""

    group: Annotated[Name, Meta(description="`all`, `plan:…`, `via:…`, `before:…`, `decided:…`")]
    watched_months: Annotated[float, Meta(ge=0, description="customer-months that the curve is made of")]
    left: Number
    from_age_d: Annotated[Number, Meta(description="of those who had reached this age, as too few were seen younger")]
    points: tuple[StayingAt, ...]
    median: MedianLife | None
    expected_d: Annotated[float, Meta(gt=0, description="how long the product is expected to be of use: X")]
    expected_by: Annotated[Literal["policy", "learned"], Meta(description="learned: the median, with `life.learned`")]
    staying_at_expected: Annotated[Interval, Meta(description="share that is still there at that age")] | None


class ActiveLife(Insight, frozen=True, kw_only=True, tag="active_life"):
    """Those who left, by how long they had used the product. One row per group, stages of life among them."""

    group: Annotated[Name, Meta(description="as of `survival`, or `stage:…`: the stage before leaving")]
    left: Number
    before_expected: Annotated[Number, Meta(description="with an active life shorter than was expected of their plan")]
    unused: Annotated[Number, Meta(description="of them, who had used nothing")]
    median_at_most_d: Annotated[Number, Meta(description="days that half of those who used it did not exceed")] | None
    expected_d: Annotated[float, Meta(gt=0)]
    expected_by: Literal["policy", "learned"]
    times_others: (
        Annotated[
            Interval,
            Meta(description="how often they leave before it, others of the same age (stages: all others) being 1"),
        ]
        | None
    )


VALUE_INSIGHTS: Final[Mapping[str, type[Insight]]] = MappingProxyType(
    {"saved_revenue": SavedRevenue, "survival": Survival, "active_life": ActiveLife}
)
"""Kind → row."""
