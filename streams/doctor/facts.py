"""What a broker says of itself, of topics, of groups and of us, gathered once; nothing is judged here.

Rules: no record is written and no offset committed. The one thing that is tried is a transaction with nothing in it,
under an id that no worker has, which is aborted: it alone shows whether transactional ids are granted, and by the
broker's clock when it began.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.client import CoordinationType
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, for_code
from aiokafka.protocol.admin import ApiVersionRequest
from aiokafka.protocol.transaction import AddOffsetsToTxnRequest, EndTxnRequest, InitProducerIdRequest
from aiokafka.structs import TopicPartition

from streams.doctor.protocol import DescribeGroups, DescribeTransactions, Metadata, operations
from streams.engine.transactions import TRANSACTION_TIMEOUT_MS

AGAIN_S: Final = 0.2
PATIENCE_S: Final = 10.0
FUTURE_S: Final = 300.0
# Kafka's numbers for "ask again": coordinators that move or load, and a transaction that is just ending.
AGAIN: Final = frozenset({14, 15, 16, 51})


class Part(msgspec.Struct, frozen=True):
    """One partition: its leader (-1: none), and how many of its copies are there and in step."""

    leader: int
    replicas: int
    in_step: int


class TopicFacts(msgspec.Struct, frozen=True):
    """One topic: an error's name or "", its partitions, what may be done with it (None: not said), its settings."""

    error: str
    parts: tuple[Part, ...] = ()
    may: frozenset[str] | None = None
    config: Mapping[str, str] = {}


class GroupFacts(msgspec.Struct, frozen=True):
    """One group: an error's name or "", its state and members, what may be done with it, and what it committed."""

    error: str
    state: str = ""
    members: int = 0
    may: frozenset[str] | None = None
    committed: Mapping[tuple[str, int], int] = {}


