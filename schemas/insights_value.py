"""The insights about what acting achieves and how long customers stay.

Rules: those of schemas/insights.py; an interval is of 95 %, and null where too few outcomes are known to give one.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from schemas.fields import WireTime
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


VALUE_INSIGHTS: Final[Mapping[str, type[Insight]]] = MappingProxyType({"saved_revenue": SavedRevenue})
"""Kind → row."""
