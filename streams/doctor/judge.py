"""What the facts of a broker mean for a worker: pure, so that every verdict is tried without a broker too.

Rules: what `topics check` says is not said again in other words; a fault that would lose a record, or stop a worker,
failed; one that costs speed, or bites only when more goes wrong, is a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from schemas.topics import INPUT_TOPICS, JOURNAL, Topic
from streams.doctor.facts import Facts, TopicFacts
from streams.doctor.found import Found, fine, odd, wrong
from streams.manifests import Grant, grants
from streams.settings import Role
from streams.topics import Layout, Problem

TOLD: Final = ("retention", "compaction")  # what is wrong with a topic, and is no reason not to run
KNOWN: Final = (  # what shows a release: the number of a request, and the version of it that came with that release
    ("4.1", 1, 18),
    ("4.0", 0, 12),
    ("3.9", 1, 17),
    ("3.7", 1, 16),
    ("3.5", 1, 15),
    ("3.1", 1, 13),
    ("2.7", 1, 12),
    ("2.3", 1, 11),
)
TRIED: Final = "4.1"
NEEDED: Final[Mapping[int, tuple[str, int]]] = {  # number of a request → its name, and the version that a worker needs
    3: ("Metadata", 5),
    11: ("JoinGroup", 5),
    15: ("DescribeGroups", 3),
    22: ("InitProducerId", 0),
    28: ("TxnOffsetCommit", 0),
}
RECORD_MAX: Final = 1_048_576  # what a worker may put into one batch (streams.engine.transactions)
TOMBSTONE_MS: Final = 7_200_000  # twice as long as a worker trusts a copy of states that it does not use
DAY_MS: Final = 86_400_000
CLOCK_ODD_S, CLOCK_WRONG_S = 2.0, 60.0


def broker_found(facts: Facts, bootstrap: str) -> Iterator[Found]:
    """How many brokers there are, and whether they are new enough."""
    release = next((name for name, key, version in KNOWN if facts.apis.get(key, (0, -1))[1] >= version), "before 2.3")
    newer = " or newer" if release == KNOWN[0][0] else ""
    detail = f"{bootstrap} answers, {facts.brokers} of the cluster's brokers are there, Kafka {release}{newer}"
    lacking = [name for key, (name, least) in NEEDED.items() if facts.apis.get(key, (0, -1))[1] < least]
    if lacking:
        yield wrong("broker", f"{detail}; it does not know {', '.join(lacking)}.", "Use Kafka 2.4 or newer.")
    elif release != TRIED:
        yield odd("broker", detail, f"churnwatch is tested with Kafka {TRIED}; try yours before production.")
    else:
        yield fine("broker", detail)


def clock_found(facts: Facts) -> Iterator[Found]:
    """Whether this machine, the brokers and whoever writes agree about the time."""
    mend = "Let all machines follow one time server (chrony, systemd-timesyncd)."
    if facts.clock is None:
        yield odd("clock", "The broker does not say what time it is.", "Compare the clocks by hand.")
    else:
        ahead_s, within_s = facts.clock.ahead_s, facts.clock.within_s
        word = "ahead of" if ahead_s >= 0 else "behind"
        detail = f"this machine is {abs(ahead_s):.3f} s {word} the broker (± {within_s:.3f} s)"
        sure_s = abs(ahead_s) - within_s
        if sure_s >= CLOCK_WRONG_S:
            yield wrong("clock", detail, mend)
        else:
            yield odd("clock", detail, mend) if sure_s >= CLOCK_ODD_S else fine("clock", detail)
    for name in sorted(facts.early):
        detail = f"Topic {name} has records stamped more than five minutes ahead of this machine."
        yield odd(
            "clock", detail, "The clock of who writes it is wrong, or this one. Events over a day ahead are refused."
        )


def topics_found(problems: Iterable[Problem], facts: Facts, layout: Layout) -> Iterator[Found]:
    """What is wrong with the topics, and what `topics check` does not look at."""
    told = False
    for problem in problems:
        told = True
        yield (odd if problem.kind in TOLD else wrong)("topics", problem.text, "")
    for row in layout.rows():
        topic = facts.topics.get(row.named(layout.prefix))
        if topic is not None and not topic.error:
            for found in (*_parts_found(row.named(layout.prefix), topic, facts), *_kept_found(row, layout, topic)):
                told = True
                yield found
    if not told:
        there = sum(not topic.error for topic in facts.topics.values())
        yield fine("topics", f"{there} topics have the partitions, copies, cleanup, retention and sizes that they need")


def _parts_found(name: str, topic: TopicFacts, facts: Facts) -> Iterator[Found]:
    dark = [number for number, part in enumerate(topic.parts) if part.leader < 0]
    if dark:
        yield wrong("topics", f"Topic {name} has no leader for {_listed(dark)}.", "Bring its brokers back.")
    least = int(topic.config.get("min.insync.replicas", "1"))
    short = [number for number, part in enumerate(topic.parts) if part.leader >= 0 and part.in_step < least]
    if short:
        detail = f"Topic {name} has fewer than min.insync.replicas={least} copies in step for {_listed(short)}."
        yield wrong("topics", detail, "Nothing can be committed there: bring brokers back, or lower it.")
    late = [number for number, part in enumerate(topic.parts) if least <= part.in_step < part.replicas]
    if late:
        yield odd(
            "topics", f"Topic {name} has copies that are not in step for {_listed(late)}.", "Look at the brokers."
        )
    copies = min((part.replicas for part in topic.parts), default=0)
    if copies == 1 and facts.brokers > 1:
        detail = f"Topic {name} has one copy, on a cluster of {facts.brokers} brokers."
        yield odd("topics", detail, "A broker that is lost takes it along: use three copies.")
    elif copies > 1 and least < 2:
        detail = f"Topic {name} acknowledges what one copy of {copies} has."
        yield odd("topics", detail, "Set its min.insync.replicas to 2.")
    if topic.config.get("unclean.leader.election.enable") == "true":
        detail = f"Topic {name} lets a copy lead that lacks records (unclean.leader.election.enable)."
        yield odd("topics", detail, "Set it to false: what was committed would be lost.")


def _kept_found(row: Topic, layout: Layout, topic: TopicFacts) -> Iterator[Found]:
    name, config = row.named(layout.prefix), topic.config
    if row.name in INPUT_TOPICS:
        keeps = int(config.get("retention.ms", "-1"))
        if 0 <= keeps < DAY_MS:
            detail = f"Topic {name} keeps its records {keeps / 3_600_000:.1f} h."
            yield odd("topics", detail, "Workers that are away for longer lose them: keep a day, better a week.")
        return
    takes = int(config.get("max.message.bytes", str(RECORD_MAX)))
    if takes < RECORD_MAX and row.batch_bytes_max is None:
        detail = f"Topic {name} takes batches of {takes} bytes."
        yield odd(
            "topics", detail, f"Set its max.message.bytes to {RECORD_MAX} or more: a large record stops the worker."
        )
    if row.cleanup == "delete" and int(config.get("retention.bytes", "-1")) >= 0:
        detail = f"Topic {name} is cut at retention.bytes={config['retention.bytes']} for each partition."
        yield odd("topics", detail, "Set it to -1: under load it deletes what retention.ms promises to keep.")
    if row.partitions_like is not None:
        tombstones = int(config.get("delete.retention.ms", str(DAY_MS)))
        if tombstones < TOMBSTONE_MS:
            detail = f"Topic {name} drops tombstones after {tombstones / 1000:.0f} s."
            yield wrong("topics", detail, f"Set its delete.retention.ms to {DAY_MS}: workers would keep the forgotten.")


def _listed(numbers: list[int]) -> str:
    word = "partition" if len(numbers) == 1 else "partitions"
    return f"{word} {', '.join(map(str, numbers[:8]))}{', …' if len(numbers) > 8 else ''}"


def needed_grants(roles: Iterable[Role], layout: Layout) -> list[Grant]:
    """What a worker of these roles must be granted, each thing once.

    >>> [sorted(g.operations) for g in needed_grants(["intake", "detector"], Layout()) if g.name == "churn.journal"]
    [['Describe', 'DescribeConfigs', 'Read', 'Write']]
    """
    may: dict[Grant, set[str]] = {}
    for role in roles:
        for grant in grants(role, layout):
            may.setdefault(grant._replace(operations=()), set()).update(grant.operations)
    return [grant._replace(operations=tuple(sorted(operations))) for grant, operations in may.items()]


def access_found(grants: Iterable[Grant], facts: Facts, whose: str) -> Iterator[Found]:
    """Whether what a worker of these roles must be granted is granted."""
    lacking, silent, count = 0, False, 0
    mend = "Grant it; `churnwatch topics manifests` lists what each user needs."
    for grant in grants:
        if grant.kind == "transactionalId":
            tried = [(name, error) for name, error in facts.transactions.items() if name.startswith(grant.name)]
            count += len(tried)
            for name, error in tried:
                if error and "Group" not in error:  # the group's own line says that
                    lacking += 1
                    detail = f"A transaction under an id that begins with {grant.name} is refused ({error})."
                    yield wrong("access", detail, mend if "Authorization" in error else f"Tried with {name}.")
            continue
        known = facts.topics.get(grant.name) if grant.kind == "topic" else facts.groups.get(grant.name)
        if known is None or (grant.kind == "topic" and known.error == "UnknownTopicOrPartition"):
            continue
        count += len(grant.operations)
        silent |= known.may is None and not known.error
        if known.error and "Authorization" not in known.error:
            lacking += 1
            yield wrong(
                "access", f"{grant.kind.capitalize()} {grant.name} cannot be asked for: {known.error}.", "Ask again."
            )
            continue
        missing = [
            each for each in grant.operations if known.error or (known.may is not None and each not in known.may)
        ]
        if missing:
            lacking += 1
            yield wrong("access", f"{grant.kind.capitalize()} {grant.name}: {', '.join(missing)} is not granted.", mend)
    if silent:
        yield odd("access", "The broker does not say what is granted.", "A worker says it when it is refused.")
    elif not lacking:
        yield fine("access", f"{count} grants for {whose}, transactions tried")


def groups_found(facts: Facts, layout: Layout) -> Iterator[Found]:
    """Who works now, and whether a topic has lost records that were not read yet."""
    full = {topic for (topic, _), (first, after) in facts.spans.items() if after > first}
    intake = facts.groups.get(f"{layout.app_id}-intake")
    if intake is not None and not intake.error and not intake.committed and layout.prefix + JOURNAL in full:
        unread = [name for name in INPUT_TOPICS if layout.prefix + name in full]
        if unread:
            detail = f"{layout.app_id}-intake has committed nothing, and the journal has records."
            do = (
                "Right on a first start. Else its offsets are gone: set them before a worker starts (docs/recovery.md)."
            )
            yield odd("groups", detail, do)
    for group, known in facts.groups.items():
        if known.error:
            continue  # said by access
        behind = 0
        for (topic, number), committed in known.committed.items():
            first, after = facts.spans.get((topic, number), (0, 0))
            behind += max(after - max(committed, first), 0)
            if committed < first:
                detail = f"{group} had read {topic}[{number}] up to {committed}; it begins at {first} now."
                do = "Those between were deleted unread: lengthen the retention, and keep workers running."
                yield odd("groups", detail, do)
            elif committed > after:
                detail = f"{group} had read {topic}[{number}] up to {committed}; it ends at {after} now."
                do = "The topic was made anew or cut: docs/recovery.md says how to go on."
                yield wrong("groups", detail, do)
        word = "worker" if known.members == 1 else "workers"
        far = f"{behind} records behind" if known.committed else "nothing committed yet"
        yield fine("groups", f"{group}: {known.members} {word}, {far}")
