"""What goes into the fold and what comes out of it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

Headers = list[tuple[str, bytes]]
Write = tuple[bytes | None, bytes | None, Headers]  # key, value, headers

ALERTS, CURRENT, SCORES, DEAD = "churn.alerts", "churn.alerts.current", "churn.scores", "churn.dlq"
JOURNAL, INSIGHTS = "churn.journal", "churn.insights"  # what goes to the journal goes to every partition of it
EXAMPLES = "churn.examples"


class Record(Protocol):
    """One record of the journal, as a Kafka client gives it."""

    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Snapshot(NamedTuple):
    """Everything that became true since the last snapshot."""

    states: list[tuple[bytes, bytes | None]]  # changelog: key → state bytes, or a tombstone
    writes: dict[str, list[Write]]  # topic → records


class Outbox:
    """What the fold has to say since the last snapshot, by topic."""

    def __init__(self) -> None:
        self.writes: dict[str, list[Write]] = {}

    def write(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers | None = None) -> None:
        """Add a record; without a value it is a tombstone."""
        writes = self.writes.get(topic)
        if writes is None:
            writes = self.writes[topic] = []
        writes.append((key, value, [] if headers is None else headers))

    def mark(self) -> dict[str, int]:
        """Where every topic stands now, for `undo`."""
        return {topic: len(writes) for topic, writes in self.writes.items()}

    def undo(self, mark: dict[str, int]) -> None:
        """Take back what was written since a mark."""
        for topic, writes in self.writes.items():
            del writes[mark.get(topic, 0) :]
