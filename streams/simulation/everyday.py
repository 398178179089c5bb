"""What happens to everybody now and then, whatever their life: the noise that trouble has to be told from.

An episode is a short story told in one go (a ticket from opening to rating). EPISODES says how often each one comes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from schemas.app_errors import ErrorRaised, OutageEnded, OutageStarted
from schemas.billing import (
    DiscountEnding,
    DisputeOpened,
    DisputeResolved,
    RefundIssued,
    TermsChanged,
)
from schemas.engagement import (
    BenefitGranted,
    ContactMade,
    FeedbackAnswered,
    MarketPriceSeen,
    OfferAccepted,
    OfferDismissed,
    OfferSent,
    OptedOut,
    ReferralMade,
    SurveyAnswered,
)
from schemas.retention import CustomerContacted
from schemas.support import (
    CallAbandoned,
    CallAnswered,
    InteractionAssessed,
    PromiseKept,
    PromiseMade,
    RequestRefused,
    TicketOpened,
    TicketRated,
    TicketResolved,
    TicketTransferred,
    TicketUpdated,
)
from schemas.usage import (
    CancelPageViewed,
    DataExported,
    FeatureReleased,
    FeatureUsed,
    IntegrationRemoved,
    SeatsChanged,
)
from streams.simulation.dice import Dice
from streams.simulation.happenings import (
    DAY_S,
    HOUR_S,
    MINUTE_S,
    YEAR_S,
    Happening,
    Stream,
    in_order,
    merged,
)
from streams.simulation.people import Person, in_office_hours, moment

TOPICS: Final = ("login", "billing", "export", "sync", "account", "how-to")

PURPOSES: Final[tuple[Literal["check_in", "news", "invitation"], ...]] = ("check_in", "news", "invitation")
SURVEYS: Final[tuple[Literal["nps", "csat", "feedback"], ...]] = ("nps", "csat", "feedback")

Episode = Callable[[Person, float, Dice], list[Happening]]


def solved_ticket(person: Person, time_s: float, dice: Dice) -> list[Happening]:
    """A ticket that is answered and solved within a day, mostly rated well."""
    ticket_id = person.reference("T", time_s)
    opened_s = in_office_hours(time_s, dice)
    solved_s = opened_s + dice.between(1.0, 22.0) * HOUR_S
    told = [
        Happening(opened_s, TicketOpened(ticket_id=ticket_id, topic=dice.pick(TOPICS), channel="email")),
        Happening(opened_s + dice.between(0.2, 0.9) * HOUR_S, TicketUpdated(ticket_id=ticket_id, by="agent")),
        Happening(solved_s, TicketResolved(ticket_id=ticket_id, resolution=dice.pick(("solved", "workaround")))),
    ]
    if dice.chance(0.1):
        told.append(Happening(opened_s + 0.95 * HOUR_S, TicketTransferred(ticket_id=ticket_id)))
    if dice.chance(0.4):
        csat = dice.weighted((2, 3, 4, 5), (0.05, 0.15, 0.4, 0.4))
        told.append(Happening(solved_s + dice.between(0.1, 4.0) * HOUR_S, TicketRated(ticket_id=ticket_id, csat=csat)))
    return told


def answered_call(person: Person, time_s: float, dice: Dice) -> list[Happening]:
    """A call that is answered in a minute or two, now and then abandoned first, now and then assessed afterwards."""
    call_id = person.reference("C", time_s)
    called_s = in_office_hours(time_s, dice)
    told: list[Happening] = []
    if dice.chance(0.1):
        wait_s = round(dice.between(20.0, 90.0), 1)
        told.append(Happening(called_s - 10.0 * MINUTE_S, CallAbandoned(call_id=call_id + "-1", wait_s=wait_s)))
    answered = CallAnswered(call_id=call_id, wait_s=round(5.0 + dice.gap(70.0), 1), topic=dice.pick(TOPICS))
    told.append(Happening(called_s, answered))
    if dice.chance(0.4):
        assessed = InteractionAssessed(
            interaction_id=call_id,
            agent_tone=round(dice.between(0.0, 0.9), 2),
            customer_sentiment=round(dice.between(-0.2, 0.8), 2),
        )
        told.append(Happening(called_s + HOUR_S, assessed))
    return told


def kept_promise(person: Person, time_s: float, dice: Dice) -> list[Happening]:
    """A promise that is kept before it is due."""
    promise_id = person.reference("P", time_s)
    made_s = in_office_hours(time_s, dice)
    due_s = made_s + dice.between(2.0, 6.0) * DAY_S
    kept_s = due_s - dice.between(2.0, 30.0) * HOUR_S
    return [
        Happening(made_s, PromiseMade(promise_id=promise_id, due_at=moment(due_s), what="call back")),
        Happening(kept_s, PromiseKept(promise_id=promise_id)),
    ]


def refused_with_alternative(_person: Person, time_s: float, dice: Dice) -> list[Happening]:
    """A request that cannot be met, with something else offered."""
    refusal = RequestRefused(request="custom contract", alternative_offered=True)
    return [Happening(in_office_hours(time_s, dice), refusal)]


def refund(person: Person, time_s: float, dice: Dice) -> list[Happening]:
    """A little money back."""
    amount = round(person.plan.mrr * dice.between(0.1, 0.5), 2)
    return [Happening(in_office_hours(time_s, dice), RefundIssued(amount=amount, reason="goodwill"))]


def fair_dispute(person: Person, time_s: float, dice: Dice) -> list[Happening]:
    """A disputed charge, found for the customer within the week."""
    dispute_id = person.reference("D", time_s)
    resolved_s = time_s + dice.between(1.0, 6.0) * DAY_S
    return [
        Happening(time_s, DisputeOpened(dispute_id=dispute_id, amount=person.plan.mrr)),
        Happening(resolved_s, DisputeResolved(dispute_id=dispute_id, for_customer=True)),
    ]


def terms_notice(_person: Person, time_s: float, _dice: Dice) -> list[Happening]:
    """New terms, announced well before they come into force."""
    return [Happening(time_s, TermsChanged(summary="privacy notice reworded", notified_at=moment(time_s - 35 * DAY_S)))]


def small_discount_ending(person: Person, time_s: float, dice: Dice) -> list[Happening]:
    """A small discount that ends in two weeks."""
    mrr = person.plan.mrr
    ending = DiscountEnding(
        ends_at=moment(time_s + 14.0 * DAY_S), old_mrr=round(mrr * dice.between(0.93, 0.98), 2), new_mrr=mrr
    )
    return [Happening(time_s, ending)]


def more_seats(person: Person, time_s: float, dice: Dice) -> list[Happening]:
    """A few seats more, for those who have several."""
    if person.plan.seats == 1:
        return []
    seats = person.plan.seats
    return [Happening(time_s, SeatsChanged(old=seats, new=seats + dice.whole(1, 3)))]


def harmless_look(_person: Person, time_s: float, dice: Dice) -> list[Happening]:
    """What looks like leaving and is mostly not: an export, an integration removed, a look at the exit page."""
    look = dice.pick((DataExported(what="monthly report"), IntegrationRemoved(name="old-calendar"), CancelPageViewed()))
    return [Happening(time_s, look)]


def market_look(person: Person, time_s: float, dice: Dice) -> list[Happening]:
    """A competitor's price that is about the same."""
    mrr = round(person.plan.mrr * dice.between(0.97, 1.2), 2)
    return [Happening(time_s, MarketPriceSeen(competitor="Northwind", mrr=mrr))]


