"""The event envelope (CloudEvents 1.0) and every event type.

Rules: EVENT_TYPES names every type once, under the topic it arrives on; the envelope and the data of an event are
decoded in one pass; an event that was decoded obeys the contract, and nobody checks it again.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, Union, cast

import msgspec
from msgspec import Meta, Struct

from schemas import app_errors, billing, engagement, retention, support, usage
from schemas.fields import Data, Timestamp

EventId = Annotated[str, Meta(min_length=1, max_length=128, description="with `source` the identity of the event")]
Source = Annotated[str, Meta(min_length=1, description="URI-reference of the service that tells")]
CustomerId = Annotated[str, Meta(min_length=1, max_length=256, description="the customer id")]
EventTime = Annotated[Timestamp, Meta(description="when it happened")]
Traceparent = Annotated[str, Meta(min_length=1, max_length=256, description="W3C trace context, carried to the alert")]

TYPES_OF_TOPIC: Final[Mapping[str, Mapping[str, type[Data]]]] = MappingProxyType(
    {
        "billing.events": {
            "billing.subscription.started": billing.SubscriptionStarted,
            "billing.subscription.renewed": billing.SubscriptionRenewed,
            "billing.subscription.cancelled": billing.SubscriptionCancelled,
            "billing.plan.changed": billing.PlanChanged,
            "billing.price.changed": billing.PriceChanged,
            "billing.terms.changed": billing.TermsChanged,
            "billing.invoice.issued": billing.InvoiceIssued,
            "billing.invoice.paid": billing.InvoicePaid,
            "billing.payment.failed": billing.PaymentFailed,
            "billing.refund.issued": billing.RefundIssued,
            "billing.dispute.opened": billing.DisputeOpened,
            "billing.dispute.resolved": billing.DisputeResolved,
            "billing.discount.ending": billing.DiscountEnding,
            "billing.auto_renew.disabled": billing.AutoRenewDisabled,
            "billing.order.placed": billing.OrderPlaced,
        },
        "support.events": {
            "support.ticket.opened": support.TicketOpened,
            "support.ticket.updated": support.TicketUpdated,
            "support.ticket.transferred": support.TicketTransferred,
            "support.ticket.reopened": support.TicketReopened,
            "support.ticket.resolved": support.TicketResolved,
            "support.ticket.rated": support.TicketRated,
            "support.call.answered": support.CallAnswered,
            "support.call.abandoned": support.CallAbandoned,
            "support.interaction.assessed": support.InteractionAssessed,
            "support.promise.made": support.PromiseMade,
            "support.promise.kept": support.PromiseKept,
            "support.promise.broken": support.PromiseBroken,
            "support.request.refused": support.RequestRefused,
        },
        "app-errors.events": {
            "app.error.raised": app_errors.ErrorRaised,
            "app.outage.started": app_errors.OutageStarted,
            "app.outage.ended": app_errors.OutageEnded,
        },
        "usage.events": {
            "usage.session.started": usage.SessionStarted,
            "usage.session.ended": usage.SessionEnded,
            "usage.feature.used": usage.FeatureUsed,
            "usage.feature.released": usage.FeatureReleased,
            "usage.seats.changed": usage.SeatsChanged,
            "usage.quota.reported": usage.QuotaReported,
            "usage.data.exported": usage.DataExported,
            "usage.cancel_page.viewed": usage.CancelPageViewed,
            "usage.integration.removed": usage.IntegrationRemoved,
        },
        "engagement.events": {
            "engagement.offer.sent": engagement.OfferSent,
            "engagement.offer.accepted": engagement.OfferAccepted,
            "engagement.offer.dismissed": engagement.OfferDismissed,
            "engagement.opted_out": engagement.OptedOut,
            "engagement.contact.made": engagement.ContactMade,
            "engagement.benefit.granted": engagement.BenefitGranted,
            "engagement.survey.answered": engagement.SurveyAnswered,
            "engagement.feedback.answered": engagement.FeedbackAnswered,
            "engagement.market_price.seen": engagement.MarketPriceSeen,
            "engagement.referral.made": engagement.ReferralMade,
            "engagement.lead.registered": engagement.LeadRegistered,
            "fulfilment.item.unavailable": engagement.ItemUnavailable,
            "fulfilment.order.delayed": engagement.OrderDelayed,
            "fulfilment.order.fulfilled": engagement.OrderFulfilled,
        },
        "retention.feedback": {
            "retention.alert.acknowledged": retention.AlertAcknowledged,
            "retention.alert.snoozed": retention.AlertSnoozed,
            "retention.customer.contacted": retention.CustomerContacted,
            "retention.alert.resolved": retention.AlertResolved,
            "privacy.erasure.requested": retention.ErasureRequested,
        },
    }
)
"""Input topic (without prefix) → event type → its data."""

EVENT_TYPES: Final[Mapping[str, type[Data]]] = MappingProxyType(
    {name: data for types in TYPES_OF_TOPIC.values() for name, data in types.items()}
)
"""Event type → its data."""

TYPE_OF: Final[Mapping[type[Data], str]] = MappingProxyType({data: name for name, data in EVENT_TYPES.items()})
"""Data → its event type."""

TOPIC_OF_TYPE: Final[Mapping[str, str]] = MappingProxyType(
    {name: topic for topic, types in TYPES_OF_TOPIC.items() for name in types}
)
"""Event type → the input topic it is published to (without prefix)."""


class Event(Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """One event of one customer, checked; `data` is the Struct of its type, `subject` the customer id."""

    specversion: Literal["1.0"]
    id: EventId
    source: Source
    subject: CustomerId
    time: EventTime
    traceparent: Traceparent | None = None
    data: Any


def _event_class(name: str, data: type[Data]) -> type[Event]:
    """The envelope of one type: `data` may be left out where nothing in it is required."""
    needed = any(field.required for field in msgspec.structs.fields(data))
    field = ("data", data) if needed else ("data", data, msgspec.field(default_factory=data))
    made = msgspec.defstruct(
        f"{data.__name__}Event",
        [field],
        bases=(Event,),
        namespace={"__doc__": data.__doc__},
        tag_field="type",
        tag=name,
        frozen=True,
        gc=False,
        omit_defaults=True,
        kw_only=True,
    )
    return cast("type[Event]", made)


EVENT_CLASSES: Final[Mapping[str, type[Event]]] = MappingProxyType(
    {name: _event_class(name, data) for name, data in EVENT_TYPES.items()}
)
"""Event type → the Struct of the whole event."""

decode_event: Final[Callable[[bytes], Event]] = msgspec.json.Decoder(
    Union[tuple(EVENT_CLASSES.values())]  # noqa: UP007 (the union is made of a table)
).decode
"""Decode one event of the journal, that intake has checked; raises msgspec's errors for anything else.

It is the decoder's own method, because a function around it would add a sixth to its time.
"""


def encode_event(event: Event) -> bytes:
    """One event as structured CloudEvent JSON, absent optional fields left out.

    >>> event = decode_event(b'{"specversion":"1.0","type":"usage.session.ended","id":"1","source":"/app",'
    ...                      b'"subject":"c-1","time":"2026-03-04T05:06:07Z","data":{"duration_s":60}}')
    >>> decode_event(encode_event(event)) == event
    True
    """
    return msgspec.json.encode(event)
