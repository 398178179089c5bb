"""The account of one alert: its journal folded again, and what stood behind each of its revisions.

Rules: the fold that explains is the fold that decided, there is no second one; what it says again is compared byte for
byte with what was said by whoever has that; nothing is read but the journal.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from detectors.model import Model
from detectors.partition import Partition
from detectors.policy import Policy
from detectors.reading import customer
from detectors.records import ALERTS, Record
from schemas.alerts import AlertEvent, decode_alert
from schemas.events import Event, decode_event

BATCH_RECORDS = 10_000


class Weighed(NamedTuple):
    """One signal's part in the log-odds: strength × weight."""

    code: str
    strength: float
    weight: float
    contribution: float


class Told(NamedTuple):
    """An event of the customer, as the journal holds it."""

    offset: int
    event: Event


class Retraced(NamedTuple):
    """One revision as it was derived again."""

    offset: int  # of the record that made it
    value: bytes
    event: AlertEvent
    base: float  # log-odds that no signal accounts for
    weighed: tuple[Weighed, ...]  # strongest first

    @property
    def log_odds(self) -> float:
        """The base and all contributions together."""
        return self.base + math.fsum(w.contribution for w in self.weighed)


class Account:
    """Folds a journal partition again up to the last revision of an alert, and notes what stood behind each.

    `key` is the customer's, and `offsets` are the `evidence_range.last_offset` of the alert's revisions.
    """

    def __init__(
        self, number: int, alert_id: str, key: bytes, offsets: Sequence[int], policy: Policy, model: Model
    ) -> None:
        self.alert_id, self.key = alert_id, key
        self.records = 0
        self.first_offset = -1  # where the journal that was read begins
        self.revisions: list[Retraced] = []
        self.events: dict[str, Told] = {}  # of the customer, by id
        self._fold = Partition(number, {}, policy, model)
        self._stops = sorted(set(offsets))
        self._batch: list[Record] = []

    def add(self, record: Record) -> bool:
        """Take the next record, in order of offsets; false once no more are needed."""
        if not self._stops or record.offset > self._stops[-1]:
            return False
        if not self.records:
            self.first_offset = record.offset
        self.records += 1
        self._batch.append(record)
        if record.key == self.key:
            _tell(self.events, record)
        if record.offset in self._stops or len(self._batch) >= BATCH_RECORDS:
            self._fold.feed(self._batch)
            self._batch = []
            self._collect(record.offset)
        return record.offset < self._stops[-1]

    def _collect(self, offset: int) -> None:
        """Note what the fold has said of the alert since it was last asked."""
        fold, assessor = self._fold, self._fold.assessor
        for key, value, _ in fold.snapshot().writes.get(ALERTS, ()):
            if key != self.key or value is None:
                continue
            event = decode_alert(value)
            if event.data.alert_id != self.alert_id or event.data.evidence_range.last_offset != offset:
                continue
            c = customer(fold, key)
            weighed = [
                Weighed(assessor.by_number[n].signal.code, c.strengths[n], contribution / c.strengths[n], contribution)
                for n, contribution in assessor.contributions(c).items()
                if contribution and n in assessor.by_number
            ]
            weighed.sort(key=lambda w: (-w.contribution, w.code))
            # Of one who was erased with this revision nothing is left but what was said.
            p = c.probability if c.probability >= 0.0 else event.data.churn_probability
            base = _log_odds(p) - math.fsum(w.contribution for w in weighed)
            self.revisions.append(Retraced(offset, value, event, base, tuple(weighed)))


def _log_odds(p: float) -> float:
    return math.log(p / (1 - p)) if 0 < p < 1 else math.copysign(math.inf, p - 0.5)


def _tell(events: dict[str, Told], record: Record) -> None:
    try:
        event = decode_event(record.value)  # type: ignore[arg-type]
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
        return  # a dead letter, which decides nothing
    events.setdefault(event.id, Told(record.offset, event))
