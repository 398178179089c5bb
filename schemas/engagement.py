"""What the business does for the customer and what comes back: offers, contacts, surveys, the market, fulfilment."""

from typing import Annotated, Literal

from msgspec import Meta

from schemas.fields import Amount, Data, Name, SurveyScore, Timestamp


class OfferSent(Data, frozen=True):
    """The customer was sent an offer."""

    offer_id: Name
    channel: str | None = None
    for_newcomers_only: bool | None = None
    mrr: Annotated[Amount, Meta(description="monthly price of what is offered")] | None = None


class OfferAccepted(Data, frozen=True):
    """The customer took an offer."""

    offer_id: Name


class OfferDismissed(Data, frozen=True):
    """The customer turned an offer down."""

    offer_id: Name


class OptedOut(Data, frozen=True):
    """The customer wants no more messages on a channel."""

    channel: Name


class ContactMade(Data, frozen=True):
    """The business wrote or called, not to sell."""

    purpose: Literal["check_in", "news", "invitation", "incident_notice", "apology"]
    channel: str | None = None


class BenefitGranted(Data, frozen=True):
    """The customer was given something."""

    kind: Name
    value: Amount | None = None


class SurveyAnswered(Data, frozen=True):
    """The customer answered a survey."""

    kind: Literal["nps", "csat", "feedback"]
    score: SurveyScore | None = None


class FeedbackAnswered(Data, frozen=True):
    """The business replied to what the customer said."""


class MarketPriceSeen(Data, frozen=True):
    """A competitor's price for the like of what the customer has."""

    competitor: Name
    mrr: Annotated[Amount, Meta(description="the competitor's monthly price")]


class ReferralMade(Data, frozen=True):
    """The customer recommended the business."""


class LeadRegistered(Data, frozen=True):
    """Somebody who is not yet a customer left their name."""


class ItemUnavailable(Data, frozen=True):
    """What the customer wanted was not to be had."""

    item: Name
    response: Literal["none", "alternative", "partner", "deferred"]


class OrderDelayed(Data, frozen=True):
    """An order will be late."""

    order_id: Name
    promised_at: Timestamp
    informed: Annotated[bool, Meta(description="whether the customer was told")]
    new_promised_at: Timestamp | None = None


class OrderFulfilled(Data, frozen=True):
    """An order reached the customer."""

    order_id: Name
    fulfilled_at: Timestamp
    promised_at: Timestamp | None = None
