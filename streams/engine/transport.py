"""Faust's transport, changed to hand over whole fetches; the only file that uses private names of Faust.

Rules: one message is one fetch of one partition; the span of a fetch is taken in the consumer's own thread, where it
cannot be outrun by a seek; a position that moved past transaction markers alone is a fetch too, with no records (else
Faust waits for ever for a record below the highwater, which is a marker).

PRIVATE lists the names used; tests/streams/engine/test_private_names.py has one contract test for each.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, Protocol, cast

import aiokafka
import faust
from aiokafka.errors import IllegalStateError
from aiokafka.structs import TopicPartition
from faust.app.base import BootStrategy
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from streams.engine.fetch import Fetch

PRIVATE: Final = {
    "faust.transport.drivers.aiokafka.Consumer": (
        "_new_consumer_thread",
        "_wait_next_records",
        "_is_changelog_tp",
        "_thread",
        "_buffered_partitions",
        "_read_offset",
    ),
    "faust.transport.drivers.aiokafka.AIOKafkaConsumerThread": (
        "_create_worker_consumer",
        "_fetch_records",
        "_seek_wait",
        "_ensure_consumer",
        "_assignor",
    ),
    "faust.tables.table.Table": ("_new_store",),
}
POLL_S: Final = 0.2  # how long a fetch waits for data; a recovery that ends in a marker is noticed after this time
FETCH_WAIT_MS: Final = 50  # Faust's own 1,500 lets idle partitions, as every changelog is, hold up the busy ones


class Owner(Protocol):
    """Who owns the partitions of an app: told of each take-over and of each start, in this order."""

    async def take_over(self, tps: set[TP]) -> None:
        """Fence whoever had these source partitions; called before anything is read."""

    async def on_start_offsets(self, offsets: Mapping[TP, int]) -> None:
        """Faust has sought the source partitions to these offsets."""

    async def on_flow(self) -> None:
        """Fetches are handed over from here on; those before were dropped."""


class ConsumerOnly(BootStrategy):
    """Faust's producer and web server stay off: records leave in transactions of ours."""

    enable_kafka_producer = False
    enable_web = False


class FetchApp(faust.App):
    """A Faust app with an owner, and the options of its Kafka clients."""

    BootStrategy = ConsumerOnly
    owner: Owner
    client_options: Mapping[str, Any]
    rebalance_ms: int = 30_000


