"""What is announced: as exact as if every signal had been read at that moment."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.customer import dump, load
from detectors.learning.features import FEATURES
from detectors.model import Model
from tests.detectors.lives import MODEL, event, new_model, partition, records, tick

Kind = tuple[str, dict[str, Any]]
TROUBLE: tuple[Kind, ...] = (
    ("usage.session.started", {}),
    ("usage.session.ended", {}),
    ("usage.feature.used", {"feature": "f1"}),
    ("usage.feature.used", {"feature": "f2"}),
    ("usage.feature.released", {"feature": "f2"}),
    ("usage.feature.released", {"feature": "f3"}),
    ("usage.cancel_page.viewed", {}),
    ("usage.data.exported", {}),
    ("usage.quota.reported", {"used": 10.0, "included": 100.0}),
    ("support.ticket.opened", {"ticket_id": "t1", "topic": "x", "sla_hours": 24}),
    ("support.ticket.opened", {"ticket_id": "t2", "topic": "x"}),
    ("support.ticket.reopened", {"ticket_id": "t1"}),
    ("support.ticket.resolved", {"ticket_id": "t1", "resolution": "solved"}),
    ("support.ticket.rated", {"ticket_id": "t1", "csat": 1}),
    ("support.promise.broken", {"promise_id": "p"}),
    ("support.call.answered", {"call_id": "k", "wait_s": 400.0, "topic": "x"}),
    ("support.interaction.assessed", {"interaction_id": "a", "mentions_leaving": True, "competitor": "Northwind"}),
    ("billing.subscription.started", {"plan": "pro", "mrr": 50.0, "term_months": 3}),
    ("billing.subscription.started", {"plan": "pro", "mrr": 50.0, "trial": True}),
    ("billing.order.placed", {"order_id": "o", "amount": 20.0}),
    ("billing.invoice.issued", {"invoice_id": "i", "amount": 60.0, "quoted_amount": 50.0}),
    ("billing.payment.failed", {"invoice_id": "i", "attempt": 1}),
    ("billing.plan.changed", {"old_plan": "pro", "new_plan": "basic", "old_mrr": 50.0, "new_mrr": 20.0}),
    ("engagement.offer.sent", {"offer_id": "f", "for_newcomers_only": True, "mrr": 30.0}),
    ("engagement.survey.answered", {"kind": "nps", "score": 9}),
    ("engagement.survey.answered", {"kind": "nps", "score": 2}),
    ("engagement.lead.registered", {}),
    ("engagement.contact.made", {"purpose": "check_in"}),
    ("app.error.raised", {"code": "E", "fatal": True, "count": 5}),
    ("app.outage.started", {"outage_id": "o", "service": "api"}),
)


@st.composite
def troubles(draw: st.DrawFn) -> list[bytes]:
    """Two customers' half year, with late events, and ticks by which much is announced."""
    values: list[bytes] = []
    day = 0.0
    for i in range(draw(st.integers(10, 70))):
        day += draw(st.sampled_from([0.01, 0.3, 1.0, 4.0]))
        kind, data = draw(st.sampled_from(TROUBLE))
        late = max(0.0, day - draw(st.sampled_from([0.0, 0.0, 0.0, 2.0, 40.0])))
        values.append(event(kind, late, customer=draw(st.sampled_from(("c-1", "c-1", "c-2"))), id=str(i), **data))
        if draw(st.booleans()):
            values.append(tick(day))
    return [*values, tick(day + 30)]


# One that has learned something of every signal and feature, but nothing of what is unknown: whether a signal is, is as
# of when it was read last.
LEARNED = Model(
    "learned",
    MODEL.intercept,
    {code: weight * (0.5, 1.5, -0.3)[i % 3] for i, (code, weight) in enumerate(MODEL.weights.items())},
    1_000,
    {feature.name: 0.02 * (i % 7 - 3) for i, feature in enumerate(FEATURES)},
    {feature.name: 0.5 for feature in FEATURES if feature.speaks_for},
)


@pytest.mark.parametrize("rules", [(), (new_model(0, LEARNED),)], ids=["priors", "learned"])
@settings(max_examples=100, deadline=None)
@given(troubles())
def test_what_is_announced_is_what_a_full_reading_says(rules: tuple[bytes, ...], values: list[bytes]) -> None:
    p = partition()
    seen: dict[bytes, tuple[str, int]] = {}
    for record in records([*rules, *values]):
        p.feed([record])
        for key, c in p.hot.items():
            if c.alert is None or c.left_s or seen.get(key) == (c.alert.alert_id, c.alert.revision):
                continue
            seen[key] = (c.alert.alert_id, c.alert.revision)
            again = load(dump(c))
            assert c.alert.revised_s == p.desk.moment.now_s
            full = p.assessor.refresh(again, p.desk.moment, p.assessor.all)
            assert c.alert.contributions == p.assessor.contributions(again)
            assert c.alert.probability == full
