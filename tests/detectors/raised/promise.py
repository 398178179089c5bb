"""B. Promise and fairness: what raises each signal, and what does not."""

from __future__ import annotations

from typing import Any

from tests.detectors.lives import at, event
from tests.detectors.raised.shape import History, Raised


def promised(name: str, day: float, due_day: float, what: str | None = None) -> bytes:
    return event("support.promise.made", day, promise_id=name, due_at=at(due_day), what=what, id=f"made {name}")


def invoice(day: float, amount: float, **data: Any) -> bytes:
    return event("billing.invoice.issued", day, invoice_id=f"i{day}", amount=amount, **data)


def fees(*amounts: float, disclosed: bool = False) -> list[dict[str, object]]:
    return [{"code": f"f{i}", "amount": amount, "disclosed": disclosed} for i, amount in enumerate(amounts)]


def late_orders() -> History:
    return [
        event("fulfilment.order.fulfilled", 10, order_id="r1", promised_at=at(8), fulfilled_at=at(10)),
        event("fulfilment.order.delayed", 11, order_id="r2", promised_at=at(12), informed=True),
        event("fulfilment.order.fulfilled", 13, order_id="r2", fulfilled_at=at(13)),
        event("fulfilment.order.delayed", 12, order_id="r3", promised_at=at(14), informed=False),
    ]


RAISED = {
    "promise.broken": Raised(
        [
            promised("p1", 1, 3, "call back"),
            event("support.promise.broken", 3.1, promise_id="p1"),
            promised("p2", 2, 5, "a fix"),
            promised("p3", 2, 4),
            event("support.promise.kept", 3.5, promise_id="p3"),
            promised("p4", 2, 30),
            event("support.promise.broken", 4, promise_id="p5"),
        ],
        6,
        1.0,
        "2 promises broken and 1 past due and not kept in 90 days, the newest: “a fix”.",
        [promised("p1", 1, 3), event("support.promise.kept", 2, promise_id="p1"), promised("p2", 2, 30)],
    ),
    "promise.price_gap": Raised(
        [invoice(1, 50.0, quoted_amount=50.0), invoice(31, 56.0, quoted_amount=50.0)],
        32,
        0.5,
        "The newest invoice is 12% above what was quoted: 56.00 instead of 50.00.",
        [invoice(1, 90.0, quoted_amount=50.0), invoice(31, 49.0, quoted_amount=50.0)],
    ),
    "promise.missed_date": Raised(
        late_orders(),
        15,
        1.0,
        "3 orders missed the promised date in 60 days, 1 of them not fulfilled yet, the oldest 24 hours late.",
        [
            event("fulfilment.order.fulfilled", 8, order_id="r1", promised_at=at(8), fulfilled_at=at(8)),
            event("fulfilment.order.delayed", 11, order_id="r2", promised_at=at(17), informed=False),
        ],
    ),
    "fairness.dispute": Raised(
        [
            event("billing.dispute.opened", 1, dispute_id="d1", amount=20.0, id="1"),
            event("billing.dispute.resolved", 9, dispute_id="d1", for_customer=False, id="2"),
            event("billing.dispute.opened", 12, dispute_id="d2", amount=14.5, id="3"),
            event("billing.dispute.opened", 13, dispute_id="d3", amount=99.0, id="4"),
            event("billing.dispute.resolved", 14, dispute_id="d3", for_customer=True, id="5"),
        ],
        20,
        0.5,
        "1 dispute open and 1 lost by the customer in 180 days, over 34.50 together.",
        [
            event("billing.dispute.opened", 1, dispute_id="d1", amount=20.0),
            event("billing.dispute.resolved", 9, dispute_id="d1", for_customer=True),
        ],
    ),
    "fairness.hidden_fee": Raised(
        [
            invoice(1, 50.0, fees=fees(4.0, 2.0)),
            invoice(31, 50.0, fees=fees(2.5)),
            invoice(61, 60.0, fees=fees(10.0, disclosed=True)),
        ],
        62,
        0.5,
        "Fees that were not disclosed made up 12% of an invoice: 6.00 of 50.00; 2 invoices had such fees in 90 days.",
        [invoice(1, 50.0, fees=fees(20.0, disclosed=True)), invoice(31, 50.0, fees=fees(0.9))],
    ),
}
