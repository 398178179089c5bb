"""The topic table is that of the contract."""

import pytest

from schemas.topics import DAY_MS, INPUT_TOPICS, JOURNAL, TOPICS, Topic, state_changelog

CONTRACT = {
    "billing.events": ("delete", 7, 4),
    "support.events": ("delete", 7, 4),
    "app-errors.events": ("delete", 7, 4),
    "usage.events": ("delete", 7, 4),
    "engagement.events": ("delete", 7, 4),
    "retention.feedback": ("delete", 30, 4),
    "churn.journal": ("delete", 35, 4),
    "churn.alerts": ("delete", 90, 4),
    "churn.alerts.current": ("compact", None, 4),
    "churn.scores": ("compact", None, 4),
    "churn.examples": ("delete", 90, 1),
    "churn.insights": ("compact", None, 1),
    "churn.dlq": ("delete", 14, 4),
}


def test_every_topic_has_the_cleanup_retention_and_partitions_of_the_contract() -> None:
    ours = {
        topic.name: (topic.cleanup, topic.retention_ms and topic.retention_ms // DAY_MS, topic.partitions)
        for topic in TOPICS.values()
    }
    assert ours == CONTRACT


def test_intake_reads_the_six_input_topics() -> None:
    assert tuple(CONTRACT)[:6] == INPUT_TOPICS


@pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS)
def test_every_topic_is_kept_by_time_or_by_key_and_has_writers_and_readers(topic: Topic) -> None:
    assert (topic.retention_ms is None) == (topic.cleanup == "compact")
    assert topic.producers
    assert topic.consumers
    assert topic.config()["cleanup.policy"] == topic.cleanup


def test_the_state_changelog_is_compacted_and_has_the_partitions_of_the_journal() -> None:
    changelog = state_changelog("app")
    expected = ("app-state-changelog", "compact", JOURNAL, TOPICS[JOURNAL].partitions)
    assert expected == (changelog.name, changelog.cleanup, changelog.partitions_like, changelog.partitions)
    assert changelog.config() == {"cleanup.policy": "compact", "max.compaction.lag.ms": "604800000"}
