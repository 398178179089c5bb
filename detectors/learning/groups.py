"""The groups that figures are given for: everybody, plan, channel, lifecycle stage, and how a customer is known.

Rules: a group is told from what an example holds, as of its landmark; there are at most SEGMENTS plans and channels,
the first ones met, and a fixed few of everything else, so that whatever is kept by group is bounded.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from detectors.customer import Customer
from detectors.learning.features import STAGES
from detectors.learning.rest import segments
from detectors.learning.space import NAMES
from detectors.leaving import buys_without_subscription

if TYPE_CHECKING:
    from detectors.learning.examples import Example  # which writes down the groups of an alert

ALL: Final = "all"
BY_ORDERS, BY_REST = "known_by:orders", "known_by:subscription"
STAGE_GROUPS: Final = tuple(f"stage:{stage}" for stage in STAGES)
FIXED_GROUPS: Final = (ALL, *STAGE_GROUPS, BY_ORDERS, BY_REST)
"""The groups that every business has; the others are named by events."""

_AT: Final = {name: at for at, name in NAMES.items()}
_STAGES: Final = tuple((_AT[f"stage_{stage}"], f"stage:{stage}") for stage in STAGES)
_ORDERS: Final = _AT["orders.only"]


def groups_of(example: "Example", kept: Iterable[str]) -> list[str]:
    """The groups of an example besides ALL; of plans and channels those that are kept.

    >>> from detectors.learning.examples import Example
    >>> groups_of(Example(customer_id="c", landmark_s=0, space=0, probability=0.1, values={}, left=False), ["plan:pro"])
    ['plan:pro', 'known_by:subscription']
    """
    found = list(kept)
    values = example.values
    for at, name in _STAGES:
        if at in values:
            found.append(name)
            break
    found.append(BY_ORDERS if _ORDERS in values else BY_REST)
    return found


def groups_of_customer(c: Customer, stage: str) -> tuple[str, ...]:
    """The same of a customer as it is now, in the lifecycle stage that was found for it."""
    return (*segments(c), f"stage:{stage}", BY_ORDERS if buys_without_subscription(c) else BY_REST)


def known_groups(names: Iterable[str], kept: Iterable[str]) -> list[str]:
    """Those of some groups besides ALL that are told of, in order of their names; of plans and channels those kept.

    >>> known_groups(["stage:active", "all", "plan:pro", "plan:new"], ["plan:pro"])
    ['plan:pro', 'stage:active']
    """
    return sorted(({*FIXED_GROUPS, *kept} - {ALL}).intersection(names))
