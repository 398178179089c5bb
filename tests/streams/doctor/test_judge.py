"""What facts of a broker mean for a worker: each verdict with facts that bring it, and none with facts that do not."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from streams.doctor.facts import Clock, Facts, GroupFacts, Part, TopicFacts
from streams.doctor.found import Found
from streams.doctor.judge import access_found, broker_found, clock_found, groups_found, needed_grants, topics_found
from streams.topics import Layout, Problem

LAYOUT = Layout()
ALL = frozenset({"Read", "Write", "Describe", "DescribeConfigs", "Create", "Delete", "Alter"})
GOOD = {"min.insync.replicas": "2", "max.message.bytes": "1048588", "retention.bytes": "-1"}
KAFKA = {0: (0, 13), 1: (4, 18), 3: (0, 13), 11: (0, 9), 15: (0, 6), 22: (0, 5), 28: (0, 5)}


def well() -> Facts:
    """A cluster of three on which nothing is wrong."""
    parts = tuple(Part(number % 3, 3, 3) for number in range(4))
    topics = {row.name: TopicFacts("", parts, ALL, {**GOOD, **row.config()}) for row in LAYOUT.rows()}
    groups = {f"churnwatch-{role}": GroupFacts("", "Stable", 2, ALL) for role in ("intake", "detector")}
    tried = {f"churnwatch-{role}-doctor": "" for role in ("intake", "detector")}
    return Facts(brokers=3, apis=KAFKA, topics=topics, groups=groups, transactions=tried, clock=Clock(0.01, 0.005))


def with_topic(name: str, config: dict[str, str] | None = None, **changed: object) -> Facts:
    facts = well()
    topic = facts.topics[name]
    topic = replace(topic, config={**topic.config, **(config or {})}, **changed)
    return replace(facts, topics={**facts.topics, name: topic})


def topics_of(facts: Facts, *problems: Problem) -> list[Found]:
    return list(topics_found(problems, facts, LAYOUT))


def access_of(facts: Facts) -> list[Found]:
    return list(access_found(needed_grants(("intake", "detector"), LAYOUT), facts, "intake, detector"))


def the_one(found: list[Found]) -> tuple[str, str]:
    (only,) = found
    assert only.do or only.status == "ok" or "run `" in only.detail
    return only.status, only.detail


def test_a_cluster_on_which_nothing_is_wrong() -> None:
    facts = well()
    found = [*broker_found(facts, "kafka:9092"), *clock_found(facts), *topics_of(facts), *access_of(facts)]
    found += groups_found(facts, LAYOUT)
    assert [each.check for each in found] == ["broker", "clock", "topics", "access", "groups", "groups"]
    assert {each.status for each in found} == {"ok"}


def test_what_topics_check_says_is_said_and_retention_is_a_warning() -> None:
    missing, short = Problem("missing", "a", "Topic a is missing."), Problem("retention", "b", "Topic b keeps 5 s.")
    assert [(f.status, f.detail) for f in topics_of(well(), missing, short)] == [
        ("failed", "Topic a is missing."),
        ("warning", "Topic b keeps 5 s."),
    ]


@pytest.mark.parametrize(
    ("parts", "status", "said"),
    [
        ((Part(-1, 3, 0), Part(1, 3, 3)), "failed", "has no leader for partition 0"),
        ((Part(0, 3, 3), Part(1, 3, 1)), "failed", "fewer than min.insync.replicas=2 copies in step for partition 1"),
        ((Part(0, 3, 2), Part(1, 3, 2)), "warning", "not in step for partitions 0, 1"),
    ],
)
def test_partitions_that_are_not_whole(parts: tuple[Part, ...], status: str, said: str) -> None:
    told, detail = the_one(topics_of(with_topic("churn.scores", parts=parts)))
    assert told == status
    assert said in detail


@pytest.mark.parametrize(
    ("topic", "config", "status", "said"),
    [
        ("billing.events", {"retention.ms": "3600000"}, "warning", "keeps its records 1.0 h"),
        ("churn.journal", {"retention.bytes": "1000"}, "warning", "cut at retention.bytes=1000"),
        ("churn.alerts", {"max.message.bytes": "1000"}, "warning", "takes batches of 1000 bytes"),
        ("churn.alerts", {"min.insync.replicas": "1"}, "warning", "what one copy of 3 has"),
        ("churn.journal", {"unclean.leader.election.enable": "true"}, "warning", "a copy lead that lacks records"),
        ("churnwatch-state-changelog", {"delete.retention.ms": "60000"}, "failed", "drops tombstones after 60 s"),
    ],
)
def test_settings_of_a_topic_that_topics_check_does_not_compare(
    topic: str, config: dict[str, str], status: str, said: str
) -> None:
    told, detail = the_one(topics_of(with_topic(topic, config)))
    assert told == status
    assert topic in detail
    assert said in detail


def test_one_copy_is_told_only_where_there_could_be_more() -> None:
    facts = with_topic("churn.dlq", {"min.insync.replicas": "1"}, parts=(Part(0, 1, 1),))
    assert the_one(topics_of(facts)) == ("warning", "Topic churn.dlq has one copy, on a cluster of 3 brokers.")
    assert the_one(topics_of(replace(facts, brokers=1)))[0] == "ok"


def test_a_grant_that_is_lacking_is_named_and_a_changelog_that_is_not_there_yet_is_not() -> None:
    facts = with_topic("churn.journal", may=frozenset({"Describe", "DescribeConfigs", "Read"}))
    assert the_one(access_of(facts)) == ("failed", "Topic churn.journal: Write is not granted.")
    first_run = with_topic("churnwatch-state-changelog", error="UnknownTopicOrPartition", may=None)
    assert the_one(access_of(first_run))[0] == "ok"
    hidden = with_topic("churn.scores", error="TopicAuthorizationFailed", may=None)
    assert "Describe, DescribeConfigs, Write is not granted" in the_one(access_of(hidden))[1]


def test_groups_and_transactional_ids_that_are_refused_are_named() -> None:
    facts = well()
    groups = {**facts.groups, "churnwatch-intake": GroupFacts("GroupAuthorizationFailed")}
    refused = the_one(access_of(replace(facts, groups=groups)))
    assert refused == ("failed", "Group churnwatch-intake: Read is not granted.")
    tried = {**facts.transactions, "churnwatch-detector-doctor": "TransactionalIdAuthorizationFailed"}
    status, detail = the_one(access_of(replace(facts, transactions=tried)))
    assert status == "failed"
    assert "churnwatch-detector- is refused (TransactionalIdAuthorizationFailed)" in detail


def test_a_broker_that_does_not_say_what_is_granted_is_no_fault() -> None:
    assert the_one(access_of(with_topic("churn.alerts", may=None)))[0] == "warning"


@pytest.mark.parametrize(
    ("ahead_s", "within_s", "status"),
    [(0.5, 0.01, "ok"), (-3.0, 0.01, "warning"), (3.0, 2.5, "ok"), (90.0, 1.0, "failed"), (-90.0, 1.0, "failed")],
)
def test_clocks(ahead_s: float, within_s: float, status: str) -> None:
    assert the_one(list(clock_found(replace(well(), clock=Clock(ahead_s, within_s)))))[0] == status


def test_a_broker_without_a_clock_and_records_from_the_future() -> None:
    assert the_one(list(clock_found(replace(well(), clock=None))))[0] == "warning"
    found = list(clock_found(replace(well(), early=frozenset({"usage.events"}))))
    assert [each.status for each in found] == ["ok", "warning"]
    assert "usage.events" in found[1].detail


def test_releases_of_kafka() -> None:
    def release(**versions: tuple[int, int]) -> Found:
        apis = {**KAFKA, **{int(key[1:]): span for key, span in versions.items()}}
        (found,) = broker_found(replace(well(), apis=apis), "k:1")
        return found

    assert (release().status, release().detail[-18:]) == ("ok", "Kafka 4.1 or newer")
    assert release(_0=(3, 12), _1=(4, 17)).detail.endswith("Kafka 4.0")
    assert release(_0=(0, 11), _1=(0, 17)).status == "warning"
    old = release(_0=(0, 6), _1=(0, 8), _11=(0, 3), _15=(0, 2))
    assert old.status == "failed"
    assert "JoinGroup, DescribeGroups" in old.detail


def test_records_that_were_deleted_unread_and_topics_that_were_made_anew() -> None:
    facts = well()
    tp = ("churn.journal", 0)
    detector = replace(facts.groups["churnwatch-detector"], committed={tp: 50})
    for span, statuses, said in (
        ((0, 80), ["ok"], "30 records behind"),
        ((60, 80), ["warning", "ok"], "up to 50; it begins at 60"),
        ((0, 10), ["failed", "ok"], "up to 50; it ends at 10"),
    ):
        seen = list(groups_found(replace(facts, groups={"churnwatch-detector": detector}, spans={tp: span}), LAYOUT))
        assert [each.status for each in seen] == statuses
        assert said in seen[0].detail


def test_an_intake_that_lost_its_offsets_is_told_before_it_reads_everything_again() -> None:
    facts = replace(well(), spans={("usage.events", 0): (0, 9), ("churn.journal", 0): (0, 9)})
    first, *rest = groups_found(facts, LAYOUT)
    assert (first.status, "set them before a worker starts" in first.do) == ("warning", True)
    assert {each.status for each in rest} == {"ok"}
    quiet = replace(facts, spans={("usage.events", 0): (0, 9), ("churn.journal", 0): (0, 0)})
    assert {each.status for each in groups_found(quiet, LAYOUT)} == {"ok"}
    intake = replace(facts.groups["churnwatch-intake"], committed={("usage.events", 0): 3})
    kept = replace(facts, groups={**facts.groups, "churnwatch-intake": intake})
    assert {each.status for each in groups_found(kept, LAYOUT)} == {"ok"}
