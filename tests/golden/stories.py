"""One customer's year for each churn type, written by hand: days after 1 January 2026, and what happened on them.

All of them also live through the ordinary year of `ordinary`: a card that fails and is paid the next day, a ticket that
is solved, a small price rise with notice. None of that may raise an alert.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from streams.engine.partitions import Places
from streams.replay import PARTITIONS
from tests.detectors.lives import at, event

MRR = 40.0
RISEN = 41.2


def used(days: Iterable[float], *features: str) -> list[bytes]:
    """A session with some use on each of the days, features in turn."""
    told = []
    for number, day in enumerate(days):
        feature = features[number % len(features)]
        told += [
            event("usage.session.started", day, client="web"),
            event("usage.feature.used", day + 0.002, feature=feature),
        ]
    return told


def weekly(until: float) -> list[bytes]:
    """Every Tuesday morning."""
    return used((5.4 + 7 * week for week in range(52) if 5.4 + 7 * week < until), "board", "reports", "board", "export")


def bill(day: float, *, paid: bool = True) -> list[bytes]:
    """An invoice as quoted, paid the next day."""
    invoice_id, amount = f"inv-{day:.0f}", MRR if day < 180 else RISEN
    issued = event("billing.invoice.issued", day, invoice_id=invoice_id, amount=amount, quoted_amount=amount)
    return [issued, event("billing.invoice.paid", day + 1, invoice_id=invoice_id, amount=amount)] if paid else [issued]


def bills(until: float) -> list[bytes]:
    """An invoice every 30 days."""
    return [line for day in range(2, 365, 30) if day < until for line in bill(day + 0.3)]


def ticket(number: str, day: float, *, topic: str, after: float, resolution: str = "solved") -> list[bytes]:
    """A ticket from opening to closing."""
    return [
        event("support.ticket.opened", day, ticket_id=number, topic=topic, channel="email"),
        event("support.ticket.updated", day + 0.1, ticket_id=number, by="agent"),
        event("support.ticket.resolved", day + after, ticket_id=number, resolution=resolution),
    ]


def heard(until: float) -> list[bytes]:
    """A word from the business every two months, a benefit, an offer that is taken."""
    told = [event("engagement.contact.made", day + 0.4, purpose="check_in") for day in range(20, 365, 60)]
    told += [
        event("engagement.offer.sent", 70.4, offer_id="of-1", channel="email"),
        event("engagement.offer.accepted", 71.4, offer_id="of-1"),
        event("engagement.benefit.granted", 100.4, kind="credit", value=10.0),
    ]
    return told[: sum(day < until for day in range(20, 365, 60))] + told[-3:]


def ordinary(until: float) -> list[bytes]:
    """What happens in anybody's year."""
    return [
        event("billing.payment.failed", 62.4, invoice_id="inv-62", attempt=1, reason="insufficient_funds"),
        *ticket("t-usual", 40.4, topic="export", after=0.4),
        event("support.ticket.rated", 41.0, ticket_id="t-usual", csat=4),
        event("billing.price.changed", 130.4, old_mrr=MRR, new_mrr=RISEN, effective_at=at(180), notified_at=at(130.4)),
        *(line for line in [event("engagement.survey.answered", 120.4, kind="nps", score=8)] if until > 120),
        event("engagement.feedback.answered", 122.4),
    ]


def began(contract_ends: float | None = None, day: float = 0.2) -> bytes:
    """The subscription starts."""
    ends: dict[str, Any] = {} if contract_ends is None else {"contract_ends_at": at(contract_ends)}
    return event("billing.subscription.started", day, plan="plus", mrr=MRR, currency="EUR", **ends)


def left(day: float, *, voluntary: bool = True, reason: str | None = None) -> bytes:
    """The subscription ends."""
    return event("billing.subscription.cancelled", day, voluntary=voluntary, reason=reason)


def involuntary() -> list[bytes]:
    """A card expires in September; six attempts in four weeks, then the business ends it."""
    failed = [
        event("billing.payment.failed", 242.3 + after, invoice_id="inv-242", attempt=attempt, reason="card_expired")
        for attempt, after in enumerate((0.5, 3.0, 7.0, 12.0, 19.0, 27.0), start=1)
    ]
    billed = [*bills(240), *bill(242.3, paid=False)]
    return [began(), *weekly(271), *billed, *ordinary(271), *heard(271), *failed, left(271.4, voluntary=False)]


def service() -> list[bytes]:
    """The export fails in July and is never mended: calls in vain, tickets closed with nothing, a broken promise."""
    told = [
        event("support.call.abandoned", 200.4, call_id="c-1", wait_s=340.0),
        event("support.call.answered", 200.5, call_id="c-2", wait_s=410.0, topic="export"),
        *ticket("t-1", 200.6, topic="export", after=3.0, resolution="none"),
        event("support.ticket.rated", 203.7, ticket_id="t-1", csat=2),
        event("support.call.abandoned", 209.4, call_id="c-3", wait_s=600.0),
        event("support.ticket.opened", 209.5, ticket_id="t-2", topic="export", channel="phone"),
        event("support.ticket.transferred", 210.4, ticket_id="t-2"),
        event("support.ticket.transferred", 211.4, ticket_id="t-2"),
        event("support.promise.made", 212.4, promise_id="p-1", due_at=at(216.4), what="a call back"),
        event("support.promise.broken", 217.4, promise_id="p-1"),
        event("support.interaction.assessed", 218.4, interaction_id="c-4", agent_tone=-0.6, customer_sentiment=-0.7),
        event("support.ticket.opened", 224.4, ticket_id="t-3", topic="export", channel="phone"),
        event("support.ticket.updated", 226.4, ticket_id="t-3", by="customer"),
        event("support.ticket.resolved", 230.4, ticket_id="t-2", resolution="refused"),
        event("support.request.refused", 230.5, request="a credit", alternative_offered=False),
        event("engagement.survey.answered", 233.4, kind="nps", score=2),
        event("usage.cancel_page.viewed", 250.4),
    ]
    return [began(), *weekly(262), *bills(262), *ordinary(262), *heard(262), *told, left(262.4, reason="support")]


