"""The numbers of the signal catalogue: how each signal is read on day 0, and what it weighs until outcomes say more.

Rules: one row per signal, in the order of the catalogue's groups; a row's window is not longer than what a state
remembers (`WINDOW_MAX_D`).
"""

import math
from functools import cache
from typing import Annotated

import msgspec
from msgspec import Meta

STRONG, MEDIUM, WEAK = 1.6, 0.8, 0.4  # log-odds at full strength: odds × 5, × 2.2, × 1.5


class SignalPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """How one signal is read: strength 0 at `from`, 1 at `to`, linear between; `prior` in log-odds."""

    from_: Annotated[float, Meta(description="strength 0 here and on the far side of it")]
    to: Annotated[float, Meta(description="strength 1 here and beyond; linear between")]
    prior: Annotated[
        float, Meta(description="log-odds at full strength until outcomes were learned from; < 0 protects")
    ]
    window_d: Annotated[int, Meta(description="rolling window in UTC days; 0 where the signal has none")] = 0
    at_least: Annotated[float, Meta(description="below this much data the signal is unknown")] = 0.0

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.from_, self.to, self.prior, self.at_least))):
            raise ValueError("every number must be finite")
        if self.from_ == self.to:
            raise ValueError("`from` and `to` must differ")
        if self.window_d < 0:
            raise ValueError("`window_d` must not be negative")


def default_signals() -> dict[str, SignalPolicy]:
    """Every row of the catalogue, in a dict of the caller's own."""
    return dict(_rows())


@cache
def _rows() -> dict[str, SignalPolicy]:
    s = SignalPolicy
    return {
        # A. Service
        "service.slow_answer": s(120, 600, MEDIUM, 30),
        "service.call_abandoned": s(0.2, 0.6, MEDIUM, 30, at_least=2),
        "service.slow_resolution": s(1, 3, STRONG, 60),
        "service.unresolved": s(1, 4, STRONG, 60),
        "service.repeat_contact": s(2, 4, STRONG, 14),
        "service.handoffs": s(2, 5, WEAK, 60),
        "service.bad_rating": s(1, 2, MEDIUM, 60),
        "service.rude_treatment": s(1, 3, MEDIUM, 60),
        "service.refused_request": s(1, 3, MEDIUM, 90),
        "service.left_in_the_dark": s(1, 3, MEDIUM),
        # B. Promise and fairness
        "promise.broken": s(1, 3, STRONG, 90),
        "promise.price_gap": s(0.02, 0.20, MEDIUM),
        "promise.missed_date": s(1, 3, MEDIUM, 60),
        "fairness.dispute": s(1, 3, MEDIUM, 180),
        "fairness.hidden_fee": s(0.02, 0.20, MEDIUM, 90),
        # C. Price and terms
        "price.increase": s(0.03, 0.25, STRONG, 365),
        "price.frequent_changes": s(2, 4, MEDIUM, 365),
        "price.no_notice": s(30, 0, MEDIUM, 120),
        "price.plan_mismatch": s(1, 3, MEDIUM),
        "price.above_market": s(0.05, 0.30, MEDIUM, 90),
        "price.discount_ending": s(0.05, 0.40, MEDIUM, 30),
        "billing.payment_trouble": s(1, 3, STRONG, 45),
        # D. Marketing
        "marketing.irrelevant": s(0.6, 1, WEAK, 90, at_least=3),
        "marketing.opted_out": s(1, 2, MEDIUM, 90),
        "marketing.unheard": s(14, 45, MEDIUM, 180),
        # E. Loyalty
        "loyalty.unrecognised": s(6, 18, WEAK),
        "loyalty.newcomer_deal": s(1, 3, MEDIUM, 90),
        # F. Value and innovation
        "value.usage_drop": s(-0.3, -0.8, STRONG, 7, at_least=28),
        "value.silence": s(2, 6, STRONG),
        "value.shallow_use": s(-0.25, -0.75, MEDIUM, 28, at_least=3),
        "value.no_news_used": s(0.5, 1, WEAK, 90, at_least=2),
        "value.seats_shrinking": s(-0.05, -0.40, STRONG, 90),
        # G. Quality
        "quality.decline": s(1.5, 4, MEDIUM, 28),
        # H. Technology
        "tech.error_burst": s(3, 10, MEDIUM),
        "tech.crashes": s(0.02, 0.15, MEDIUM, 7, at_least=5),
        "tech.outage": s(10, 240, MEDIUM, 30),
        "tech.unsupported": s(1, 3, MEDIUM, 30),
        # I. The exit
        "exit.competitor": s(1, 2, STRONG, 60),
        "exit.intent": s(1, 4, STRONG, 30),
        "exit.contract_window": s(60, 7, WEAK),
        "exit.downgrade": s(0.10, 0.60, MEDIUM, 90),
        # J. Availability
        "availability.turned_away": s(1, 3, MEDIUM, 60),
        "availability.uninformed_delay": s(1, 7, MEDIUM, 60),
        # K. Relationship
        "relationship.billed_in_silence": s(6, 18, MEDIUM),
        "relationship.moment_of_truth_failed": s(0, 1, STRONG, 90),
        "relationship.giving_balance": s(1, -1, MEDIUM, 180, at_least=2),
        "onboarding.second_thoughts": s(1, 3, STRONG),
        "lead.stalled": s(0.5, 1, STRONG),
        "lifecycle.past_optimum": s(0.8, 1.2, WEAK),
        # L. What protects
        "protect.recovered": s(0, 1, -MEDIUM, 180),
        "protect.advocate": s(1, 3, -MEDIUM, 180),
        "protect.engaged": s(1, 1.5, -WEAK, 28, at_least=4),
    }


# The longest window that a state can answer: it keeps the newest days only (detectors.kinds.DAYS_KEPT).
WINDOW_MAX_D = {
    "tech.crashes": 7,
    "service.slow_answer": 31,
    "service.call_abandoned": 31,
    "value.usage_drop": 9,  # it is also looked at as it was two weeks ago
    "value.shallow_use": 30,  # days of use are remembered for 62, and the window is compared with the one before it
    "quality.decline": 28,  # and the twelve weeks before it
    "protect.engaged": 30,
}
