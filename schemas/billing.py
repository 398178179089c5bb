"""What a billing service tells of: subscriptions, prices, invoices, payments, disputes, orders."""

from typing import Annotated

from msgspec import Meta

from schemas.fields import Amount, Attempt, Currency, Data, Months, Name, Timestamp


class SubscriptionStarted(Data, frozen=True):
    """A customer subscribed, for the first time or again."""

    plan: str
    mrr: Annotated[Amount, Meta(description="monthly recurring revenue")]
    currency: Currency | None = None
    trial: bool | None = None
    term_months: Months | None = None
    contract_ends_at: Timestamp | None = None
    acquired_via: Annotated[str, Meta(description="the channel that brought the customer")] | None = None


class SubscriptionRenewed(Data, frozen=True):
    """A subscription was renewed."""

    plan: str
    mrr: Annotated[Amount, Meta(description="monthly recurring revenue")]
    contract_ends_at: Timestamp | None = None


class SubscriptionCancelled(Data, frozen=True):
    """A subscription was cancelled: the churn label."""

    voluntary: Annotated[bool, Meta(description="false when the business ended it, as after failed payments")] = True
    reason: str | None = None
    effective_at: Timestamp | None = None


class PlanChanged(Data, frozen=True):
    """The customer moved to another plan."""

    old_plan: str
    new_plan: str
    old_mrr: Amount
    new_mrr: Amount


class PriceChanged(Data, frozen=True):
    """The same plan costs more or less."""

    old_mrr: Amount
    new_mrr: Amount
    effective_at: Timestamp
    notified_at: Timestamp | None = None


class TermsChanged(Data, frozen=True):
    """The terms of the contract changed."""

    summary: str | None = None
    notified_at: Timestamp | None = None


class Fee(Data, frozen=True):
    """One fee on an invoice."""

    code: Name
    amount: Amount
    disclosed: Annotated[bool, Meta(description="whether the customer was told of it before")]


class InvoiceIssued(Data, frozen=True):
    """An invoice was sent."""

    invoice_id: Name
    amount: Amount
    currency: Currency | None = None
    quoted_amount: Annotated[Amount, Meta(description="what the customer was told it would be")] | None = None
    overage_amount: Annotated[Amount, Meta(description="the part charged for use beyond the plan")] | None = None
    fees: tuple[Fee, ...] | None = None


class InvoicePaid(Data, frozen=True):
    """An invoice was paid."""

    invoice_id: Name
    amount: Amount


class PaymentFailed(Data, frozen=True):
    """A payment was tried and did not go through."""

    invoice_id: Name
    attempt: Attempt
    reason: str | None = None


class RefundIssued(Data, frozen=True):
    """Money went back to the customer."""

    amount: Amount
    reason: str | None = None


class DisputeOpened(Data, frozen=True):
    """The customer disputes a charge."""

    dispute_id: Name
    amount: Amount | None = None


class DisputeResolved(Data, frozen=True):
    """A dispute was decided."""

    dispute_id: Name
    for_customer: bool


class DiscountEnding(Data, frozen=True):
    """A discount is about to end."""

    ends_at: Timestamp
    old_mrr: Amount
    new_mrr: Amount


class AutoRenewDisabled(Data, frozen=True):
    """The customer turned automatic renewal off."""


class OrderPlaced(Data, frozen=True):
    """The customer bought something, in a shop without subscriptions."""

    order_id: Name
    amount: Amount
    items: Annotated[int, Meta(ge=0, le=1_000_000_000, description="how many items were bought")] | None = None
