"""What the product tells of its use: sessions, features, seats, quota, and the steps before an exit."""

from typing import Annotated

from msgspec import Meta

from schemas.fields import Count, Data, Name, Quantity, Seats, Seconds


class SessionStarted(Data, frozen=True):
    """The customer began a session."""

    client: str | None = None


class SessionEnded(Data, frozen=True):
    """A session ended."""

    duration_s: Seconds


class FeatureUsed(Data, frozen=True):
    """The customer used a feature."""

    feature: Name
    count: Count = 1
    duration_s: Seconds | None = None


class FeatureReleased(Data, frozen=True):
    """A new feature became available to the customer."""

    feature: Name


class SeatsChanged(Data, frozen=True):
    """The number of seats changed."""

    old: Seats
    new: Seats


class QuotaReported(Data, frozen=True):
    """How much of the plan was used in the last period."""

    used: Quantity
    included: Quantity


class DataExported(Data, frozen=True):
    """The customer exported data."""

    what: str | None = None


class CancelPageViewed(Data, frozen=True):
    """The customer looked at the page where one cancels."""


class IntegrationRemoved(Data, frozen=True):
    """The customer removed an integration."""

    name: Annotated[str, Meta(description="which integration")] | None = None
