"""D. Marketing that does not listen."""

from detectors import kinds
from detectors.customer import DAY_S, Case, Customer, Point
from detectors.history.engagement import DISMISSED, TOOK_OFFER
from detectors.signals.base import Because, Moment, newest, often, openings, signal, span, times
from schemas.engagement import FeedbackAnswered, OfferAccepted, OfferDismissed, OfferSent, OptedOut, SurveyAnswered


def offers(c: Customer, at: Moment) -> tuple[list[Case], list[Case], int]:
    """Of the offers in the window: those ignored for long enough to say so, those dismissed, and how many were taken.

    What was taken is counted by its acceptance, which is kept longer than the offer.
    """
    ignored, dismissed = [], []
    for offer in c.cases.get(kinds.OFFERED, {}).values():
        sent_day = offer.opened_s // DAY_S
        if not offer.opened_s or sent_day <= at.day - at.row.window_d:
            continue
        if not offer.is_open:
            if offer.outcome == DISMISSED:
                dismissed.append(offer)
                at.until((sent_day + at.row.window_d) * DAY_S)
        elif sent_day + at.policy.marketing.offer_open_d <= at.day:
            ignored.append(offer)
            at.until((sent_day + at.row.window_d) * DAY_S)
        else:
            at.until((sent_day + at.policy.marketing.offer_open_d) * DAY_S)
    advocacy = at.in_points(c.points.get(kinds.ADVOCACY), at.row.window_d)
    return ignored, dismissed, sum(p.value == TOOK_OFFER for p in advocacy)


@signal("marketing.irrelevant", number=23, depends=(OfferSent, OfferAccepted, OfferDismissed))
def irrelevant(c: Customer, at: Moment) -> float | None:
    """Share of the offers within the window that were ignored (for `marketing.offer_open_d`) or dismissed."""
    ignored, dismissed, taken = offers(c, at)
    count = len(ignored) + len(dismissed) + taken
    return 1 - taken / count if count >= at.row.at_least and count else None


@irrelevant.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    ignored, dismissed, taken = offers(c, at)
    count = len(ignored) + len(dismissed) + taken
    said = [f"{len(ignored)} went unanswered"] if ignored else []
    if dismissed:
        said.append(f"{len(dismissed)} {'was' if len(dismissed) == 1 else 'were'} turned down")
    return Because(
        f"Of {times(count, 'offer')} in {at.row.window_d} days, {' and '.join(said)}.",
        openings(ignored + dismissed),
    )


@signal("marketing.opted_out", number=24, depends=(OptedOut,))
def opted_out(c: Customer, at: Moment) -> float | None:
    """Opt-outs within the window."""
    if kinds.OPTED_OUT not in c.points:
        return None
    return float(len(at.in_points(c.points[kinds.OPTED_OUT], at.row.window_d)))


@opted_out.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    outs = at.in_points(c.points.get(kinds.OPTED_OUT), at.row.window_d)
    channels = ", ".join(dict.fromkeys(p.label for p in outs))
    return Because(
        f"Opted out of messages {often(value)} in {at.row.window_d} days: {channels}.",
        newest(outs),
    )


def unanswered(c: Customer, at: Moment) -> list[Point]:
    """What the customer said within the window and after the newest reply, oldest first."""
    said = at.in_points(c.points.get(kinds.SURVEY), at.row.window_d)
    for i in range(len(said) - 1, -1, -1):
        if said[i].value:
            return said[i + 1 :]
    return said


@signal("marketing.unheard", number=25, depends=(SurveyAnswered, FeedbackAnswered))
def unheard(c: Customer, at: Moment) -> float | None:
    """Days since the oldest survey or feedback within the window that has no answer yet."""
    if kinds.SURVEY not in c.points:
        return None
    waiting = unanswered(c, at)
    return at.growing(waiting[0].time_s, DAY_S) if waiting else 0.0


@unheard.reason
def _(c: Customer, at: Moment, value: float) -> Because:
    waiting = unanswered(c, at)
    many = f", nor has anything said since ({len(waiting)} in all)" if len(waiting) > 1 else ""
    what = "feedback" if waiting[0].label == "feedback" else f"answer to a survey ({waiting[0].label.upper()})"
    return Because(
        f"Their {what} has had no reply for {span(at.now_s - waiting[0].time_s)}{many}.",
        newest(waiting),
    )
