"""What goes into the fold and what comes out of it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

Headers = list[tuple[str, bytes]]
Write = tuple[bytes | None, bytes | None, Headers]  # key, value, headers

ALERTS, CURRENT, SCORES, DEAD = "churn.alerts", "churn.alerts.current", "churn.scores", "churn.dlq"


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
