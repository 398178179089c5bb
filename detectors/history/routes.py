"""Which function remembers which event type. A handler changes the customer and nothing else.

A handler gets data that has been checked, so it does not fail; it raises `RefusedError`, before it has
changed anything, where an event contradicts the customer's state. It returns true where the event was more of the same
(the tenth use of a day, say), by which no signal rises that had no strength: then only those that have one are read.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from detectors.customer import Customer
from schemas.deadletters import Reason

D = TypeVar("D")
Handler = Callable[[Customer, D, int, str], bool | None]  # customer, data, event time (s), event id

HANDLERS: dict[type, Handler[Any]] = {}


class RefusedError(Exception):
    """The event cannot be true of this customer; the reason is one of the dead-letter reasons."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


def on(kind: type[D]) -> Callable[[Handler[D]], Handler[D]]:
    """Register the handler of one event type; a second one for the same type is a mistake."""

    def register(handler: Handler[D]) -> Handler[D]:
        if kind in HANDLERS:
            raise ValueError(f"{kind.__name__} has a handler already")
        HANDLERS[kind] = handler
        return handler

    return register


MOST = 10**9  # of a share in its unit: beyond, a number says nothing more, and must still fit into a state


def share(part: float, whole: float, scale: int) -> int:
    """`part` ÷ `whole` in units of 1 ÷ `scale`, kept in bounds.

    >>> share(3.0, 2.0, 1000), share(1e14, 1e-300, 1000), share(1.0, 0.0, 1000)
    (1500, 1000000000, 0)
    """
    return round(min(scale * (part / whole), MOST)) if whole else 0


def cents(amount: float) -> int:
    """Whole cents of an amount: whole numbers add up to the same sum in any order."""
    return round(amount * 100)
