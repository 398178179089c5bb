"""What became of those about whom an alert opened, the control group among them: what saved revenue is measured by.

Rules:
* what was true at the opening is written down at the opening: the lot that was drawn, the first reason, the playbook
  that was recommended, the revenue; the rest is read once the horizon has passed, and never before;
* nobody learns who leaves from these: they say what acting achieves, and lie among the examples because the learner
  reads those; a program that does not know them refuses them, as they lack what an example has;
* alerts about winning back are not followed: who has left cannot leave;
* who was called is what the team has said, after the opening and before the customer left.
"""

from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from detectors import kinds
from detectors.customer import Customer
from detectors.learning.features import STAGES
from detectors.learning.groups import BY_ORDERS, BY_REST, STAGE_GROUPS
from detectors.learning.labels import has_left
from detectors.learning.rest import segments
from detectors.leaving import buys_only, buys_without_subscription
from detectors.policy import Policy
from detectors.profile import mrr_of
from detectors.signals import CATALOGUE
from schemas import alerts as wire
from schemas.times import LAST_TIME_S

MRR_MAX: Final = 1e9  # a month; beyond, a number is no price, and its square would say nothing
DIGITS: Final = 6  # of a probability that is written down

Amount = Annotated[float, Meta(ge=0, le=MRR_MAX)]

_CODES: Final = {signal.number: signal.code for signal in CATALOGUE.values()}


class Opening(NamedTuple):
    """An alert that has opened, and what the announcement knew besides what it says."""

    key: bytes
    alert: wire.Alert
    first: bool  # the customer's first under the lot that was drawn
    by_use: bool  # leaving means to do nothing at all


class Opened(msgspec.Struct, array_like=True, gc=False):
    """What was true when an alert opened. Fields are only ever appended: the order is the stored format."""

    landmark_s: int
    alert_id: str
    probability: float
    held_out: bool
    lot: int  # 0: no control group
    share: int  # of it, in ten-thousandths
    first: bool
    reason: int  # number of the first reason's signal; 0: none
    playbook: str  # the one recommended first
    mrr: float  # −1: unknown
    currency: str
    orders_only: bool
    by_use: bool = False
    segments: list[str] = []
    stage: int = -1  # place among STAGES; −1: not written down, nor is the next one
    by_orders: bool = False


class AlertOutcome(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="alert_outcome"):
    """An alert and what became of the customer within the horizon."""

    customer_id: Annotated[str, Meta(min_length=1)]
    alert_id: Annotated[str, Meta(min_length=1)]
    opened_s: Annotated[int, Meta(ge=0, le=LAST_TIME_S)]
    probability: Annotated[float, Meta(ge=0, le=1)]
    delivery: wire.Delivery
    lot: Annotated[int, Meta(ge=0, lt=2**32, description="which control group was drawn; 0: none")]
    share: Annotated[int, Meta(ge=0, le=10_000, description="of the control group, in ten-thousandths")]
    first: Annotated[bool, Meta(description="the customer's first alert under this lot")]
    reason: Annotated[str, Meta(description="the signal that added most; empty: none")] = ""
    recommended: Annotated[str, Meta(description="the playbook recommended first; empty: none")] = ""
    contacted: Annotated[str, Meta(description="by which playbook the team called first; empty: nobody did")] = ""
    mrr: Annotated[Amount, Meta(description="a month, at the opening")] | None = None
    mrr_kept: Annotated[Amount, Meta(description="when the horizon had passed, at most what it was")] | None = None
    currency: str = ""
    groups: Annotated[tuple[str, ...], Meta(description="that the customer was of when it opened")] = ()
    lead_s: (
        Annotated[int, Meta(ge=0, le=LAST_TIME_S, description="seconds until it left, of who said so; null: nobody")]
        | None
    ) = None
    left: bool


encode_outcome: Final = msgspec.json.Encoder().encode
"""An outcome as compact JSON."""

decode_outcome: Final = msgspec.json.Decoder(AlertOutcome).decode
"""Decode an outcome; raises msgspec's errors for anything else."""


def opened_of(opening: Opening, c: Customer, policy: Policy, lot: int) -> Opened:
    """What is written down when an alert opens, from the customer as it was announced."""
    alert = opening.alert
    landmark_s = c.alert.opened_s if c.alert is not None else 0
    revenue = alert.revenue_at_risk
    known = revenue is not None and 0.0 <= revenue.mrr <= MRR_MAX
    return Opened(
        landmark_s,
        alert.alert_id,
        round(c.probability, DIGITS),
        alert.delivery == "hold_out",
        lot,
        round(policy.hold_out.share * 10_000) if lot else 0,
        opening.first,
        c.alert.first_reason if c.alert is not None else 0,
        alert.recommended_actions[0].code if alert.recommended_actions else "",
        revenue.mrr if revenue is not None and known else -1.0,
        revenue.currency if revenue is not None and known else "",
        buys_only(c, policy),
        opening.by_use,
        sorted(segments(c)),
        STAGES.index(alert.lifecycle_stage),
        buys_without_subscription(c),
    )


def outcome_of(customer_id: str, opened: Opened, c: Customer, horizon_s: int) -> AlertOutcome:
    """What became of it, once the horizon has passed."""
    left = has_left(c, opened.landmark_s, horizon_s, orders_only=opened.orders_only, by_use=opened.by_use)
    end_s = opened.landmark_s + horizon_s
    cancelled = left and not opened.orders_only and not opened.by_use
    known, kept = opened.mrr >= 0.0, 0.0
    if known and not left:
        kept = min(opened.mrr, mrr_of(c, end_s) or 0.0)
    return AlertOutcome(
        customer_id=customer_id,
        alert_id=opened.alert_id,
        opened_s=opened.landmark_s,
        probability=opened.probability,
        delivery="hold_out" if opened.held_out else "deliver",
        lot=opened.lot,
        share=opened.share,
        first=opened.first,
        reason=_CODES.get(opened.reason, ""),
        recommended=opened.playbook,
        contacted=_contact(c, opened.landmark_s, c.churned_s if cancelled else end_s),
        mrr=opened.mrr if known else None,
        mrr_kept=kept if known else None,
        currency=opened.currency,
        groups=_groups(opened),
        lead_s=c.churned_s - opened.landmark_s if cancelled else None,
        left=left,
    )


def _groups(opened: Opened) -> tuple[str, ...]:
    if opened.stage < 0:
        return tuple(opened.segments)
    return (*opened.segments, STAGE_GROUPS[opened.stage], BY_ORDERS if opened.by_orders else BY_REST)


def _contact(c: Customer, after_s: int, until_s: int) -> str:
    """The playbook of the team's first contact within a span, as far back as contacts are kept."""
    for contact in c.points.get(kinds.CONTACTED, ()):
        if after_s < contact.time_s <= until_s:
            return contact.label
    return ""
