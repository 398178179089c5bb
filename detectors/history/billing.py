"""What is remembered of subscriptions, prices, invoices, payments, disputes and orders."""

from detectors import kinds
from detectors.customer import Customer, case_of, close_case, close_named, count_day, note, open_case, troubled_case
from detectors.history.routes import MOST, cents, on, share
from detectors.history.usage import active
from schemas.billing import (
    AutoRenewDisabled,
    DiscountEnding,
    DisputeOpened,
    DisputeResolved,
    InvoiceIssued,
    InvoicePaid,
    OrderPlaced,
    PaymentFailed,
    PlanChanged,
    PriceChanged,
    RefundIssued,
    SubscriptionCancelled,
    SubscriptionRenewed,
    SubscriptionStarted,
    TermsChanged,
)

PERIODS = 3  # of bills and quotas, the newest are read
UNTOLD = 2
PRICES = 16  # a change of price keeps two points, and the trail of a year is read


def on_plan(c: Customer, plan: str, time_s: int) -> None:
    """The newest news of the plan wins."""
    if (time_s, plan) >= (c.plan_s, c.plan):
        c.plan, c.plan_s = plan[:64], time_s


def on_contract(c: Customer, ends_s: int, time_s: int) -> None:
    """The newest news of the contract's end wins."""
    if (time_s, ends_s) >= (c.contract_s, c.contract_ends_s):
        c.contract_s, c.contract_ends_s = time_s, ends_s


def purchased(c: Customer, time_s: int) -> None:
    """The earliest purchase is where tenure is counted from."""
    if not c.started_s or time_s < c.started_s:
        c.started_s = time_s


@on(SubscriptionStarted)
def subscription_started(c: Customer, d: SubscriptionStarted, time_s: int, event_id: str) -> None:
    c.subscribed_s = max(c.subscribed_s, time_s)
    if d.trial:
        c.trial_s = max(c.trial_s, time_s)
        note(c, kinds.BEGAN, time_s, 0, event_id, "trial", keep=2)
    else:
        purchased(c, time_s)
        note(c, kinds.MRR, time_s, cents(d.mrr), event_id, d.plan[:64], keep=PRICES)  # a trial has no price yet
    on_plan(c, d.plan, time_s)
    if d.contract_ends_at is not None:
        on_contract(c, int(d.contract_ends_at.timestamp()), time_s)
    elif d.term_months:
        on_contract(c, time_s + round(d.term_months * 30.4375 * 86_400), time_s)
    else:
        on_contract(c, 0, time_s)
    if time_s == c.subscribed_s:  # the newest start says it, in whatever order they come
        c.currency = d.currency or c.currency
        c.channel = (d.acquired_via or c.channel)[:64]


@on(SubscriptionRenewed)
def subscription_renewed(c: Customer, d: SubscriptionRenewed, time_s: int, event_id: str) -> None:
    purchased(c, time_s)
    on_plan(c, d.plan, time_s)
    on_contract(c, int(d.contract_ends_at.timestamp()) if d.contract_ends_at is not None else 0, time_s)
    note(c, kinds.MRR, time_s, cents(d.mrr), event_id, d.plan[:64], keep=PRICES)


@on(SubscriptionCancelled)
def subscription_cancelled(c: Customer, d: SubscriptionCancelled, time_s: int, event_id: str) -> None:
    if time_s >= c.churned_s:
        c.churned_s, c.voluntary = time_s, int(d.voluntary)


@on(PlanChanged)
def plan_changed(c: Customer, d: PlanChanged, time_s: int, event_id: str) -> None:
    on_plan(c, d.new_plan, time_s)
    note(c, kinds.MRR, time_s, cents(d.new_mrr), event_id, d.new_plan[:64], keep=PRICES)
    if d.new_mrr < d.old_mrr:
        note(c, kinds.DOWNGRADE, time_s, round(10_000 * (1 - d.new_mrr / d.old_mrr)), event_id, d.old_plan[:64])


