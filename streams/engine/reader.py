"""One agent over whole fetches: take over, apply in order, checkpoint, give away.

Rules: a fetch is applied only by its owner and only where it joins; all effects of a fetch are in memory before the
next await, so that a checkpoint in between takes all of it or nothing; a checkpoint is taken before partitions are
given away; any failure crashes the app, since starting again from the last commit is always right.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol, cast

import structlog
from aiokafka.errors import IllegalStateError
from faust.types import TP

from streams.engine.errors import OrderLostError
from streams.engine.fetch import Fetch, LossWatch, OrderGuard, Record, Verdict
from streams.engine.transactions import Lanes, Transaction, all_of
from streams.engine.transport import FetchApp, FetchConsumer

CHECKPOINT_PARTS: Final = 5  # under load, at most one part in so many of the time goes into checkpoints…
INTERVAL_MAX_S: Final = 1.0  # …as long as they are not further apart than this
# The broker gives up a transaction that is open for long. On a starved machine each fetch that is applied meanwhile
# takes seconds of it: after this time the checkpoint goes first.
PATIENCE_S: Final = 2.0
PENDING_BUSY: Final = 2_000  # more records between two checkpoints than a quiet stream brings
GAPS_MAX: Final = 100  # refused fetches of one partition in a row, before its records are taken for lost
NEVER_S: Final = float("inf")
WATCH_S: Final = 0.2
RECOVERY_STALL_S: Final = 20.0
log = structlog.get_logger(__name__)


class Job(Protocol):
    """What a role does with its records; everything here but `prepare` is done between two awaits."""

    pending_max: int
    """Records applied before a checkpoint is due, whatever the time."""

    def lanes(self, tps: set[TP]) -> set[str]:
        """The lanes that own these source partitions."""

    async def prepare(self, offsets: Mapping[TP, int]) -> Mapping[TP, int]:
        """Make ready to work from these offsets, and say where each partition really starts."""

    def apply(self, tp: TP, records: Sequence[Record], end: int) -> None:
        """Take records in; `end` is the offset that follows them. Never raises for what is in them."""

    def collect(self) -> Iterator[Transaction]:
        """Everything pending, one lane at a time, each taken out as it is yielded."""

    def committed(self, transaction: Transaction, seconds: float) -> None:
        """A transaction has become true."""

    def release(self) -> None:
        """Forget everything: the partitions are no longer ours."""


class Tracer(Protocol):
    """What sees spans begin and end (streams.tracing)."""

    def fetch(self, group: str, tp: TP, records: Sequence[Record], end: int) -> AbstractContextManager[None]: ...
    def commit(self, group: str, transaction: Transaction) -> AbstractContextManager[None]: ...


class Reader:
    """The owner of an app's source partitions."""

    def __init__(
        self,
        app: FetchApp,
        job: Job,
        lanes: Lanes,
        patience_s: float = PATIENCE_S,
        tracer: Tracer | None = None,
        recovery_stall_s: float = RECOVERY_STALL_S,
    ) -> None:
        self.app, self.job, self.lanes, self.patience_s, self.tracer = app, job, lanes, patience_s, tracer
        self.recovery_stall_s = recovery_stall_s
        self.guard = OrderGuard()
        self.ready = False  # the partitions are ours and prepared
        self.crashed = False
        self.gaps = 0  # fetches refused, ever
        self.take_overs = 0
        self.recovery_s = 0.0  # from the last take-over to the first record
        self._taken_over_s = 0.0
        self._taken_over: int | None = None  # the generation whose lanes are open
        self._recovered: int | None = None  # the generation whose recovery is complete
        self._checkpointing = asyncio.Lock()
        self._checkpoint_s = NEVER_S  # when the checkpoint that runs now began
        self._pending = 0  # records applied since the last checkpoint
        self._owned = 0  # partitions that the group gave us
        self._committed_s = time.monotonic()
        self.newest_ms: dict[TP, int] = {}  # append time of the last record applied
        app.owner = self
        app.on_rebalance_complete.connect(self._on_complete)
        app.on_partitions_revoked.connect(self._on_revoked)
        app.on_before_shutdown.connect(self._on_shutdown)

    async def take_over(self, tps: set[TP]) -> None:
        """Shut out the former owners of these partitions."""
        self._taken_over_s = time.monotonic()
        self._owned = len(tps)
        self.take_overs += 1
        generation = self.app.consumer_generation_id
        await self.lanes.open(self.job.lanes(tps))
        self._taken_over = generation
        log.info("took over", role=self.app.conf.id, partitions=len(tps), seconds=_since(self._taken_over_s))

    async def on_start_offsets(self, offsets: Mapping[TP, int]) -> None:
        """Own the partitions from here on; seeks during a rebalance are not ours, and ignored."""
        generation = self._recovered
        if generation is None or not self._owns(generation) or self.ready:
            return
        try:
            starts = await self.job.prepare(offsets)
        except Exception as error:
            await self.crash(error)
            raise
        if self._recovered == generation and self._owns(generation):
            self.guard.own(starts)
            self.ready = True
            self.recovery_s = _since(self._taken_over_s)
            log.info("ready", role=self.app.conf.id, partitions=len(starts), seconds=self.recovery_s)

    async def on_flow(self) -> None:
        """Fetch again from where each partition starts: Faust drops what comes between its seek and this moment."""
        if self.ready:
            for tp, offset in list(self.guard.next_offsets.items()):
                await self._seek(tp, offset)

    async def run(self, stream: Any) -> None:
        """The agent's body: no exception leaves it without crashing the app."""
        async for event in stream.events():
            try:
                await self.handle(event.message.tp, event.message.value)
            except Exception as error:
                await self.crash(error)
                raise

    async def handle(self, tp: TP, fetch: Fetch) -> None:
        """Apply one fetch, or seek back to what is missing before it."""
        if time.monotonic() - self._checkpoint_s > self.patience_s:
            async with self._checkpointing:
                pass
        verdict, records = self.guard.judge(tp, fetch)
        if verdict is Verdict.APPLY:
            if self.tracer is None:
                self.job.apply(tp, records, fetch.end)
            else:
                with self.tracer.fetch(self.lanes.group, tp, records, fetch.end):
                    self.job.apply(tp, records, fetch.end)
            self._pending += len(records)
            if records:
                self.newest_ms[tp] = records[-1].timestamp
            if self._pending >= self.job.pending_max:
                await self.checkpoint()
        elif verdict is Verdict.GAP:
            if self.guard.gaps_in_a_row(tp) > GAPS_MAX:
                raise OrderLostError(f"{tp.topic}[{tp.partition}]: offset {self.guard.next_offsets[tp]} does not come")
            self.gaps += 1
            await self._seek(tp, self.guard.next_offsets[tp])
        await asyncio.sleep(0)

    async def _seek(self, tp: TP, offset: int) -> None:
        try:
            await self.app.consumer.seek_wait({tp: offset})
        except IllegalStateError:
            if tp in self.guard.next_offsets:  # else it was given away meanwhile
                raise

    async def checkpoint(self) -> None:
        """Make everything applied so far true, each lane in a transaction of its own."""
        async with self._checkpointing:
            if self.crashed:
                return
            running, self._pending = [], 0
            self._checkpoint_s = time.monotonic()
            try:
                for transaction in self.job.collect():
                    running.append(asyncio.create_task(self._commit(transaction)))
                    await asyncio.sleep(0)  # it is on its way while the next one is put together
                await all_of(running)
            except Exception as error:
                await self.crash(error)
                raise
            finally:
                self._checkpoint_s = NEVER_S
            self._committed_s = time.monotonic()

    @property
    def idle(self) -> bool:
        """Whether the group is settled and gave this member no partition."""
        return self._recovered is not None and not self._owned

    @property
    def checkpoint_age_s(self) -> float:
        """Seconds since all that was applied was last made true."""
        return time.monotonic() - self._committed_s

    async def _commit(self, transaction: Transaction) -> None:
        started_s = time.perf_counter()
        if self.tracer is None:
            await self.lanes.commit(transaction)
        else:
            with self.tracer.commit(self.lanes.group, transaction):
                await self.lanes.commit(transaction)
        self.job.committed(transaction, time.perf_counter() - started_s)

    async def checkpoint_every(self, shortest_s: float) -> None:
        """Checkpoint for as long as the app runs: often while there is little to do, less often under load.

        A checkpoint writes each customer's state once, however many events it had, so rarer ones are cheaper.
        """
        while not self.app.should_stop:
            started_s, busy = time.monotonic(), self._pending >= PENDING_BUSY
            await self.checkpoint()
            took_s = time.monotonic() - started_s
            interval_s = max(shortest_s, min(CHECKPOINT_PARTS * took_s, INTERVAL_MAX_S)) if busy else shortest_s
            await self.app.sleep(max(interval_s - took_s, 0.005))

    async def watch(self) -> None:
        """Seek back what was fetched and lost with nothing behind it, and give up a recovery that stands still."""
        losses, consumer = LossWatch(), cast(FetchConsumer, self.app.consumer)
        fetched: dict[TP, int] = {}
        moved_s = time.monotonic()
        while not self.app.should_stop:
            await self.app.sleep(WATCH_S)
            before, fetched, now_s = fetched, consumer.fetched_to(), time.monotonic()
            if fetched != before or self.ready or self._taken_over is None or not self._owned:
                moved_s = now_s  # who has no partition stands by, with nothing to recover
            elif now_s - moved_s > self.recovery_stall_s:
                await self.crash(OrderLostError(f"recovery stands still for {self.recovery_stall_s:g} s"))
            for tp in losses.lost(self.guard.next_offsets, fetched, now_s):
                self.gaps += 1
                await self._seek(tp, self.guard.next_offsets[tp])

    async def crash(self, error: BaseException) -> None:
        """Stop all work at once; nothing pending is written any more."""
        if not self.crashed:
            self.crashed = True
            self.guard.disown()
            await self.app.crash(error)

    def _owns(self, generation: int) -> bool:
        return generation == self._taken_over == self.app.consumer_generation_id

    async def _on_complete(self, *_: Any, signal: Any = None, **__: Any) -> None:  # noqa: ARG002
        if self._taken_over is not None and self._owns(self._taken_over):
            self._recovered = self._taken_over  # Faust seeks next

    async def _on_revoked(self, *_: Any, signal: Any = None, **__: Any) -> None:  # noqa: ARG002
        self._taken_over = self._recovered = None
        self.ready = False
        self.guard.disown()  # before any await: no fetch may be applied now
        if not self.crashed:
            await self.checkpoint()
        self.job.release()
        self._pending = 0
        self.newest_ms.clear()
        await self.lanes.close()

    async def _on_shutdown(self, *_: Any, signal: Any = None, **__: Any) -> None:  # noqa: ARG002
        await self._on_revoked()


def _since(started_s: float) -> float:
    return round(time.monotonic() - started_s, 3)