def price() -> list[bytes]:
    """A fifth more from September, with two weeks of notice; the question about it is refused, rivals are cheaper."""
    told = [
        event("billing.price.changed", 232.4, old_mrr=RISEN, new_mrr=50.0, effective_at=at(246), notified_at=at(232.4)),
        event("support.ticket.opened", 233.4, ticket_id="t-1", topic="billing", channel="email"),
        event("support.ticket.resolved", 233.9, ticket_id="t-1", resolution="refused"),
        event("engagement.market_price.seen", 241.4, competitor="Northwind", mrr=39.0),
        event("engagement.market_price.seen", 252.4, competitor="Southgate", mrr=36.0),
        event("usage.cancel_page.viewed", 268.4),
    ]
    return [began(), *weekly(275), *bills(275), *ordinary(275), *heard(275), *told, left(275.4, reason="too expensive")]


def product() -> list[bytes]:
    """Since the August release it crashes; two reports lie unanswered, and then it is gone for an afternoon."""
    told = []
    for number, day in enumerate((214.4, 216.4, 219.4, 221.4, 222.4, 224.4, 226.4, 229.4, 231.4, 233.4, 236.4, 240.4)):
        told += [
            event("usage.session.started", day + 0.1, client="android"),
            event("app.error.raised", day + 0.101, code="E_STATE", fatal=False, feature="board", count=2),
            event("app.error.raised", day + 0.103, code="E_CRASH", fatal=number % 2 == 1, feature="board"),
        ]
    told += [
        event("support.ticket.opened", 221.8, ticket_id="t-1", topic="crash", channel="app", sla_hours=48.0),
        event("support.ticket.opened", 233.8, ticket_id="t-2", topic="crash", channel="app", sla_hours=48.0),
        event("app.outage.started", 238.5, outage_id="o-1", service="sync"),
        event("app.outage.ended", 238.65, outage_id="o-1"),
    ]
    return [began(), *weekly(258), *bills(258), *ordinary(258), *heard(258), *told, left(258.4, reason="does not work")]


def competitor() -> list[bytes]:
    """Northwind comes up in July; things are packed in autumn, and the contract is not renewed."""
    named: dict[str, Any] = {"agent_tone": 0.4, "customer_sentiment": -0.2, "competitor": "Northwind"}
    told = [
        event("support.interaction.assessed", 241.4, interaction_id="c-1", **named),
        event("engagement.market_price.seen", 248.4, competitor="Northwind", mrr=34.0),
        event("support.interaction.assessed", 262.4, interaction_id="c-2", **named, mentions_leaving=True),
        event("usage.data.exported", 270.4, what="everything"),
        event("usage.integration.removed", 275.4, name="calendar"),
        event("billing.auto_renew.disabled", 281.4),
    ]
    lived = [began(contract_ends=300.2), *weekly(299), *bills(299), *ordinary(299), *heard(299)]
    return [*lived, *told, left(299.4, reason="switched")]


def unrecognised() -> list[bytes]:
    """Two years here and never thanked; newcomers pay less, a survey is answered by nobody, a ticket lies."""
    deals = [
        event("engagement.offer.sent", day, offer_id=f"of-{day:.0f}", channel="web", for_newcomers_only=True, mrr=28.0)
        for day in (205.4, 226.4, 243.4)
    ]
    told = [
        event("engagement.survey.answered", 215.4, kind="nps", score=5),
        event("support.ticket.opened", 252.4, ticket_id="t-1", topic="billing", channel="email"),
        event("support.ticket.updated", 255.4, ticket_id="t-1", by="customer"),
    ]
    return [began(day=-420.0), *weekly(278), *bills(278), *ordinary(278), *deals, *told, left(278.4)]


def never_activated() -> list[bytes]:
    """A lead and a trial of six weeks: one look, another two weeks later, then the exit."""
    return [
        event("engagement.lead.registered", 1.4),
        event("billing.subscription.started", 6.4, plan="plus", mrr=MRR, trial=True, contract_ends_at=at(48.4)),
        *used((7.4, 19.4), "board"),
        event("usage.cancel_page.viewed", 33.4),
        event("billing.refund.issued", 40.4, amount=MRR, reason="second thoughts"),
        left(48.4),
    ]


def drifting() -> list[bytes]:
    """Three times a week until August, then twice, once, every other week, and from October on never again."""
    often = [day + 0.4 for week in range(30) for day in (7 * week, 7 * week + 2, 7 * week + 4)]
    less = [210.4, 213.4, 217.4, 220.4, 224.4, 231.4, 238.4, 252.4]
    lived = [began(), *used([*often, *less], "board", "reports", "export"), *bills(300), *ordinary(300), *heard(300)]
    return [*lived, left(300.4, reason="not used any more")]


STORIES: dict[str, Callable[[], list[bytes]]] = {
    "involuntary": involuntary,
    "service": service,
    "price": price,
    "product": product,
    "competitor": competitor,
    "unrecognised": unrecognised,
    "never_activated": never_activated,
    "drifting": drifting,
}


def everybody_else() -> list[bytes]:
    """Another customer on the same partition, every day: so the feed lives while the one of the story is silent."""
    places = Places(PARTITIONS)
    name = next(name for name in map("else-{}".format, range(1_000)) if places[name][1] == places["c-1"][1])
    return [event("usage.session.started", day + 0.45, customer=name) for day in range(365)]