@on(PriceChanged)
def price_changed(c: Customer, d: PriceChanged, time_s: int, event_id: str) -> None:
    effective_s = int(d.effective_at.timestamp())
    # The price it replaces, for what came before.
    note(c, kinds.MRR, effective_s - 1, cents(d.old_mrr), event_id, keep=PRICES)
    note(c, kinds.MRR, effective_s, cents(d.new_mrr), event_id, keep=PRICES)
    told_s = int(d.notified_at.timestamp()) if d.notified_at is not None else time_s
    which = kinds.PRICE_UP if d.new_mrr > d.old_mrr else kinds.PRICE_DOWN
    note(c, kinds.TERMS, effective_s, which, event_id, str(max(0, effective_s - told_s) // 86_400))
    if d.notified_at is None and effective_s <= time_s and which == kinds.PRICE_UP:
        note(c, kinds.UNTOLD, effective_s, which, event_id, keep=UNTOLD)


@on(TermsChanged)
def terms_changed(c: Customer, d: TermsChanged, time_s: int, event_id: str) -> None:
    told_s = int(d.notified_at.timestamp()) if d.notified_at is not None else time_s
    note(c, kinds.TERMS, time_s, kinds.NEW_TERMS, event_id, str(max(0, time_s - told_s) // 86_400))
    if d.notified_at is None:
        note(c, kinds.UNTOLD, time_s, kinds.NEW_TERMS, event_id, keep=UNTOLD)


@on(InvoiceIssued)
def invoice_issued(c: Customer, d: InvoiceIssued, time_s: int, event_id: str) -> None:
    count_day(c, kinds.INVOICES, time_s)
    above = share(d.amount, d.quoted_amount, 10_000) - 10_000 if d.quoted_amount else 0
    billed = cents(d.amount)
    quote = f"{cents(d.quoted_amount)}/{billed}" if d.quoted_amount else ""
    note(c, kinds.BILL, time_s, above, event_id, quote, keep=PERIODS)
    if d.fees is not None:
        c.heard |= kinds.FEES
        undisclosed = sum(fee.amount for fee in d.fees if not fee.disclosed)
        if hidden := share(undisclosed, d.amount, 10_000):
            note(c, kinds.HIDDEN_FEE, time_s, hidden, event_id, f"{cents(undisclosed)}/{billed}")
    if d.overage_amount:
        note(c, kinds.OVERAGE, time_s, cents(d.overage_amount), event_id, keep=PERIODS)


@on(InvoicePaid)
def invoice_paid(c: Customer, d: InvoicePaid, time_s: int, event_id: str) -> None:
    close_named(c, kinds.INVOICE, d.invoice_id, time_s, kinds.PAID)


@on(PaymentFailed)
def payment_failed(c: Customer, d: PaymentFailed, time_s: int, event_id: str) -> None:
    invoice = troubled_case(c, kinds.INVOICE, d.invoice_id)
    open_case(invoice, time_s, event_id)
    invoice.reopened_s = max(invoice.reopened_s, time_s)
    invoice.count += 1


@on(RefundIssued)
def refund_issued(c: Customer, d: RefundIssued, time_s: int, event_id: str) -> None:
    note(c, kinds.REFUND, time_s, cents(d.amount), event_id)


@on(DisputeOpened)
def dispute_opened(c: Customer, d: DisputeOpened, time_s: int, event_id: str) -> None:
    count_day(c, kinds.FAULTS, time_s)
    dispute = case_of(c, kinds.DISPUTE, d.dispute_id)
    if open_case(dispute, time_s, event_id):
        dispute.amount = cents(d.amount or 0.0)


@on(DisputeResolved)
def dispute_resolved(c: Customer, d: DisputeResolved, time_s: int, event_id: str) -> None:
    close_case(case_of(c, kinds.DISPUTE, d.dispute_id), time_s, kinds.WON if d.for_customer else kinds.LOST)


@on(DiscountEnding)
def discount_ending(c: Customer, d: DiscountEnding, time_s: int, event_id: str) -> None:
    ends_s = int(d.ends_at.timestamp())
    discount = case_of(c, kinds.DISCOUNT, str(ends_s))
    if open_case(discount, time_s, event_id):
        discount.due_s = ends_s
        # From nothing to a price is the steepest rise there is.
        discount.amount = share(d.new_mrr, d.old_mrr, 10_000) - 10_000 if d.old_mrr else MOST if d.new_mrr else 0
        discount.label = f"{cents(d.old_mrr)}/{cents(d.new_mrr)}"


@on(AutoRenewDisabled)
def auto_renew_disabled(c: Customer, d: AutoRenewDisabled, time_s: int, event_id: str) -> None:
    c.auto_renew_off_s = max(c.auto_renew_off_s, time_s)
    note(c, kinds.EXIT, time_s, kinds.AUTO_RENEW_OFF, event_id)


@on(OrderPlaced)
def order_placed(c: Customer, d: OrderPlaced, time_s: int, event_id: str) -> None:
    purchased(c, time_s)
    active(c, time_s, event_id)
    c.ordered_s = max(c.ordered_s, time_s)
    note(c, kinds.ORDERED, time_s, cents(d.amount), event_id)
