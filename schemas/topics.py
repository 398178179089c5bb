"""Every topic, as one row: creation, checks, documents and access lists derive from this table.

Rules: a name here has no prefix (`Topic.named` adds it); a number here is a default that settings may replace; rows
whose `partitions_like` names another topic must have exactly as many partitions as that one.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

Cleanup = Literal["delete", "compact"]
Role = Literal["upstream", "intake", "clock", "detector", "learner", "retention"]

DAY_MS: Final = 86_400_000
COMPACTED_WITHIN_MS: Final = 7 * DAY_MS
"""After this time Kafka compacts even a quiet topic: what a tombstone took back, an erased customer's state among it,
is gone from the disk too. Kafka's own default is never."""


class Topic(Struct, frozen=True, gc=False, kw_only=True):
    """One topic: what its key is, how long it is kept, who writes and who reads it."""

    name: str
    key: str
    cleanup: Cleanup
    retention_ms: int | None
    partitions: int
    producers: tuple[Role, ...]
    consumers: tuple[Role, ...]
    holds: str
    partitions_like: str | None = None
    batch_bytes_max: int | None = None
    segment_bytes: int | None = None  # Kafka's own 1 GiB unless set; what is in the newest one is not compacted

    def named(self, prefix: str = "") -> str:
        """The topic's name on a broker.

        >>> TOPICS["churn.alerts"].named("staging.")
        'staging.churn.alerts'
        """
        return prefix + self.name

    def config(self) -> dict[str, str]:
        """The topic's settings in Kafka's own names.

        >>> TOPICS["churn.dlq"].config()
        {'cleanup.policy': 'delete', 'retention.ms': '1209600000', 'max.message.bytes': '16777216'}
        """
        settings: dict[str, str] = {"cleanup.policy": self.cleanup}
        if self.retention_ms is not None:
            settings["retention.ms"] = str(self.retention_ms)
        if self.cleanup == "compact":
            settings["max.compaction.lag.ms"] = str(COMPACTED_WITHIN_MS)
        if self.batch_bytes_max is not None:
            settings["max.message.bytes"] = str(self.batch_bytes_max)
        if self.segment_bytes is not None:
            settings["segment.bytes"] = str(self.segment_bytes)
        return settings


def _input(name: str, holds: str, *, key: str = "any (not trusted)", days: int = 7) -> Topic:
    producer: Role = "retention" if name == "retention.feedback" else "upstream"
    return Topic(
        name=name,
        key=key,
        cleanup="delete",
        retention_ms=days * DAY_MS,
        partitions=4,
        producers=(producer,),
        consumers=("intake",),
        holds=holds,
    )


_ROWS: Final = (
    _input("billing.events", "subscriptions, prices, invoices, payments, disputes, orders"),
    _input("support.events", "tickets, calls, interactions, promises, refusals"),
    _input("app-errors.events", "errors and outages of the application"),
    _input("usage.events", "sessions, features, seats, quota, steps before an exit"),
    _input("engagement.events", "offers, contacts, surveys, market prices, fulfilment"),
    _input("retention.feedback", "what was done about alerts, requests to be forgotten", key="customer id", days=30),
    Topic(
        name="churn.journal",
        key="customer id",
        cleanup="delete",
        # Past the label horizon of 30 days: an example is labelled, and an alert explained, from these records.
        retention_ms=35 * DAY_MS,
        partitions=4,
        producers=("intake", "clock", "learner", "detector"),
        consumers=("detector",),
        holds="the one ordered log per customer; control records have no key and go to every partition",
    ),
    Topic(
        name="churn.alerts",
        key="customer id",
        cleanup="delete",
        retention_ms=90 * DAY_MS,
        partitions=4,
        producers=("detector",),
        consumers=("retention",),
        holds="every revision of every alert",
    ),
    Topic(
        name="churn.alerts.current",
        key="customer id",
        cleanup="compact",
        retention_ms=None,
        partitions=4,
        producers=("detector",),
        consumers=("retention",),
        holds="the latest revision of each open alert; a tombstone when it is resolved or erased",
    ),
    Topic(
        name="churn.scores",
        key="customer id",
        cleanup="compact",
        retention_ms=None,
        partitions=4,
        producers=("detector",),
        consumers=("retention",),
        holds="the latest risk of each customer",
    ),
    Topic(
        name="churn.examples",
        key="customer id",
        cleanup="delete",
        retention_ms=90 * DAY_MS,
        partitions=1,  # what is learned depends on the order, and here there is one
        producers=("detector",),
        consumers=("learner",),
        holds="feature snapshots and their matured labels; commands to the learner, which have no key",
    ),
    Topic(
        name="churn.insights",
        key="insight id",
        cleanup="compact",
        retention_ms=None,
        partitions=1,
        batch_bytes_max=16 * 1024 * 1024,  # the learner's state is some megabytes of numbers
        segment_bytes=64 * 1024 * 1024,  # and is replaced every half minute: whoever reads here reads that first
        producers=("learner", "detector"),
        consumers=("learner", "retention"),
        holds="the learner's state, models, quality over time; incidents, silent sources, calls given up",
    ),
    Topic(
        name="churn.dlq",
        key="original key",
        cleanup="delete",
        retention_ms=14 * DAY_MS,
        partitions=4,
        # A record at the limit of its own topic grows by the headers that say why it is here.
        batch_bytes_max=16 * 1024 * 1024,
        producers=("intake", "detector"),
        consumers=("upstream",),
        holds="what could not be used, as it came",
    ),
)

TOPICS: Final[Mapping[str, Topic]] = MappingProxyType({topic.name: topic for topic in _ROWS})
"""Name (without prefix) → topic."""

INPUT_TOPICS: Final[tuple[str, ...]] = tuple(topic.name for topic in _ROWS if "intake" in topic.consumers)
"""The topics that intake reads."""

JOURNAL: Final = "churn.journal"
ALERTS: Final = "churn.alerts"
ALERTS_CURRENT: Final = "churn.alerts.current"
SCORES: Final = "churn.scores"
EXAMPLES: Final = "churn.examples"
INSIGHTS: Final = "churn.insights"
DEAD_LETTERS: Final = "churn.dlq"

STATE_TABLE: Final = "state"
"""The name of the table that holds the customers' state."""


def state_changelog(app_id: str) -> Topic:
    """The changelog of the customers' state, which belongs to one application and needs the journal's partitions.

    >>> state_changelog("churnwatch").named("staging.")
    'staging.churnwatch-state-changelog'
    """
    return Topic(
        name=f"{app_id}-{STATE_TABLE}-changelog",
        key="customer id; empty for the partition's own record",
        cleanup="compact",
        retention_ms=None,
        partitions=TOPICS[JOURNAL].partitions,
        producers=("detector",),
        consumers=("detector",),
        holds="the state of each customer, after the 8 bytes of its fence",
        partitions_like=JOURNAL,
    )