def offer(person: Person, time_s: float, dice: Dice) -> list[Happening]:
    """An offer: accepted, dismissed or left unanswered."""
    offer_id = person.reference("OF", time_s)
    sent_s = in_office_hours(time_s, dice)
    told = [Happening(sent_s, OfferSent(offer_id=offer_id, channel="email"))]
    answered_s = sent_s + dice.between(0.5, 40.0) * HOUR_S
    answer = dice.weighted(("accepted", "dismissed", "none"), (0.3, 0.15, 0.55))
    if answer == "accepted":
        told.append(Happening(answered_s, OfferAccepted(offer_id=offer_id)))
    elif answer == "dismissed":
        told.append(Happening(answered_s, OfferDismissed(offer_id=offer_id)))
    return told


def opt_out(_person: Person, time_s: float, _dice: Dice) -> list[Happening]:
    """One channel less, which need not mean more than that."""
    return [Happening(time_s, OptedOut(channel="sms"))]


def giving_contact(_person: Person, time_s: float, dice: Dice) -> list[Happening]:
    """A word from the business that gives something."""
    purpose = dice.weighted(PURPOSES, (0.5, 0.3, 0.2))
    return [Happening(in_office_hours(time_s, dice), ContactMade(purpose=purpose, channel="email"))]


def benefit(_person: Person, time_s: float, dice: Dice) -> list[Happening]:
    """A present for staying."""
    granted = BenefitGranted(kind=dice.pick(("credit", "training", "upgrade")), value=round(dice.between(5.0, 20.0), 2))
    return [Happening(in_office_hours(time_s, dice), granted)]


def survey(_person: Person, time_s: float, dice: Dice) -> list[Happening]:
    """A survey answered, and what was said answered in turn."""
    kind = dice.weighted(SURVEYS, (0.5, 0.3, 0.2))
    score = {"nps": dice.whole(7, 10), "csat": dice.whole(3, 5), "feedback": None}[kind]
    replied_s = time_s + dice.between(1.0, 9.0) * DAY_S
    return [Happening(time_s, SurveyAnswered(kind=kind, score=score)), Happening(replied_s, FeedbackAnswered())]


def referral(_person: Person, time_s: float, _dice: Dice) -> list[Happening]:
    """Somebody else was told about us."""
    return [Happening(time_s, ReferralMade())]


def courtesy_call(_person: Person, time_s: float, dice: Dice) -> list[Happening]:
    """A retention agent calls, with no alert to call about."""
    called = CustomerContacted(playbook="give_before_asking", channel="phone", by=dice.pick(("amira", "jonas", "wen")))
    return [Happening(in_office_hours(time_s, dice), called)]


