"""What a detector does not take: a dead letter for each record that it cannot use, and counts by reason and topic."""

from collections import Counter

from detectors.records import DEAD, Outbox, Record
from schemas.deadletters import DeadLetter, Origin, Reason, dead_letter_headers
from schemas.events import TOPIC_OF_TYPE, TYPE_OF


class Refusals:
    """Writes the dead letters of one journal partition."""

    def __init__(self, journal: str, number: int, app_version: str, stats: Counter[str]) -> None:
        self.journal, self.number, self.app_version, self.stats = journal, number, app_version, stats

    def write(self, r: Record, reason: Reason, detail: str, out: Outbox) -> None:
        """Hand a record on; `detail` names the place and what was expected there, and never what stood there."""
        at = Origin(self.journal, self.number, r.offset, r.timestamp)
        letter = DeadLetter(
            reason=reason, detail=detail, stage="detector", origin=at, attempts=1, app_version=self.app_version
        )
        out.write(DEAD, r.key, r.value, dead_letter_headers(r.headers, letter))
        self.stats[f"dead_{reason}"] += 1

    def again(self, kind: type) -> None:
        """Count an event that had counted already, by the class of its data."""
        self.stats["duplicates"] += 1
        self.stats[f"duplicates_{TOPIC_OF_TYPE[TYPE_OF[kind]]}"] += 1
