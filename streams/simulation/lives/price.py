"""Price and terms: a rise, a discount that ends, cheaper rivals, a plan that does not fit, and ever new terms."""

from __future__ import annotations

from schemas.billing import DiscountEnding, InvoiceIssued, TermsChanged
from schemas.engagement import MarketPriceSeen, OfferSent
from schemas.support import TicketOpened, TicketResolved
from streams.simulation.billing import PriceBook, PriceStep, as_quoted, ordinary_prices, well_used
from streams.simulation.dice import Dice
from streams.simulation.happenings import DAY_S
from streams.simulation.lives.story import Cause, Diary, Fate, Habits, Story, decision_s, draw_fate, troubled
from streams.simulation.people import Person, moment

RISE = Cause("price", ("price.increase", "price.no_notice"))
DISCOUNT = Cause("price", ("price.discount_ending", "price.increase"))
CHEAPER = Cause("price", ("price.above_market",))
MISFIT = Cause("price", ("price.plan_mismatch",))
TERMS = Cause("price", ("price.frequent_changes", "price.no_notice"))
DOWN = Cause("price", ("exit.downgrade",))
RIVALS = ("Northwind", "Southgate", "Eastman")


def _asks_about_the_bill(diary: Diary, day: float, fate: Fate) -> None:
    at = diary.by_day(day)
    ticket_id = diary.name("T", at)
    diary.note(at, TicketOpened(ticket_id=ticket_id, topic="billing", channel="email"))
    diary.note(at + 0.2, TicketResolved(ticket_id=ticket_id, resolution="refused" if fate.leaves else "solved"))


def price(person: Person, dice: Dice) -> Story:
    """A tenth to two fifths more for the same plan, told at the onset, in force at once or some weeks later."""
    fate = draw_fate(person, dice)
    notice = dice.pick((0.0, 7.0, 14.0, 35.0))
    in_force_s = fate.onset_s + notice * DAY_S
    rise = 0.08 + 0.3 * fate.severity
    prices = ordinary_prices(person, dice.branch("prices")).with_rise(rise, in_force_s, fate.onset_s)
    diary = Diary(person, fate.onset_s, dice)
    if dice.chance(0.3 + 0.4 * fate.severity):
        _asks_about_the_bill(diary, notice + 1.0, fate)
    left_s = in_force_s + decision_s(dice)
    return troubled("price", RISE, fate, diary, left_s, Habits(prices=prices), "too expensive")


def discount(person: Person, dice: Dice) -> Story:
    """A discount that ends, announced weeks before; some look at what others charge."""
    fate = draw_fate(person, dice)
    ahead = dice.between(20.0, 45.0)
    ends_s = fate.onset_s + ahead * DAY_S
    full = person.plan.mrr
    reduced = round(full * (0.9 - 0.4 * fate.severity), 2)
    prices = PriceBook(reduced, (PriceStep(ends_s, fate.onset_s, full),))
    diary = Diary(person, fate.onset_s, dice)
    diary.note(0.1, DiscountEnding(ends_at=moment(ends_s), old_mrr=reduced, new_mrr=full))
    if dice.chance(0.4):
        seen = MarketPriceSeen(competitor=dice.pick(RIVALS), mrr=round(full * dice.between(0.6, 0.95), 2))
        diary.note(diary.by_day(dice.between(2.0, ahead)), seen)
    if dice.chance(0.4):
        _asks_about_the_bill(diary, ahead - 5.0, fate)
    left_s = ends_s + dice.between(-10.0, 25.0) * DAY_S
    habits = Habits(prices=prices, without=frozenset({"discount"}))
    return troubled("discount", DISCOUNT, fate, diary, left_s, habits, "too expensive")


def cheaper_elsewhere(person: Person, dice: Dice) -> Story:
    """Compares again and again, and finds the same for less, elsewhere or here as a newcomer."""
    fate = draw_fate(person, dice)
    prices = ordinary_prices(person, dice.branch("prices"))
    diary, day = Diary(person, fate.onset_s, dice), 0.0
    for _ in range(2 + round(2.0 * fate.severity)):
        mrr = round(prices.mrr_at(fate.onset_s) * (0.95 - 0.35 * fate.severity * dice.between(0.7, 1.0)), 2)
        at = diary.by_day(day)
        if dice.chance(0.8):
            diary.note(at, MarketPriceSeen(competitor=dice.pick(RIVALS), mrr=mrr))
        else:
            deal = OfferSent(offer_id=diary.name("OF", at), channel="web", for_newcomers_only=True, mrr=mrr)
            diary.note(at, deal)
        day += dice.between(4.0, 16.0)
    left_s = fate.onset_s + day * DAY_S + decision_s(dice)
    return troubled("cheaper_elsewhere", CHEAPER, fate, diary, left_s, Habits(prices=prices), "too expensive")


