"""Reading a partition without changing it: every customer, and every customer's risk at a time."""

from collections.abc import Iterator

import msgspec

from detectors.announce import score_row
from detectors.assess import Assessor
from detectors.customer import Customer, load
from detectors.leaving import has_cancelled
from detectors.partition import Partition
from detectors.rules import is_customer
from detectors.signals import Moment
from schemas.scores import ScoreRow


def customers(partition: Partition) -> Iterator[tuple[bytes, Customer]]:
    """Every customer as it is now, in order of key."""
    for key in sorted(customer_keys(partition)):
        yield key, partition.hot.get(key) or load(partition.states[key])


def customer_keys(partition: Partition) -> Iterator[bytes]:
    """The key of every customer, in no order."""
    dirty = partition.dirty
    for key in partition.states.keys() | dirty.keys():
        if is_customer(key) and dirty.get(key, True) is not None:
            yield key


def customer(partition: Partition, key: bytes) -> Customer:
    """One customer as it is now; a new one if the partition does not know the key."""
    c = partition.hot.get(key)
    if c is None:
        state = partition.states.get(key)
        c = load(state) if state is not None and partition.dirty.get(key, True) is not None else Customer()
    return c


def scores_at(partition: Partition, now_s: int, assessor: Assessor | None = None) -> Iterator[ScoreRow]:
    """A score row of every customer that has not left, as of a time in seconds since the epoch.

    By another assessor than the partition's, it says what another policy or model makes of the same customers.
    """
    assessor = assessor or partition.assessor
    at = Moment(assessor.policy)
    at.life = assessor.life
    at.at(now_s, partition.world.feeds)
    for key, c in customers(partition):
        if not has_cancelled(c, assessor.policy.churn):
            look = msgspec.structs.replace(c, strengths=dict(c.strengths), dues={})
            assessor.refresh(look, at, assessor.all)
            yield score_row(key.decode(), look, at, assessor)
