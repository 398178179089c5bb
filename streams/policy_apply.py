"""`churnwatch policy apply`: a policy as one record in every journal partition, all of them or none.

Rules: the records and a note of where they are go out in one transaction; the note is the committed offset of a group
that nobody joins, with the version beside it, so that it can be read back without reading the journal; the broker
keeps such notes for `offsets.retention.minutes`, while the detectors keep the policy with their state for good.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from detectors.policy import Policy
from schemas.journal import encode_policy_change
from schemas.topics import JOURNAL
from streams.brokers import administering, client_options, explained, no_topics, started
from streams.failures import Failure

TRANSACTION_TIMEOUT_MS: Final = 15_000
PATIENCE_S: Final = 15.0  # a broker that has just started makes its offsets topic first
PAUSE_S: Final = 0.2


class Cluster(NamedTuple):
    """Where the journal is, and whose it is."""

    bootstrap: str
    prefix: str
    app_id: str

    @property
    def journal(self) -> str:
        """The journal's name on the broker."""
        return self.prefix + JOURNAL

    @property
    def group(self) -> str:
        """The group whose committed offsets say where the newest policy is."""
        return f"{self.app_id}-policy"


class Applied(NamedTuple):
    """A policy in the journal: its version by partition, and the offset of its record."""

    versions: dict[int, str]
    offsets: dict[int, int]
    is_new: bool


async def apply(cluster: Cluster, policy: Policy) -> Applied:
    """Put a policy into force unless it is; raises Failure if the broker does not answer or refuses."""
    version = policy.version
    producer = AIOKafkaProducer(
        **client_options(cluster.bootstrap, cluster.group),
        transactional_id=cluster.group,
        transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
        linger_ms=0,
    )
    try:
        async with started(producer, cluster.bootstrap):
            metadata = await producer.client.fetch_all_metadata()
            numbers = sorted(metadata.partitions_for_topic(cluster.journal) or ())
            if not numbers:
                raise await no_topics(producer.client, [cluster.journal], cluster.prefix)
            noted = await last_applied(cluster)
            if [noted.versions.get(number) for number in numbers] == [version] * len(numbers):
                return noted
            value = encode_policy_change(version, msgspec.json.encode(policy), time.time())
            offsets: dict[int, int] = {}
            async with producer.transaction():
                for number in numbers:
                    sent = await producer.send_and_wait(cluster.journal, value, partition=number)
                    offsets[number] = sent.offset
                notes = {TopicPartition(cluster.journal, n): OffsetAndMetadata(o, version) for n, o in offsets.items()}
                await producer.send_offsets_to_transaction(notes, cluster.group)
    except KafkaError as error:
        raise Failure(f"{cluster.journal}: {explained(error)}; nothing was changed") from error
    return Applied(dict.fromkeys(numbers, version), offsets, is_new=True)


async def last_applied(cluster: Cluster) -> Applied:
    """The newest policy that was applied, as far as the broker remembers it; raises Failure if no broker answers."""
    try:
        async with administering(cluster.bootstrap, cluster.group) as admin:
            found = await _notes(admin, cluster.group)
    except KafkaError as error:
        raise Failure(f"{cluster.group}: {explained(error)}") from error
    mine = {tp.partition: note for tp, note in found.items() if tp.topic == cluster.journal and note.metadata}
    return Applied(
        {number: note.metadata for number, note in mine.items()},
        {number: note.offset for number, note in mine.items()},
        is_new=False,
    )


async def _notes(admin: AIOKafkaAdminClient, group: str) -> Mapping[TopicPartition, OffsetAndMetadata]:
    """The committed offsets of a group; raises what the broker says for longer than it takes to settle."""
    until_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            found: Mapping[TopicPartition, OffsetAndMetadata] = await admin.list_consumer_group_offsets(group)
        except KafkaError as error:
            if not error.retriable or time.monotonic() > until_s:
                raise
            await asyncio.sleep(PAUSE_S)
        else:
            return found
