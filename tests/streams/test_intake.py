"""What intake tells of its feeds, besides what it appends."""

from __future__ import annotations

from faust.types import TP

from detectors.customer import DAY_S
from schemas.journal import FeedHeard, decode_control
from schemas.journal_dump import JournalRecord
from schemas.topics import INPUT_TOPICS, JOURNAL
from streams.app import Topics
from streams.intake import Intake
from streams.settings import Settings
from tests.detectors.lives import START_S, event


def test_a_backlog_that_is_told_customer_by_customer_is_heard_on_all_of_its_days() -> None:
    """One fetch with two histories, the second one on the days that the first one left out."""
    days = [*range(0, 20, 2), *range(1, 20, 2)]
    values = [event("usage.session.started", day + 0.4, customer=f"c-{day % 2}") for day in days]
    tp = TP("usage.events", 0)
    topics = Topics(Settings(), {JOURNAL: 2, **dict.fromkeys(INPUT_TOPICS, 1)})
    intake = Intake(topics, lambda: START_S + 30.0 * DAY_S)
    intake.apply(tp, [JournalRecord(i, b"k", value, 0) for i, value in enumerate(values)], len(values))
    (transaction,) = intake.collect()
    for number in (0, 1):
        told = [decode_control(value or b"") for key, value, _ in transaction.writes[JOURNAL, number] if key is None]
        heard = [int(said.time.timestamp()) - START_S for said in told if isinstance(said, FeedHeard)]
        assert heard == [round((day + 0.4) * DAY_S) for day in range(20)]
