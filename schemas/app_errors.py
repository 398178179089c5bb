"""What the application tells of its own faults: errors and outages."""

from schemas.fields import Count, Data, Name


class ErrorRaised(Data, frozen=True):
    """The customer met an error."""

    code: Name
    fatal: bool
    feature: str | None = None
    count: Count = 1


class OutageStarted(Data, frozen=True):
    """A service that the customer uses went down."""

    outage_id: Name
    service: Name


class OutageEnded(Data, frozen=True):
    """The outage is over."""

    outage_id: Name
