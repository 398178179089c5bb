"""What a partition counts and says beside its customers: feeds that are alive or silent, calls given up.

Rules: it changes the world and the outbox alone; what is counted is counted once, after the event has counted for its
customer; rows of `churn.insights` go out at ticks.
"""

from typing import Any, Final

from detectors.abandonment import count_call, tell_calls
from detectors.feeds import BILLING, USAGE, hear, tell_silence
from detectors.policy import Policy
from detectors.records import Outbox
from detectors.world import World
from schemas.billing import OrderPlaced
from schemas.support import CallAbandoned, CallAnswered

USE, OTHERS = 1, 2
USE_EVERY_S: Final = 3_600  # use is so common that the fold hands it on only where it moves the newest use by so much
COUNTED: Final = {
    **dict.fromkeys(("usage.session.started", "usage.session.ended", "usage.feature.used"), USE),
    **dict.fromkeys(("billing.order.placed", "support.call.answered", "support.call.abandoned"), OTHERS),
}
"""Event types that count here, and how."""


class Everybody:
    """Counts for one partition with one policy."""

    def __init__(self, number: int, policy: Policy) -> None:
        self.number, self.grace_s = number, policy.value.feed_grace_s
        self.abandon_after_s = policy.service.abandon_after_s

    def count(self, world: World, data: Any, time_s: int) -> None:
        """Count one event of anybody."""
        kind = data.__class__
        if kind is OrderPlaced:
            world.orders_s = max(world.orders_s, time_s)
        elif kind is CallAnswered:
            count_call(world, time_s, given_up=False)
        elif kind is CallAbandoned:
            if data.wait_s > self.abandon_after_s:
                count_call(world, time_s, given_up=True)
        else:
            world.usage_s = max(world.usage_s, time_s)

    def hear(self, world: World, topic: str, time_s: int) -> None:
        """Take up what an intake says of a feed."""
        hear(world.feeds, topic, time_s, self.grace_s, told=True)

    def begin(self, world: World) -> None:
        """Before customers are looked at: the activity of this partition's own proves that a feed is alive."""
        if world.usage_s:
            hear(world.feeds, USAGE, world.usage_s, self.grace_s)
        if world.orders_s:
            hear(world.feeds, BILLING, world.orders_s, self.grace_s)

    def tick(self, world: World, out: Outbox, now_s: int) -> None:
        """Say what has changed."""
        tell_calls(world, self.number, out, now_s)
        tell_silence(world.feeds, self.number, out, now_s, self.grace_s)
