"""What is remembered of offers, contacts, surveys, orders on their way, and what was unavailable."""

from detectors import kinds
from detectors.customer import DAY_S, Customer, case_of, close_case, close_named, note, open_case, troubled_case
from detectors.history.routes import cents, on
from detectors.history.support import spoke
from schemas.engagement import (
    BenefitGranted,
    ContactMade,
    FeedbackAnswered,
    ItemUnavailable,
    LeadRegistered,
    MarketPriceSeen,
    OfferAccepted,
    OfferDismissed,
    OfferSent,
    OptedOut,
    OrderDelayed,
    OrderFulfilled,
    ReferralMade,
    SurveyAnswered,
)

PURPOSES = {
    "check_in": kinds.CHECK_IN,
    "news": kinds.NEWS,
    "invitation": kinds.INVITATION,
    "incident_notice": kinds.INCIDENT_NOTICE,
    "apology": kinds.APOLOGY,
}
SPOKEN = ("check_in", "incident_notice", "apology")  # news and invitations answer nobody's question
RESPONSES = {
    "none": kinds.NOTHING,
    "deferred": kinds.DEFERRED,
    "alternative": kinds.ALTERNATIVE,
    "partner": kinds.PARTNER,
}
ACCEPTED, DISMISSED, FOR_NEWCOMERS = 1, 2, 1
REFERRED, PROMOTED, TOOK_OFFER = 1, 2, 3
SCORES = {"nps": 10, "csat": 5}


def given(c: Customer, time_s: int, what: int, event_id: str) -> None:
    """A moment in which the business gave something."""
    note(c, kinds.GIVEN, time_s, what, event_id)
    c.given_s = max(c.given_s, time_s)


@on(OfferSent)
def offer_sent(c: Customer, d: OfferSent, time_s: int, event_id: str) -> None:
    offer = case_of(c, kinds.OFFERED, d.offer_id)
    if open_case(offer, time_s, event_id):
        offer.amount = cents(d.mrr or 0.0)
        offer.moved = FOR_NEWCOMERS if d.for_newcomers_only else 0


@on(OfferAccepted)
def offer_accepted(c: Customer, d: OfferAccepted, time_s: int, event_id: str) -> None:
    close_case(case_of(c, kinds.OFFERED, d.offer_id), time_s, ACCEPTED)
    note(c, kinds.ADVOCACY, time_s, TOOK_OFFER, event_id)


@on(OfferDismissed)
def offer_dismissed(c: Customer, d: OfferDismissed, time_s: int, event_id: str) -> None:
    close_case(case_of(c, kinds.OFFERED, d.offer_id), time_s, DISMISSED)


@on(OptedOut)
def opted_out(c: Customer, d: OptedOut, time_s: int, event_id: str) -> None:
    note(c, kinds.OPTED_OUT, time_s, 0, event_id, d.channel[:32])


@on(ContactMade)
def contact_made(c: Customer, d: ContactMade, time_s: int, event_id: str) -> None:
    given(c, time_s, PURPOSES[d.purpose], event_id)
    if d.purpose in SPOKEN:
        spoke(c, time_s)


@on(BenefitGranted)
def benefit_granted(c: Customer, d: BenefitGranted, time_s: int, event_id: str) -> None:
    given(c, time_s, kinds.BENEFIT, event_id)
    c.benefit_s = max(c.benefit_s, time_s)


@on(SurveyAnswered)
def survey_answered(c: Customer, d: SurveyAnswered, time_s: int, event_id: str) -> None:
    note(c, kinds.SURVEY, time_s, 0, event_id, d.kind)
    if d.score is not None and d.kind in SCORES:
        note(c, kinds.RATING, time_s, round(d.score), event_id, d.kind)
        if d.kind == "nps" and d.score >= 9:
            note(c, kinds.ADVOCACY, time_s, PROMOTED, event_id)


@on(FeedbackAnswered)
def feedback_answered(c: Customer, d: FeedbackAnswered, time_s: int, event_id: str) -> None:
    note(c, kinds.SURVEY, time_s, 1, event_id)


@on(MarketPriceSeen)
def market_price_seen(c: Customer, d: MarketPriceSeen, time_s: int, event_id: str) -> None:
    note(c, kinds.MARKET, time_s, cents(d.mrr), event_id, d.competitor[:64])


@on(ReferralMade)
def referral_made(c: Customer, d: ReferralMade, time_s: int, event_id: str) -> None:
    note(c, kinds.ADVOCACY, time_s, REFERRED, event_id)


@on(LeadRegistered)
def lead_registered(c: Customer, d: LeadRegistered, time_s: int, event_id: str) -> None:
    if not c.lead_s or time_s < c.lead_s:
        c.lead_s = time_s
    note(c, kinds.BEGAN, time_s, 0, event_id, "lead", keep=2)


@on(ItemUnavailable)
def item_unavailable(c: Customer, d: ItemUnavailable, time_s: int, event_id: str) -> None:
    note(c, kinds.UNAVAILABLE, time_s, RESPONSES[d.response], event_id, d.item[:64])


@on(OrderDelayed)
def order_delayed(c: Customer, d: OrderDelayed, time_s: int, event_id: str) -> None:
    c.heard |= kinds.DATED_ORDER
    order = troubled_case(c, kinds.ORDER, d.order_id)
    if open_case(order, time_s, event_id):
        order.due_s = int(d.promised_at.timestamp())
    if d.informed:
        order.heard_s = max(order.heard_s, time_s)


@on(OrderFulfilled)
def order_fulfilled(c: Customer, d: OrderFulfilled, time_s: int, event_id: str) -> None:
    done_s = int(d.fulfilled_at.timestamp())
    close_named(c, kinds.ORDER, d.order_id, done_s, kinds.ENDED)
    if d.promised_at is not None:
        c.heard |= kinds.DATED_ORDER
        if (late_s := done_s - int(d.promised_at.timestamp())) > 0:
            note(c, kinds.LATE, done_s, -(-late_s // DAY_S), event_id, d.order_id[:64])
