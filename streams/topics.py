"""Create the topics that churnwatch needs, or say what is wrong with those that are there.

Rules of this file:
* which topics there are, and what they need, is decided in schemas/topics.py and nowhere else;
* nothing is ever deleted or altered: a topic that is wrong is a Problem, and a person decides;
* upstream teams own the input topics, so their partition counts and retention are theirs, unless the layout names them.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)
from msgspec import Struct

from schemas.topics import COMPACTED_WITHIN_MS, INPUT_TOPICS, TOPICS, Topic, state_changelog
from streams.brokers import client_options
from streams.failures import Failure
from streams.unreachable import why_kept_out

RETRY_S = 1.0
READY_DEADLINE_S = 30.0
DENIED = (TopicAuthorizationFailedError, ClusterAuthorizationFailedError)

ProblemKind = Literal["missing", "partitions", "cleanup", "retention", "compaction", "size", "denied", "refused"]
Say = Callable[[str], object]


class Layout(Struct, frozen=True, kw_only=True):
    """Whose topics, and where they differ from the defaults of schemas/topics.py (names there have no prefix).

    `replication` None leaves it to the broker's `default.replication.factor`.

    >>> Layout(partitions={"churn.jurnal": 8})
    Traceback (most recent call last):
    ValueError: no topic is called churn.jurnal
    """

    prefix: str = ""
    app_id: str = "churnwatch"
    partitions: Mapping[str, int] = {}
    retention_ms: Mapping[str, int] = {}
    replication: int | None = None

    def __post_init__(self) -> None:
        for name in (*self.partitions, *self.retention_ms):
            if name not in TOPICS:
                raise ValueError(f"no topic is called {name}")
        for name, count in self.partitions.items():
            if count < 1:
                raise ValueError(f"{name} needs at least 1 partition, not {count}")

    def rows(self) -> tuple[Topic, ...]:
        """Every topic of this application, the state's changelog included."""
        return (*TOPICS.values(), state_changelog(self.app_id))

    def wanted_partitions(self, topic: Topic) -> int:
        """How many partitions this layout asks for.

        >>> Layout(partitions={"churn.journal": 6}).wanted_partitions(state_changelog("churnwatch"))
        6
        """
        name = topic.partitions_like or topic.name
        return self.partitions.get(name, TOPICS[name].partitions)

    def config(self, topic: Topic) -> dict[str, str]:
        """The topic's settings in Kafka's own names."""
        own = {"retention.ms": str(self.retention_ms[topic.name])} if topic.name in self.retention_ms else {}
        return {**topic.config(), **own}


class Problem(Struct, frozen=True):
    """One thing that is wrong with one topic; `text` names the topic and says what to do."""

    kind: ProblemKind
    topic: str
    text: str


