"""D. Marketing that does not listen: what raises each signal, and what does not."""

from __future__ import annotations

from tests.detectors.lives import event
from tests.detectors.raised.shape import Raised

OFFERS = [event("engagement.offer.sent", d, offer_id=f"o{d}") for d in (1, 10, 20, 30)]

RAISED = {
    "marketing.irrelevant": Raised(
        [*OFFERS, event("engagement.offer.dismissed", 11, offer_id="o10")],
        45,
        1.0,
        "Of 4 offers in 90 days, 3 went unanswered and 1 was turned down.",
        [*OFFERS, *[event("engagement.offer.accepted", d + 1, offer_id=f"o{d}") for d in (1, 20)]],
    ),
    "marketing.opted_out": Raised(
        [event("engagement.opted_out", 1, channel="sms"), event("engagement.opted_out", 9, channel="email")],
        10,
        1.0,
        "Opted out of messages twice in 90 days: sms, email.",
        [event("engagement.opted_out", 1, channel="sms")],
    ),
    "marketing.unheard": Raised(
        [
            event("engagement.survey.answered", 1, kind="csat", score=2),
            event("engagement.feedback.answered", 2),
            event("engagement.survey.answered", 5, kind="nps", score=4),
            event("engagement.survey.answered", 20, kind="feedback"),
        ],
        35.5,
        0.5,
        "Their answer to a survey (NPS) has had no reply for 30 days, nor has anything said since (2 in all).",
        [
            event("engagement.survey.answered", 5, kind="nps", score=4),
            event("engagement.feedback.answered", 6),
        ],
    ),
}