class Clock(msgspec.Struct, frozen=True):
    """How far this machine's clock is ahead of the broker's, in seconds, give or take `within_s`."""

    ahead_s: float
    within_s: float


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was asked."""

    brokers: int
    apis: Mapping[int, tuple[int, int]]  # number of a request → the versions that the broker knows
    topics: Mapping[str, TopicFacts]
    groups: Mapping[str, GroupFacts] = {}
    transactions: Mapping[str, str] = {}  # transactional id → an error's name or ""
    spans: Mapping[
        tuple[str, int], tuple[int, int]
    ] = {}  # (topic, partition) → first offset, and the one after the last
    early: frozenset[str] = frozenset()  # topics with records stamped later than this machine's clock says, by far
    clock: Clock | None = None


def name_of(code: int) -> str:
    """A Kafka error's name, as its documentation has it nearly.

    >>> name_of(0), name_of(53)
    ('', 'TransactionalIdAuthorizationFailed')
    """
    return "" if code == 0 else for_code(code).__name__.removesuffix("Error")


async def gather(options: Mapping[str, Any], topics: Sequence[str], groups: Mapping[str, str]) -> Facts:
    """Ask for these topics, and for these groups, each with a transactional id to try; raises KafkaError."""
    admin = AIOKafkaAdminClient(**options)
    await admin.start()
    try:
        client = admin._client
        apis = {key: (low, high) for key, low, high in (await admin._send_request(ApiVersionRequest())).api_versions}
        said = await client.send(client.get_random_node(), Metadata(list(topics)))
        found = {topic[1]: _topic(topic) for topic in said.topics}
        there = [name for name, topic in found.items() if not topic.error]
        configs = await _configs(admin, there)
        found = {name: msgspec.structs.replace(each, config=configs.get(name, {})) for name, each in found.items()}
        known = {group: await _group(admin, group) for group in groups}
        tried, clock = {}, None
        for group, transactional_id in groups.items():
            if transactional_id:
                error, told = await _try_transaction(client, transactional_id, group)
                tried[transactional_id], clock = error, told or clock
    finally:
        await admin.close()
    spans, early = await _spans(options, {name: len(found[name].parts) for name in there})
    return Facts(
        brokers=len(said.brokers),
        apis=apis,
        topics=found,
        groups=known,
        transactions=tried,
        spans=spans,
        early=early,
        clock=clock,
    )


def _topic(said: Any) -> TopicFacts:
    code, _, _, parts, bits = said
    cut = tuple(
        Part(leader, len(replicas), len(isr)) for _, _, leader, _, replicas, isr, _ in sorted(parts, key=_index)
    )
    return TopicFacts(name_of(code), cut, operations(bits))


def _index(part: Any) -> int:
    return int(part[1])


async def _configs(admin: Any, names: Iterable[str]) -> dict[str, dict[str, str]]:
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    answers = await admin.describe_configs(asked) if asked else []
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for code, _, _, name, entries in answer.resources
        if code == 0
    }


async def _group(admin: Any, group: str) -> GroupFacts:
    client = admin._client
    try:
        code, _, state, _, _, members, bits = await _again(lambda: _described(client, group))
        if code:
            return GroupFacts(name_of(code))
        found = await admin.list_consumer_group_offsets(group)
    except GroupAuthorizationFailedError as error:
        return GroupFacts(type(error).__name__.removesuffix("Error"))
    committed = {(tp.topic, tp.partition): each.offset for tp, each in found.items() if each.offset >= 0}
    return GroupFacts("", state, len(members), operations(bits), committed)


async def _described(client: Any, group: str) -> Any:
    """What its coordinator says of a group; raises KafkaError while there is none."""
    node = await client.coordinator_lookup(CoordinationType.GROUP, group)
    (said,) = (await client.send(node, DescribeGroups([group]))).groups
    if said[0] in AGAIN:
        raise for_code(said[0])
    return said


async def _try_transaction(client: Any, transactional_id: str, group: str) -> tuple[str, Clock | None]:
    """An error's name or "", and the clock if the broker says when a transaction began."""
    try:
        node = await _again(lambda: client.coordinator_lookup(CoordinationType.TRANSACTION, transactional_id))
        opened = await _answer(client, node, lambda: InitProducerIdRequest(transactional_id, TRANSACTION_TIMEOUT_MS))
        if opened.error_code:
            return name_of(opened.error_code), None
        who = (transactional_id, opened.producer_id, opened.producer_epoch)
        before_s = time.time()
        added = await _answer(client, node, lambda: AddOffsetsToTxnRequest(*who, group))
        after_s = time.time()
        if added.error_code:
            return name_of(added.error_code), None
        try:
            (said,) = (await client.send(node, DescribeTransactions([transactional_id]))).transactions
        except (KafkaError, NotImplementedError):
            said = None  # Kafka before 3.0 does not say
        await _answer(client, node, lambda: EndTxnRequest(*who, False))
    except KafkaError as error:
        return type(error).__name__.removesuffix("Error"), None
    if said is None or said[0] or said[4] < 0:
        return "", None
    return "", Clock((before_s + after_s) / 2 - said[4] / 1000, (after_s - before_s) / 2 + 0.001)


async def _answer(client: Any, node: int, request: Any) -> Any:
    """The first answer that does not say "ask again", or the last one."""
    ends_s = time.monotonic() + PATIENCE_S
    while True:
        answer = await client.send(node, request())
        if answer.error_code not in AGAIN or time.monotonic() > ends_s:
            return answer
        await asyncio.sleep(AGAIN_S)


async def _again(ask: Any) -> Any:
    """What comes of asking, until the error is not one of those that pass; raises KafkaError."""
    ends_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await ask()
        except KafkaError as error:
            if error.errno not in AGAIN or time.monotonic() > ends_s:
                raise
            await asyncio.sleep(AGAIN_S)


async def _spans(
    options: Mapping[str, Any], counts: Mapping[str, int]
) -> tuple[dict[tuple[str, int], tuple[int, int]], frozenset[str]]:
    tps = [TopicPartition(name, number) for name, count in counts.items() for number in range(count)]
    if not tps:
        return {}, frozenset()
    consumer = AIOKafkaConsumer(**options, group_id=None, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(tps)  # loads their metadata once
        first, last = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
        later_ms = int((time.time() + FUTURE_S) * 1000)
        late = await consumer.offsets_for_times(dict.fromkeys(tps, later_ms))
    finally:
        await consumer.stop()
    spans = {(tp.topic, tp.partition): (first[tp], last[tp]) for tp in tps}
    return spans, frozenset(tp.topic for tp, found in late.items() if found is not None)