class TopicsError(Failure):
    """The topics are not as they must be; `problems` says why, and so does the message."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(problem.text for problem in problems))
        self.problems = tuple(problems)


class BrokerAwayError(Failure):
    """No broker answered in time."""


class KeptOutError(Failure):
    """A broker answers, and does not let this client in: waiting does not help."""


class Created(Struct, frozen=True):
    """What `create` did: the topics it made, and those that were there already."""

    made: tuple[str, ...]
    kept: tuple[str, ...]


async def create(bootstrap: str, layout: Layout, *, say: Say | None = None, patience_s: float | None = None) -> Created:
    """Make every topic of the layout that is missing, and wait until each has its leaders.

    Raises TopicsError when the broker refuses one, BrokerAwayError after `patience_s` seconds (None: waits for ever).
    """
    async with _admin(bootstrap, say, patience_s) as admin:
        there, denied = await _describe(admin, [row.named(layout.prefix) for row in layout.rows()])
        if denied:
            raise TopicsError([_hidden(name) for name in sorted(denied)])
        missing = [row for row in layout.rows() if row.named(layout.prefix) not in there]
        new = [
            NewTopic(
                row.named(layout.prefix),
                num_partitions=_counterpart(row, layout, there) or layout.wanted_partitions(row),
                replication_factor=layout.replication or -1,
                # aiokafka takes -1 (the broker's default) only beside an assignment, even an empty one.
                replica_assignments={} if layout.replication is None else None,
                topic_configs=layout.config(row),
            )
            for row in missing
        ]
        made = await _make(admin, new) if new else ()
        await _await_leaders(admin, made)
        return Created(made, tuple(there))


async def check(
    bootstrap: str, layout: Layout, *, say: Say | None = None, patience_s: float | None = None
) -> list[Problem]:
    """Everything that is wrong with the layout's topics, in the table's order; an empty list when all is well.

    The changelog of an application that has never run need not be there. Raises BrokerAwayError like `create`.
    """
    async with _admin(bootstrap, say, patience_s) as admin:
        names = {row.named(layout.prefix): row for row in layout.rows()}
        there, denied = await _describe(admin, list(names))
        configs = await _configs(admin, list(there))
        problems = []
        for name, row in names.items():
            if name in denied or (name in there and name not in configs):
                problems.append(_hidden(name))
            elif name not in there:
                if row.partitions_like is None:
                    problems.append(
                        Problem("missing", name, f"Topic {name} is missing: run `churnwatch topics create`.")
                    )
            else:
                problems += _differences(row, layout, there, configs[name])
        return problems


def _hidden(name: str) -> Problem:
    return Problem("denied", name, f"Not allowed to describe topic {name}: grant Describe and DescribeConfigs on it.")


def _differences(row: Topic, layout: Layout, there: Mapping[str, int], config: Mapping[str, str]) -> Iterable[Problem]:
    name = row.named(layout.prefix)
    ours = row.name not in INPUT_TOPICS
    counterpart = _counterpart(row, layout, there)
    wanted = counterpart or layout.wanted_partitions(row)
    if (ours or row.name in layout.partitions) and there[name] != wanted:
        why = f"as {layout.prefix}{row.partitions_like} has" if counterpart else "as the settings say"
        text = f"Topic {name} has {there[name]} partitions and must have {wanted}, {why}."
        yield Problem("partitions", name, text)
    cleanup = config.get("cleanup.policy", row.cleanup)
    if ours and cleanup != row.cleanup:
        yield Problem("cleanup", name, f"Topic {name} has cleanup.policy={cleanup} and must have {row.cleanup}.")
    keeps, needs = config.get("retention.ms", "-1"), layout.config(row).get("retention.ms")
    if ours and needs is not None and 0 <= int(keeps) < int(needs):
        text = f"Topic {name} keeps its records {int(keeps) / 1000:.0f} s and must keep them {int(needs) / 1000:.0f} s."
        yield Problem("retention", name, text)
    lag = config.get("max.compaction.lag.ms")
    if ours and lag is not None and row.cleanup == "compact" and int(lag) > COMPACTED_WITHIN_MS:
        text = f"Topic {name} may keep what was erased: set its max.compaction.lag.ms to {COMPACTED_WITHIN_MS}."
        yield Problem("compaction", name, text)
    takes, grows = config.get("max.message.bytes"), layout.config(row).get("max.message.bytes")
    if takes is not None and grows is not None and int(takes) < int(grows):
        text = f"Topic {name} takes batches of {takes} bytes and must take {grows}: set its max.message.bytes."
        yield Problem("size", name, text)


def _counterpart(row: Topic, layout: Layout, there: Mapping[str, int]) -> int | None:
    """The real partition count of the topic that this one must follow, when that topic exists."""
    return None if row.partitions_like is None else there.get(layout.prefix + row.partitions_like)


async def await_broker(
    bootstrap: str, *, say: Say | None = None, patience_s: float | None = None, began: float | None = None
) -> None:
    """Return when a broker of the comma-separated list accepts a connection; `say` gets one line if it has to wait.

    Raises BrokerAwayError when `patience_s` seconds have passed since `began` (monotonic clock; None: now).
    """
    began = time.monotonic() if began is None else began
    said = False
    while not await _any_listens(bootstrap):
        if patience_s is not None and time.monotonic() - began >= patience_s:
            raise BrokerAwayError(f"Kafka at {bootstrap} did not answer within {patience_s:g} s.")
        if say is not None and not said:
            say(f"Kafka at {bootstrap} does not answer; trying again every {RETRY_S:g} s.")
            said = True
        await asyncio.sleep(RETRY_S)


async def _any_listens(bootstrap: str) -> bool:
    for address in bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        with contextlib.suppress(OSError, ValueError, asyncio.TimeoutError, socket.gaierror):
            _, writer = await asyncio.wait_for(asyncio.open_connection(host.strip("[]"), int(port)), timeout=3.0)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return True
    return False


@contextlib.asynccontextmanager
async def _admin(bootstrap: str, say: Say | None, patience_s: float | None) -> AsyncIterator[Any]:
    began = time.monotonic()
    while True:
        await await_broker(bootstrap, say=say, patience_s=patience_s, began=began)
        options = client_options(bootstrap, "churnwatch-topics")
        if reason := await why_kept_out(options):
            raise KeptOutError(reason)
        admin = AIOKafkaAdminClient(**options)
        try:
            await admin.start()
        except KafkaConnectionError:  # it listens, but is still starting
            await admin.close()
            await asyncio.sleep(RETRY_S)
            continue
        break
    try:
        yield admin
    finally:
        await admin.close()


async def _describe(admin: Any, names: Sequence[str]) -> tuple[dict[str, int], set[str]]:
    """({topic: partition count}, topics that may not be described); a topic in neither does not exist."""
    counts: dict[str, int] = {}
    denied: set[str] = set()
    # The broker answers in an order of its own; the caller's is the table's.
    answered = {topic["topic"]: topic for topic in await admin.describe_topics(list(names))}
    for each in (answered[name] for name in names if name in answered):
        kind = for_code(each["error_code"])
        if each["error_code"] == 0:
            counts[each["topic"]] = len(each["partitions"])
        elif kind in DENIED:
            denied.add(each["topic"])
        elif kind is not UnknownTopicOrPartitionError:
            raise kind(f"describing {each['topic']}")
    return counts, denied


async def _configs(admin: Any, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """{topic: its settings}; a topic whose settings may not be read is left out."""
    found: dict[str, dict[str, str]] = {}
    if not names:
        return found
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    for answer in await admin.describe_configs(asked):
        for code, message, _, name, entries in answer.resources:
            if code == 0:
                found[name] = {entry[0]: entry[1] for entry in entries}
            elif for_code(code) not in DENIED:
                raise for_code(code)(f"reading the settings of {name}: {message}")
    return found


async def _make(admin: Any, new: Sequence[NewTopic]) -> tuple[str, ...]:
    answer = await admin.create_topics(list(new))
    made, problems = [], []
    for name, code, message in answer.topic_errors:
        kind: type[KafkaError] = for_code(code)
        if code == 0 or kind is TopicAlreadyExistsError:  # another may have made it in the meantime
            made.append(name)
        elif kind in DENIED:
            problems.append(Problem("denied", name, f"Not allowed to create topic {name}: grant Create on it."))
        else:
            problems.append(Problem("refused", name, f"The broker refused topic {name}: {message or kind.__name__}."))
    if problems:
        raise TopicsError(problems)
    return tuple(made)


async def _await_leaders(admin: Any, names: Sequence[str]) -> None:
    waiting = list(names)
    until = time.monotonic() + READY_DEADLINE_S
    while waiting and time.monotonic() < until:
        seen = {topic["topic"]: topic for topic in await admin.describe_topics(waiting)}
        if hidden := [name for name in waiting if for_code(seen[name]["error_code"]) in DENIED]:
            raise TopicsError([_hidden(name) for name in hidden])
        waiting = [
            name
            for name in waiting
            if seen[name]["error_code"] or any(part["leader"] < 0 for part in seen[name]["partitions"])
        ]
        await asyncio.sleep(0.05 if waiting else 0)
    if waiting:
        raise TopicsError([Problem("refused", name, f"Topic {name} has no leader yet: try again.") for name in waiting])