def misfit(person: Person, dice: Dice) -> Story:
    """A plan that is far too large, month after month, or one that is always too small and charges for it."""
    fate = draw_fate(person, dice)
    too_large = dice.chance(0.5)
    over = 0.1 + 0.4 * fate.severity
    months = 2.0 + 2.0 * fate.severity if fate.leaves else 1.0 + 2.0 * fate.severity
    until_s = fate.onset_s + months * 30.0 * DAY_S

    def bad(time_s: float) -> bool:
        return fate.onset_s <= time_s < until_s or (fate.leaves and time_s >= fate.onset_s)

    def bill(time_s: float, invoice: InvoiceIssued, dice: Dice) -> InvoiceIssued:
        if too_large or not bad(time_s):
            return as_quoted(time_s, invoice, dice)
        overage = round(invoice.amount * over, 2)
        return InvoiceIssued(
            invoice_id=invoice.invoice_id,
            amount=round(invoice.amount + overage, 2),
            currency="EUR",
            quoted_amount=round(invoice.amount + overage, 2),
            overage_amount=overage,
        )

    def quota(time_s: float, dice: Dice) -> float:
        if not bad(time_s):
            return well_used(time_s, dice)
        return dice.between(0.05, 0.35) if too_large else 1.0 + over

    diary = Diary(person, fate.onset_s, dice)
    if dice.chance(0.4):
        _asks_about_the_bill(diary, months * 20.0, fate)
    left_s = until_s + decision_s(dice)
    habits = Habits(bill=bill, quota=quota)
    return troubled("misfit", MISFIT, fate, diary, left_s, habits, "does not fit")


def ever_new_terms(person: Person, dice: Dice) -> Story:
    """New terms or a little more to pay every few weeks, mostly from one day to the next."""
    fate = draw_fate(person, dice)
    prices = ordinary_prices(person, dice.branch("prices"))
    diary, day = Diary(person, fate.onset_s, dice), 0.0
    for _ in range(2 + round(3.0 * fate.severity)):
        time_s = fate.onset_s + day * DAY_S
        if dice.chance(0.5):
            prices = prices.with_rise(dice.between(0.01, 0.03), time_s, time_s - dice.between(0.0, 12.0) * DAY_S)
        else:
            notified = moment(time_s - dice.between(0.0, 5.0) * DAY_S) if dice.chance(0.5) else None
            diary.note(day, TermsChanged(summary=dice.pick(("fair use", "support hours")), notified_at=notified))
        if dice.chance(0.3):
            _asks_about_the_bill(diary, day + 2.0, fate)
        day += dice.between(10.0, 28.0)
    left_s = fate.onset_s + day * DAY_S + decision_s(dice)
    return troubled("ever_new_terms", TERMS, fate, diary, left_s, Habits(prices=prices), dice.pick(("terms", None)))


def stepping_down(person: Person, dice: Dice) -> Story:
    """A smaller plan, and mostly a smaller one again, before none at all; used about as before."""
    fate = draw_fate(person, dice)
    first = mrr = person.plan.mrr
    day = 0.3
    steps: list[PriceStep] = []
    for number in range(1 + round(fate.severity)):
        time_s = fate.onset_s + day * DAY_S
        mrr = round(mrr * (1.0 - dice.between(0.15, 0.2 + 0.4 * fate.severity)), 2)
        steps.append(PriceStep(time_s, time_s, mrr, f"small-{number}"))
        day += dice.between(15.0, 40.0)
    left_s = fate.onset_s + day * DAY_S + decision_s(dice)

    def level(time_s: float) -> float:
        return 1.0 if time_s < fate.onset_s else 0.85

    habits = Habits(level=level, prices=PriceBook(first, tuple(steps)))
    diary = Diary(person, fate.onset_s, dice)
    return troubled("stepping_down", DOWN, fate, diary, left_s, habits, "too expensive")
