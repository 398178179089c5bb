"""What support tells of: tickets, calls, interactions, promises, refusals."""

from typing import Annotated, Literal

from msgspec import Meta

from schemas.fields import Csat, Data, Hours, Name, Seconds, Timestamp, Tone


class TicketOpened(Data, frozen=True):
    """The customer asked for help."""

    ticket_id: Name
    topic: str | None = None
    channel: str | None = None
    priority: str | None = None
    sla_hours: Annotated[Hours, Meta(description="the time in which it was promised to be resolved")] | None = None


class TicketUpdated(Data, frozen=True):
    """Somebody wrote in a ticket."""

    ticket_id: Name
    by: Literal["agent", "customer"]


class TicketTransferred(Data, frozen=True):
    """A ticket was handed to another agent or team."""

    ticket_id: Name


class TicketReopened(Data, frozen=True):
    """A ticket that was thought resolved is open again."""

    ticket_id: Name


class TicketResolved(Data, frozen=True):
    """A ticket was closed."""

    ticket_id: Name
    resolution: Literal["solved", "workaround", "refused", "none"]


class TicketRated(Data, frozen=True):
    """The customer rated how a ticket was handled."""

    ticket_id: Name
    csat: Csat


class CallAnswered(Data, frozen=True):
    """A call was answered."""

    call_id: Name
    wait_s: Seconds
    topic: str | None = None


class CallAbandoned(Data, frozen=True):
    """The customer hung up before an answer."""

    call_id: Name
    wait_s: Seconds


class InteractionAssessed(Data, frozen=True):
    """A conversation was assessed, by a person or a model."""

    interaction_id: Name
    agent_tone: Annotated[Tone, Meta(description="-1 rude to 1 courteous")] | None = None
    customer_sentiment: Tone | None = None
    competitor: Annotated[str, Meta(description="a competitor that the customer named")] | None = None
    mentions_leaving: bool | None = None


class PromiseMade(Data, frozen=True):
    """The business promised something by a date."""

    promise_id: Name
    due_at: Timestamp
    what: str | None = None


class PromiseKept(Data, frozen=True):
    """A promise was kept."""

    promise_id: Name


class PromiseBroken(Data, frozen=True):
    """A promise was broken."""

    promise_id: Name


class RequestRefused(Data, frozen=True):
    """A request was refused by protocol."""

    alternative_offered: bool
    request: str | None = None
