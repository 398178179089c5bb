"""Topics and users as Strimzi's manifests, with what each user may do and no more: `churnwatch topics manifests`.

Rules: who writes and reads which topic is said by the table in schemas/topics.py; here stands only what Kafka asks for
besides: groups, transactional ids, and what a worker looks at before it starts. Nobody may create or alter anything:
the topics, the state's changelog included, are in the manifests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal, NamedTuple

from schemas.topics import ALERTS, DEAD_LETTERS, EXAMPLES, INPUT_TOPICS, INSIGHTS, JOURNAL, Topic
from streams.settings import ROLES
from streams.topics import Layout

User = Literal["worker", "intake", "detector", "learner", "upstream", "retention", "operator"]
Kind = Literal["topic", "group", "transactionalId"]
REPLICAS: Final = 3

USERS: Final[Mapping[User, str]] = {
    "worker": "a worker with every role",
    "intake": "a worker with `--roles intake`",
    "detector": "a worker with `--roles detector`",
    "learner": "a worker with `--roles learner`",
    "upstream": "the services that publish events, and look at what was refused",
    "retention": "the tools of retention teams",
    "operator": "the commands of churnwatch: topics check, alerts, explain, journal, dlq, policy, model, erase",
}
"""Every user, and who that is."""

_TABLE_ROLES: Final[Mapping[User, tuple[str, ...]]] = {
    "worker": (*ROLES, "clock"),
    "intake": ("intake",),
    "detector": ("detector", "clock"),
    "learner": ("learner",),
    "upstream": ("upstream",),
    "retention": ("retention",),
    "operator": (),
}


class Grant(NamedTuple):
    """What may be done with one thing, or with all whose name begins so."""

    kind: Kind
    name: str
    operations: tuple[str, ...]
    prefix: bool = False


def grants(user: User, layout: Layout) -> list[Grant]:
    """Everything that a user may do.

    >>> grants("upstream", Layout())[0]
    Grant(kind='topic', name='billing.events', operations=('Describe', 'Write'), prefix=False)
    >>> [grant.name for grant in grants("intake", Layout(app_id="cw")) if grant.kind != "topic"]
    ['cw-intake', 'cw-intake-']
    """
    found = [grant for row in layout.rows() if (grant := _on_topic(user, row, layout)) is not None]
    works = [role for role in ROLES if role in _TABLE_ROLES[user]]
    for role in works:
        found += _transacting(f"{layout.app_id}-{role}", per_lane=True)
    if user == "operator":
        for command in ("dlq-replay", "policy"):
            found += _transacting(f"{layout.app_id}-{command}", per_lane=False)
    if user in ("upstream", "retention"):
        found.append(Grant("group", f"{layout.app_id}-{user}", ("Read",), prefix=True))
    return found


def _on_topic(user: User, row: Topic, layout: Layout) -> Grant | None:
    may: set[str] = set()
    roles = set(_TABLE_ROLES[user])
    if roles & set(row.producers):
        may |= {"Write", "Describe"}
    if roles & set(row.consumers):
        may |= {"Read", "Describe"}
    if roles & set(ROLES) or user == "operator":
        may |= {"Describe", "DescribeConfigs"}  # a worker checks all topics before it starts
    if user == "operator":
        may |= {"Read"} if row.name in (ALERTS, DEAD_LETTERS, INSIGHTS, JOURNAL) else set()
        may |= {"Write"} if row.name in (*INPUT_TOPICS, JOURNAL, EXAMPLES) else set()
    return Grant("topic", row.named(layout.prefix), tuple(sorted(may))) if may else None


def _transacting(group: str, *, per_lane: bool) -> Iterator[Grant]:
    """A group whose offsets are committed in transactions; a worker has an id for each lane."""
    yield Grant("group", group, ("Read",))
    yield Grant("transactionalId", f"{group}-" if per_lane else group, ("Describe", "Write"), prefix=per_lane)


def manifests(layout: Layout, cluster: str, users: Iterable[User]) -> str:
    """YAML: a KafkaTopic for each topic, then a KafkaUser for each user."""
    parts = [_topic(row, layout, cluster) for row in layout.rows()]
    parts += [_user(user, layout, cluster) for user in users]
    return "---\n".join(parts)


def _topic(row: Topic, layout: Layout, cluster: str) -> str:
    lines = [
        *_head("KafkaTopic", row.named(layout.prefix), cluster),
        f"  # {row.holds}",
        f"  topicName: {row.named(layout.prefix)}",
        f"  partitions: {layout.wanted_partitions(row)}",
        f"  replicas: {layout.replication or REPLICAS}",
        "  config:",
        *(f'    {name}: "{value}"' for name, value in layout.config(row).items()),
    ]
    return "\n".join(lines) + "\n"


def _user(user: User, layout: Layout, cluster: str) -> str:
    lines = [
        *_head("KafkaUser", f"{layout.app_id}-{user}", cluster),
        f"  # {USERS[user]}",
        "  authentication:",
        "    type: scram-sha-512",
        "  authorization:",
        "    type: simple",
        "    acls:",
    ]
    for grant in grants(user, layout):
        pattern = "prefix" if grant.prefix else "literal"
        lines += [
            "      - resource:",
            f"          type: {grant.kind}",
            f"          name: {grant.name}",
            f"          patternType: {pattern}",
            f"        operations: [{', '.join(grant.operations)}]",
        ]
    return "\n".join(lines) + "\n"


def _head(kind: str, name: str, cluster: str) -> list[str]:
    return [
        "apiVersion: kafka.strimzi.io/v1",
        f"kind: {kind}",
        "metadata:",
        f"  name: {object_name(name)}",
        "  labels:",
        f"    strimzi.io/cluster: {cluster}",
        "spec:",
    ]


def object_name(name: str) -> str:
    """A name that Kubernetes takes for an object, near to the topic's.

    >>> object_name("Prod_EU.churn.journal")
    'prod-eu.churn.journal'
    """
    return re.sub(r"[^a-z0-9.-]", "-", name.lower()).strip("-.")