class FetchThread(driver.AIOKafkaConsumerThread):
    """The thread that fetches; keeps where the last fetch of each partition ended, or where it was sought to."""

    app: FetchApp

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ends: dict[TopicPartition, int] = {}

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:  # noqa: ARG002
        conf = self.app.conf
        self._assignor = self.app.assignor
        return aiokafka.AIOKafkaConsumer(
            **self.app.client_options,
            group_id=conf.id,
            group_instance_id=conf.consumer_group_instance_id,
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=int(conf.broker_max_poll_interval * 1000),
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            rebalance_timeout_ms=self.app.rebalance_ms,
        )

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        self._ends.clear()
        await super().on_partitions_revoked(revoked)

    async def on_thread_stop(self) -> None:
        """Stop; without a broker aiokafka fails at it, which leaves nothing behind that the process would keep."""
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await super().on_thread_stop()

    async def _fetch_records(  # type: ignore[override]
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> dict[TP, Fetch]:
        records = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        fetches: dict[TP, Fetch] = {}
        quiet = [tp for tp in list(active_partitions) if tp in self._ends and tp not in records]
        for tp in [*records, *quiet]:
            try:
                end = await consumer.position(TopicPartition(*tp))
            except IllegalStateError:
                continue  # given away meanwhile
            start = self._ends.get(tp)
            if tp in records or (start is not None and end > start):
                self._ends[TopicPartition(*tp)] = end
                fetches[TP(*tp)] = Fetch(start, end, records.get(tp, ()))
        return fetches

    async def _seek_wait(self, consumer: aiokafka.AIOKafkaConsumer, partitions: Mapping[TP, int]) -> None:
        for tp, offset in partitions.items():
            self._ends[TopicPartition(*tp)] = offset  # super seeks before its first await: no fetch comes between
        await super()._seek_wait(consumer, partitions)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek the source partitions to their committed offsets, or to the start where there is none."""
        return cast(Mapping[TP, int], await self.call_thread(self._seek_sources))

    async def _seek_sources(self) -> dict[TP, int]:
        consumer = self._ensure_consumer()
        changelogs = self.app.tables.changelog_topics
        sources = [tp for tp in consumer.assignment() if tp.topic not in changelogs]
        found = await asyncio.gather(*(consumer.committed(tp) for tp in sources))
        offsets = dict(zip(sources, found, strict=True))
        fresh = [tp for tp, offset in offsets.items() if offset is None]
        if fresh:
            offsets.update(await consumer.beginning_offsets(fresh))
        for tp, offset in offsets.items():
            consumer.seek(tp, offset)
            self._ends[tp] = offset
        return {TP(*tp): offset for tp, offset in offsets.items()}

    def fetched_to(self) -> dict[TP, int]:
        """Where the last fetch of each partition ended, or where it was sought to; may be asked by any thread."""
        return {TP(*tp): end for tp, end in self._ends.copy().items()}


class FetchConsumer(driver.Consumer):
    """Hands each fetch on as one message; commits nothing, since offsets travel in transactions."""

    app: FetchApp
    _thread: FetchThread

    def _new_consumer_thread(self) -> FetchThread:
        return FetchThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """Yield what came as one message per partition; what cannot be delivered now shows up as a gap later."""
        fetches, active = await self._wait_next_records(min(timeout, POLL_S))
        generation = self.app.consumer_generation_id
        if not fetches or self.should_stop:
            return
        for tp, fetch in fetches.items():
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            # `active` is a live set from which a full buffer removes a partition
            if active is None or tp in active or tp in self._buffered_partitions:
                yield tp, as_message(tp, cast(Fetch, fetch), generation)

    async def perform_seek(self) -> None:
        """Seek to what is committed, and tell the owner."""
        offsets = dict(await self.seek_to_committed())
        self._read_offset.update(dict.fromkeys(offsets))  # Faust's own filter stays out: the order guard decides
        await self.app.owner.on_start_offsets(offsets)

    def resume_flow(self) -> None:
        """Let fetches through, and have those fetched again that Faust dropped while it sought and waited."""
        super().resume_flow()
        self.add_future(self.app.owner.on_flow())

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Fence first, then let Faust recover: an old owner's open transaction holds back every reader."""
        try:
            await self.app.owner.take_over({tp for tp in assigned if not self._is_changelog_tp(tp)})
        except Exception as error:
            await self.app.crash(error)
            return
        await super().on_partitions_assigned(assigned, generation_id)

    def fetched_to(self) -> dict[TP, int]:
        """Where the last fetch of each partition ended, handed over or not."""
        return self._thread.fetched_to()

    def highwater_of(self, tp: TP) -> int | None:
        """The offset behind the last record of a partition, as far as fetches have told; None if they have not."""
        return self.highwater(tp) if tp in self.assignment() else None


def as_message(tp: TP, fetch: Fetch, generation: int) -> ConsumerMessage:
    """A fetch as the one message that Faust carries; its offset is the last one that the fetch covers."""
    value = cast(bytes, fetch)  # what Faust says a value is; nothing but the schema below looks at it
    return ConsumerMessage(
        tp.topic, tp.partition, fetch.end - 1, 0.0, 0, [], None, value, None, 0, 0, tp, generation_id=generation
    )


class FetchTransport(driver.Transport):
    """The aiokafka transport with the consumer above."""

    Consumer = FetchConsumer


class PassThrough(faust.Schema):  # type: ignore[type-arg]
    """Hands the fetch to the agent as it is: no codec, no model."""

    def compile(self, app: Any, **_: Any) -> Any:
        """The decoder of one topic: the message's value is the event's value."""
        create_event = app.create_event

        async def decode(message: ConsumerMessage, *, propagate: bool = False) -> Any:  # noqa: ARG001
            return create_event(None, message.value, {}, message)

        return decode


__all__ = [
    "PRIVATE",
    "FetchApp",
    "FetchConsumer",
    "FetchThread",
    "FetchTransport",
    "Owner",
    "PassThrough",
    "as_message",
]
