"""What the retention tools tell: what was done about an alert and how it ended, and requests to be forgotten."""

from typing import Annotated, Literal

from msgspec import Meta

from schemas.fields import Data, Name, Timestamp


class AlertAcknowledged(Data, frozen=True):
    """Somebody took an alert on."""

    alert_id: Name
    by: Annotated[Name, Meta(description="who")]


class AlertSnoozed(Data, frozen=True):
    """An alert shall be quiet until a time."""

    alert_id: Name
    until: Timestamp
    by: Annotated[Name, Meta(description="who")]
    reason: str | None = None


class CustomerContacted(Data, frozen=True):
    """A playbook was carried out with the customer."""

    playbook: Name
    by: Annotated[Name, Meta(description="who")]
    alert_id: str | None = None
    channel: str | None = None


class AlertResolved(Data, frozen=True):
    """An alert was closed by a person."""

    alert_id: Name
    outcome: Literal["saved", "churned", "no_risk"]
    by: Annotated[Name, Meta(description="who")]
    note: str | None = None


class ErasureRequested(Data, frozen=True):
    """All that is remembered of the customer shall be erased."""

    request_id: Annotated[Name, Meta(description="what the request is called elsewhere; no personal data, please")]
