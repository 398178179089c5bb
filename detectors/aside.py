"""Steps of the fold that are no customer's own: heartbeats, incidents, counts over everybody.

Rules: where one fails, what it did is taken back and the others go on; the record at which it failed is a dead letter,
and never a reason to stop a partition.
"""

from collections.abc import Callable

from detectors.records import Outbox
from detectors.world import World, dump_world, restore


def attempt(step: Callable[[], None], world: World, out: Outbox, *, careful: bool) -> Exception | None:
    """Take a step; the error that it ended with, None where it did not.

    With care it is as if the step had not been taken; without, whoever calls takes back more than that.
    """
    mark, before = (out.mark(), dump_world(world)) if careful else ({}, b"")
    try:
        step()
    except Exception as error:
        if careful:
            out.undo(mark)
            restore(world, before)
        return error
    return None
