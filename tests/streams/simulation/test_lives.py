"""Each kind of life tells what it claims to, and the detector sees the signal that it is said to show in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from detectors.model import Model
from detectors.partition import Partition
from detectors.policy import Policy
from detectors.reading import scores_at
from detectors.signals import CATALOGUE
from schemas.billing import OrderPlaced
from schemas.events import TYPE_OF
from schemas.journal import encode_tick
from schemas.journal_dump import JournalRecord
from schemas.usage import SessionStarted
from streams.durations import parse_time_s
from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S
from streams.simulation.lives import LIVES, TROUBLED_LIVES, Life, Story
from streams.simulation.people import make_person, make_world
from streams.simulation.population import numbered
from streams.simulation.wire import Told, emission

START_S = parse_time_s("2025-01-01")
PEOPLE = 10

TELLS = {
    "unsolved": "support.call.abandoned support.ticket.opened support.ticket.resolved support.ticket.rated",
    "slow": "support.call.answered support.ticket.opened support.ticket.updated support.ticket.resolved",
    "rude": "support.interaction.assessed support.request.refused support.ticket.transferred",
    "broken_promises": "support.promise.made support.promise.broken",
    "late_parcels": "fulfilment.order.delayed fulfilment.order.fulfilled",
    "price": "billing.price.changed",
    "discount": "billing.discount.ending billing.price.changed",
    "cheaper_elsewhere": "engagement.market_price.seen",
    "misfit": "usage.quota.reported billing.invoice.issued",
    "ever_new_terms": "billing.terms.changed billing.price.changed",
    "stepping_down": "billing.plan.changed",
    "hidden_fees": "billing.invoice.issued billing.dispute.opened billing.dispute.resolved",
    "payment": "billing.invoice.issued billing.payment.failed",
    "crashes": "app.error.raised support.ticket.opened",
    "outages": "app.outage.started app.outage.ended",
    "decline": "app.error.raised support.ticket.opened support.ticket.resolved",
    "turned_away": "billing.order.placed fulfilment.item.unavailable",
    "rival": "support.interaction.assessed usage.data.exported",
    "contract_ends": "billing.auto_renew.disabled usage.cancel_page.viewed",
    "unheard": "billing.invoice.issued support.ticket.opened support.promise.broken",
    "overlooked": "engagement.offer.sent",
    "badgered": "engagement.offer.sent engagement.offer.dismissed engagement.opted_out engagement.survey.answered",
    "stalled_trial": "engagement.lead.registered billing.subscription.started usage.session.started",
    "second_thoughts": "usage.cancel_page.viewed billing.refund.issued",
    "drifting": "usage.session.started",
    "quiet_shopper": "billing.order.placed",
    "outgrown": "usage.feature.used usage.feature.released",
    "outlived": "usage.session.started",
    "fewer_seats": "usage.seats.changed",
    "healthy": "usage.session.started billing.invoice.paid support.ticket.opened",
    "advocate": "engagement.referral.made engagement.survey.answered engagement.offer.accepted",
    "shopper": "billing.order.placed fulfilment.order.fulfilled",
    "recovered": "support.ticket.rated engagement.contact.made engagement.benefit.granted",
    "need_gone": "billing.subscription.cancelled",
}


def led(life: Life) -> tuple[Story, ...]:
    """A year of some customers who all lead the same life; what happens to them can be told once."""
    world = make_world(4, START_S, START_S + 365 * DAY_S)
    made = (Dice(f"{life.__name__}/{number}") for number in range(PEOPLE))
    return tuple(
        life(make_person(world, number, dice.branch("person")), dice.branch("life")) for number, dice in enumerate(made)
    )


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_a_life_tells_what_it_is_about_from_when_its_trouble_began(life: Life) -> None:
    told = {
        TYPE_OF[type(one.data)]
        for story in led(life)
        for one in story.happenings()
        if one.time_s >= (story.began_s or 0.0) - DAY_S
    }
    assert set(TELLS[life.__name__].split()) - told == set()


@pytest.mark.parametrize("life", [life for life, _ in TROUBLED_LIVES], ids=lambda life: life.__name__)
def test_the_detector_sees_every_signal_that_a_life_is_said_to_show_in(life: Life) -> None:
    stories = [story for story in led(life) if story.cause is not None]
    claimed = {code for story in stories if story.cause is not None for code in story.cause.signals}
    assert claimed
    assert not_raised(claimed & CATALOGUE.keys(), stories) == set()


def not_raised(codes: set[str], stories: Iterable[Story]) -> set[str]:
    """Which of the signals no story raised; nothing is read beyond the day on which the last of them was."""
    left = set(codes)
    for story in stories:
        for found in raised(story):
            left -= found
            if not left:
                return left
    return left


def raised(story: Story) -> Iterator[set[str]]:
    """The signals that had a strength at the end of each day between the beginning of the trouble and the leaving."""
    fold = Partition(0, {}, Policy(), Model.prior(Policy()))
    began_s, end_s = story.began_s or 0.0, min(story.left_s or story.person.end_s, story.person.end_s)
    offset, day_s = 0, story.person.joined_s
    waiting: list[JournalRecord] = []

    def add(key: bytes | None, value: bytes) -> None:
        nonlocal offset
        offset += 1
        waiting.append(JournalRecord(offset, key, value, 0))

    def look(time_s: float) -> set[str]:
        add(b"somebody-else", awake(time_s, SessionStarted()))
        add(b"somebody-else", awake(time_s, OrderPlaced(order_id=f"O-{time_s:.0f}", amount=1.0)))
        add(None, encode_tick(int(time_s)))
        fold.feed(list(waiting))
        waiting.clear()
        if time_s < began_s:
            return set()
        return {r.code for row in scores_at(fold, int(time_s)) for r in row.reasons}  # the other one has none

    def awake(time_s: float, data: SessionStarted | OrderPlaced) -> bytes:  # one who is never silent keeps feeds alive
        return emission(
            Told(time_s - 60.0, "somebody-else", 2 * int(time_s) + isinstance(data, OrderPlaced), data)
        ).value

    for told in numbered(story):
        while told.time_s >= day_s + DAY_S and day_s < end_s - DAY_S:
            day_s += DAY_S
            yield look(day_s)
        add(told.customer_id.encode(), emission(told).value)
    while day_s < end_s - DAY_S:
        day_s += DAY_S
        yield look(day_s)
