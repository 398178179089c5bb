"""J. Availability: what raises each signal, and what does not."""

from __future__ import annotations

from tests.detectors.lives import at, event
from tests.detectors.raised.shape import Raised

RAISED = {
    "availability.turned_away": Raised(
        [
            event("fulfilment.item.unavailable", 1, item="oat milk", response="none"),
            event("fulfilment.item.unavailable", 8, item="rye bread", response="none"),
            event("fulfilment.item.unavailable", 9, item="oat milk", response="deferred"),
        ],
        10,
        0.75,
        "Could not have what they wanted 3 times in 60 days (“oat milk”, “rye bread”): "
        "nothing was offered twice, put off once.",
        [event("fulfilment.item.unavailable", d, item="oat milk", response="alternative") for d in (1, 2, 3)],
    ),
    "availability.uninformed_delay": Raised(
        [
            event("fulfilment.order.delayed", 9, order_id="a", promised_at=at(10), informed=False),
            event("fulfilment.order.fulfilled", 13, order_id="b", promised_at=at(11), fulfilled_at=at(13)),
        ],
        14.5,
        0.5,
        "An order is 4 days late and the customer was never told; 2 orders in all.",
        [
            event("fulfilment.order.delayed", 9, order_id="a", promised_at=at(10), informed=True),
            event("fulfilment.order.fulfilled", 11, order_id="b", promised_at=at(11), fulfilled_at=at(11)),
        ],
    ),
}
