"""Topics are made as the table says, and what is wrong with them is named."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka.choose import LocalBroker, local_broker
from deploy.kafka.client import Kafka
from deploy.kafka.kafka import free_port
from schemas.topics import TOPICS
from streams.topics import BrokerAwayError, Layout, Problem, TopicsError, check, create


@pytest.fixture
def layout(prefix: str, app_id: str) -> Layout:
    return Layout(prefix=prefix, app_id=app_id)


def problems(bootstrap: str, layout: Layout) -> list[Problem]:
    return asyncio.run(check(bootstrap, layout, patience_s=10))


def test_created_topics_are_found_right_and_kept_the_second_time(bootstrap: str, layout: Layout) -> None:
    made = asyncio.run(create(bootstrap, layout))
    assert set(made.made) == {row.named(layout.prefix) for row in layout.rows()}
    assert made.kept == ()
    assert problems(bootstrap, layout) == []
    again = asyncio.run(create(bootstrap, layout))
    assert again.made == ()
    assert set(again.kept) == set(made.made)


def test_every_missing_topic_is_named_but_not_the_changelog_that_a_first_run_makes(
    bootstrap: str, layout: Layout
) -> None:
    found = problems(bootstrap, layout)
    assert [(p.kind, p.topic) for p in found] == [("missing", t.named(layout.prefix)) for t in TOPICS.values()]
    assert found[0].text == f"Topic {layout.prefix}billing.events is missing: run `churnwatch topics create`."


def test_counts_and_retention_of_the_layout_win_over_the_table(bootstrap: str, prefix: str, app_id: str) -> None:
    own = Layout(prefix=prefix, app_id=app_id, partitions={"churn.journal": 2}, retention_ms={"churn.dlq": 5000})
    asyncio.run(create(bootstrap, own))
    assert problems(bootstrap, own) == []
    assert len(Kafka(bootstrap).end_offsets(f"{prefix}{app_id}-state-changelog")) == 2
    told = problems(bootstrap, Layout(prefix=prefix, app_id=app_id))
    assert [p.text for p in told] == [
        f"Topic {prefix}churn.journal has 2 partitions and must have 4, as the settings say.",
        f"Topic {prefix}churn.dlq keeps its records 5 s and must keep them 1209600 s.",
    ]


def test_a_changelog_must_have_the_partitions_that_the_journal_really_has(
    bootstrap: str, kafka: Kafka, layout: Layout
) -> None:
    changelog = f"{layout.prefix}{layout.app_id}-state-changelog"
    kafka.create(changelog, 3, {"cleanup.policy": "compact", "max.compaction.lag.ms": "604800000"})
    asyncio.run(create(bootstrap, layout))
    assert problems(bootstrap, layout) == [
        Problem(
            "partitions",
            changelog,
            f"Topic {changelog} has 3 partitions and must have 4, as {layout.prefix}churn.journal has.",
        )
    ]


def test_a_compacted_journal_is_refused(bootstrap: str, kafka: Kafka, layout: Layout) -> None:
    journal = f"{layout.prefix}churn.journal"
    kafka.create(journal, 4, {"cleanup.policy": "compact"})
    asyncio.run(create(bootstrap, layout))
    assert [p.text for p in problems(bootstrap, layout) if p.kind == "cleanup"] == [
        f"Topic {journal} has cleanup.policy=compact and must have delete."
    ]


def test_a_compacted_topic_that_may_keep_what_was_erased_is_told(bootstrap: str, kafka: Kafka, layout: Layout) -> None:
    scores = f"{layout.prefix}churn.scores"
    kafka.create(scores, 4, {"cleanup.policy": "compact"})
    asyncio.run(create(bootstrap, layout))
    text = f"Topic {scores} may keep what was erased: set its max.compaction.lag.ms to 604800000."
    assert problems(bootstrap, layout) == [Problem("compaction", scores, text)]


def test_a_dead_letter_topic_that_takes_less_than_it_may_be_sent_is_refused(
    bootstrap: str, kafka: Kafka, layout: Layout
) -> None:
    letters = f"{layout.prefix}churn.dlq"
    kafka.create(letters, 4, {"max.message.bytes": "1000000"})
    asyncio.run(create(bootstrap, layout))
    assert [p.text for p in problems(bootstrap, layout) if p.kind == "size"] == [
        f"Topic {letters} takes batches of 1000000 bytes and must take 16777216: set its max.message.bytes."
    ]


def test_input_topics_may_have_any_partition_count(bootstrap: str, kafka: Kafka, layout: Layout) -> None:
    kafka.create(f"{layout.prefix}billing.events", 7, {"retention.ms": "1000"})
    asyncio.run(create(bootstrap, layout))
    assert problems(bootstrap, layout) == []


def test_what_the_broker_refuses_is_told_by_topic(bootstrap: str, prefix: str) -> None:
    with pytest.raises(TopicsError, match=f"refused topic {prefix}billing.events: ") as told:
        asyncio.run(create(bootstrap, Layout(prefix=prefix, replication=99)))
    assert {p.kind for p in told.value.problems} == {"refused"}


def test_a_broker_that_is_away_gives_one_line_and_is_waited_for(broker_later: LocalBroker) -> None:
    said: list[str] = []

    async def story() -> list[Problem]:
        asked = asyncio.create_task(check(broker_later.bootstrap, Layout(), say=said.append, patience_s=90))
        await asyncio.sleep(2.5)
        await asyncio.to_thread(broker_later.start)
        return await asked

    assert {p.kind for p in asyncio.run(story())} == {"missing"}
    assert said == [f"Kafka at {broker_later.bootstrap} does not answer; trying again every 1 s."]


@pytest.fixture
def broker_later(tmp_path: Path) -> Iterator[LocalBroker]:
    broker = local_broker(tmp_path)
    yield broker
    broker.__exit__(None, None, None)


def test_patience_ends() -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    with pytest.raises(BrokerAwayError, match=f"Kafka at {nowhere} did not answer within 0.2 s"):
        asyncio.run(check(nowhere, Layout(), patience_s=0.2))


def test_a_topic_that_may_not_be_created_or_described_is_named(guarded_broker: LocalBroker) -> None:
    guarded, kafka = guarded_broker.bootstrap, Kafka(guarded_broker.bootstrap)
    kafka.deny("create")
    kafka.deny("create", "churn.dlq")
    with pytest.raises(TopicsError, match=r"^Not allowed to create topic churn\.dlq: grant Create on it\.$"):
        asyncio.run(create(guarded, Layout()))
    kafka.deny("describe", "churn.scores")
    assert [(p.kind, p.topic) for p in problems(guarded, Layout())] == [
        ("denied", "churn.scores"),
        ("missing", "churn.dlq"),
    ]
    with pytest.raises(TopicsError, match=r"^Not allowed to describe topic churn\.scores: grant Describe"):
        asyncio.run(create(guarded, Layout()))