EPISODES: Final[tuple[tuple[str, Episode, float], ...]] = (
    ("ticket", solved_ticket, 1.3),
    ("call", answered_call, 1.3),
    ("promise", kept_promise, 0.3),
    ("refusal", refused_with_alternative, 0.12),
    ("refund", refund, 0.15),
    ("dispute", fair_dispute, 0.08),
    ("terms", terms_notice, 0.4),
    ("discount", small_discount_ending, 0.15),
    ("seats", more_seats, 0.4),
    ("look", harmless_look, 0.35),
    ("market", market_look, 0.15),
    ("offer", offer, 4.0),
    ("opt-out", opt_out, 0.1),
    ("benefit", benefit, 0.7),
    ("survey", survey, 1.1),
    ("referral", referral, 0.2),
    ("courtesy", courtesy_call, 0.15),
)
"""Name, episode, and how often it comes per year and customer."""

GIVING: Final = frozenset({"benefit"})
"""The episodes that a customer who hears nothing from the business does not get either."""


def everyday(
    person: Person, dice: Dice, heard_until_s: float | None = None, without: frozenset[str] = frozenset()
) -> Stream:
    """All of it for one customer; after `heard_until_s` the business gives nothing and keeps silent.

    `without` names the episodes, or `contact` or `news`, that this customer's life tells otherwise or goes without.
    """
    streams = [
        _repeated(person, dice.branch(name), episode, YEAR_S / per_year, heard_until_s if name in GIVING else None)
        for name, episode, per_year in EPISODES
        if name not in without
    ]
    if "contact" not in without:
        streams.append(_repeated(person, dice.branch("contact"), giving_contact, 55.0 * DAY_S, heard_until_s))
    streams.append(_outages(person, dice.branch("outages")))
    streams.append(_releases(person, dice.branch("releases"), 0.0 if "news" in without else 0.6))
    if person.world.storms:
        streams.append(_storms(person, dice.branch("storms")))
    return merged(streams)


def _repeated(person: Person, dice: Dice, episode: Episode, gap_s: float, stop_s: float | None) -> Stream:
    """The episode again and again: the next one begins after the one before has ended, so the order holds."""
    time_s = person.joined_s + DAY_S + dice.gap(gap_s)
    stop_s = person.end_s if stop_s is None else stop_s
    while time_s < stop_s:
        told = sorted(episode(person, time_s, dice), key=lambda happening: happening.time_s)
        yield from told
        time_s = max(time_s, told[-1].time_s if told else 0.0) + DAY_S + dice.gap(gap_s)


def _outages(person: Person, dice: Dice) -> Stream:
    told: list[Happening] = []
    for outage in person.world.outages:
        if outage.service == person.service and outage.start_s > person.joined_s and dice.chance(0.8):
            start = OutageStarted(outage_id=outage.outage_id, service=outage.service)
            told.append(Happening(outage.start_s, start))
            told.append(Happening(outage.end_s, OutageEnded(outage_id=outage.outage_id)))
    return in_order(told)


def _storms(person: Person, dice: Dice) -> Stream:
    """What four in five customers meet: the outage, a burst of errors within the hour, and from some a ticket."""
    told: list[Happening] = []
    for storm in person.world.storms:
        if storm.start_s < person.joined_s or not dice.chance(0.8):
            continue
        told.append(Happening(storm.start_s, OutageStarted(outage_id=storm.outage_id, service="web")))
        for _ in range(dice.whole(3, 10)):
            fatal = dice.chance(0.3)
            error = ErrorRaised(code="E_UNAVAILABLE", fatal=fatal, feature="board", count=dice.whole(1, 4))
            told.append(Happening(storm.start_s + dice.between(1.0, 55.0) * MINUTE_S, error))
        told.append(Happening(storm.end_s, OutageEnded(outage_id=storm.outage_id)))
        if dice.chance(0.15):
            asked_s = storm.start_s + dice.between(5.0, 100.0) * MINUTE_S
            ticket_id = person.reference("T", asked_s)
            told.append(Happening(asked_s, TicketOpened(ticket_id=ticket_id, topic="outage", channel="web")))
            solved = TicketResolved(ticket_id=ticket_id, resolution="solved")
            told.append(Happening(storm.end_s + dice.between(1.0, 20.0) * HOUR_S, solved))
        told.append(Happening(storm.end_s + HOUR_S, ContactMade(purpose="incident_notice", channel="email")))
    return in_order(told)


def _releases(person: Person, dice: Dice, tried: float) -> Stream:
    told: list[Happening] = []
    for release in person.world.releases:
        if release.time_s > person.joined_s:
            told.append(Happening(release.time_s, FeatureReleased(feature=release.feature)))
            if dice.chance(tried):
                tried_s = release.time_s + dice.between(1.0, 40.0) * DAY_S
                told.append(Happening(tried_s, FeatureUsed(feature=release.feature, count=dice.whole(1, 4))))
    return in_order(told)
