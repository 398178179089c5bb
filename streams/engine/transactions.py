"""One Kafka transaction per checkpoint and lane: records and the offsets they were read from, together or not at all.

Rules: a lane is one `transactional.id`; whoever opens a lane shuts out whoever had it before, and what that one left
open is aborted; a lane belongs to source partitions that move between workers as one, so that its fence is theirs;
an error in a transaction is never retried here: it is aborted, and the worker starts again from its last commit.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError, TopicAuthorizationFailedError
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from streams.engine.errors import Refusal, denied_names, is_fenced, refusal_in

Headers = list[tuple[str, bytes]]  # a list: aiokafka's C code takes nothing else
Write = tuple[bytes | None, bytes | None, Headers]  # key, value, headers

TRANSACTION_TIMEOUT_MS: Final = 15_000  # an open transaction holds back every read_committed reader behind it
NO_HEADERS: Final[Headers] = []
BATCH_BYTES: Final = 512 * 1024
MAX_RECORD_BYTES: Final = 1024 * 1024  # Kafka's own default limit of a batch
ABORT_S: Final = 2.0
STOP_S: Final = 2.0


class Transaction(NamedTuple):
    """What one checkpoint of one lane makes true."""

    lane: str
    writes: Mapping[tuple[str, int], Sequence[Write]]  # (topic, partition) → records in order
    offsets: Mapping[TopicPartition, OffsetAndMetadata]


class Lane:
    """A transactional producer; opening it fences the one before it."""

    def __init__(self, transactional_id: str, options: Mapping[str, Any]) -> None:
        self._producer = AIOKafkaProducer(
            **options,
            transactional_id=transactional_id,
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            compression_type="snappy",  # ten times as fast as aiokafka's lz4, which is fixed at level 9
            max_batch_size=BATCH_BYTES,
            max_request_size=MAX_RECORD_BYTES,
            linger_ms=0,
        )
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        """Take the lane over: from here on its former owner is refused by the broker."""
        await self._producer.start()

    async def close(self) -> None:
        """Let go of the connection; a transaction is never open here."""
        with contextlib.suppress(asyncio.TimeoutError, TimeoutError):
            await asyncio.wait_for(self._producer.stop(), STOP_S)

    async def commit(self, transaction: Transaction, group: str) -> None:
        """Make a transaction true; raises what the broker said, after aborting."""
        async with self._lock:
            await self._producer.begin_transaction()
            try:
                await all_of(self._send(*to, writes) for to, writes in transaction.writes.items() if writes)
                if transaction.offsets:
                    await self._producer.send_offsets_to_transaction(dict(transaction.offsets), group)
                await self._producer.commit_transaction()
            except BaseException as error:
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(self._producer.abort_transaction(), ABORT_S)
                if isinstance(error, TopicAuthorizationFailedError):
                    raise Refusal(f"Not allowed to write to {denied_names(error)}: grant Write on it.") from error
                raise

    async def _send(self, topic: str, partition: int, writes: Sequence[Write]) -> None:
        producer = self._producer
        sent = []
        batch = producer.create_batch()
        append = batch.append
        for key, value, headers in writes:
            if append(key=key, value=value, timestamp=None, headers=headers) is None:
                sent.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                append = batch.append
                append(key=key, value=value, timestamp=None, headers=headers)
        sent.append(await producer.send_batch(batch, topic, partition=partition))
        try:
            await all_of(sent)
        except MessageSizeTooLargeError as error:
            raise Refusal(f"{topic} takes no record this large: raise its max.message.bytes.") from error


async def all_of(works: Iterable[Awaitable[Any]]) -> None:
    """Wait for all of them; raises what tells most of what went wrong: a refusal, a fence, else the first."""
    results = await asyncio.gather(*works, return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    if errors:
        raise next(filter(refusal_in, errors), None) or next(filter(is_fenced, errors), errors[0])


class Lanes:
    """The lanes of one role, by name; the transactional id is the group's name and the lane's."""

    def __init__(self, group: str, options: Mapping[str, Any]) -> None:
        self.group = group
        self._options = options
        self._lanes: dict[str, Lane] = {}

    async def open(self, names: Iterable[str]) -> None:
        """Take over exactly these lanes, all at once, shutting out whoever had them."""
        await self.close()
        lanes = {name: Lane(f"{self.group}-{name}", self._options) for name in names}
        self._lanes = lanes
        await all_of(lane.open() for lane in lanes.values())

    async def close(self) -> None:
        """Let go of all lanes."""
        lanes, self._lanes = self._lanes, {}
        await asyncio.gather(*(lane.close() for lane in lanes.values()))

    async def commit(self, transaction: Transaction) -> None:
        """Make a transaction of one of the open lanes true."""
        await self._lanes[transaction.lane].commit(transaction, self.group)
