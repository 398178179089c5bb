"""The reader owns after recovery, applies in order, commits all or nothing, and stops at the first error."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka.errors import IllegalStateError, ProducerFenced
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.types import TP

from streams.engine.fetch import Fetch
from streams.engine.reader import GAPS_MAX, Reader
from streams.engine.transactions import Transaction
from tests.streams.engine.test_fetch import Record

HERE, THERE = TP("journal", 0), TP("journal", 1)


class Signal:
    """Calls what was connected, in order."""

    def __init__(self) -> None:
        self.connected: list[Callable[..., Coroutine[Any, Any, None]]] = []

    def connect(self, call: Callable[..., Coroutine[Any, Any, None]]) -> None:
        self.connected.append(call)

    async def send(self) -> None:
        for call in self.connected:
            await call(None, signal=self)


class App:
    """As much of a Faust app as the reader sees."""

    def __init__(self) -> None:
        self.on_rebalance_complete, self.on_partitions_revoked, self.on_before_shutdown = Signal(), Signal(), Signal()
        self.consumer_generation_id = 1
        self.conf = SimpleNamespace(id="app")
        self.crashes: list[BaseException] = []
        self.seeks: list[dict[TP, int]] = []
        self.seek_fails: Exception | None = None
        self.consumer = self
        self.should_stop = False

    async def crash(self, error: BaseException) -> None:
        self.crashes.append(error)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 100)

    def fetched_to(self) -> dict[TP, int]:
        return {}

    async def seek_wait(self, offsets: dict[TP, int]) -> None:
        self.seeks.append(offsets)
        if self.seek_fails:
            raise self.seek_fails


class Job:
    """Counts records, and tells what was done to it."""

    def __init__(self) -> None:
        self.pending: dict[TP, tuple[int, int]] = {}
        self.pending_max = 10**9
        self.released = 0

    def lanes(self, tps: set[TP]) -> set[str]:
        return {str(tp.partition) for tp in tps}

    async def prepare(self, offsets: Mapping[TP, int]) -> Mapping[TP, int]:
        await asyncio.sleep(0)
        return offsets

    def apply(self, tp: TP, records: Sequence[Any], end: int) -> None:
        count, _ = self.pending.get(tp, (0, 0))
        self.pending[tp] = count + len(records), end

    def collect(self) -> Iterator[Transaction]:
        for tp in list(self.pending):
            count, end = self.pending.pop(tp)
            writes = {("out", tp.partition): [(None, b"%d" % count, cast("list[tuple[str, bytes]]", []))]}
            yield Transaction(str(tp.partition), writes, {TopicPartition(*tp): OffsetAndMetadata(end, "")})

    def committed(self, transaction: Transaction, seconds: float) -> None: ...

    def release(self) -> None:
        self.pending.clear()
        self.released += 1


class Lanes:
    """Keeps what was committed; may be slow, or fail."""

    def __init__(self) -> None:
        self.opened: list[set[str]] = []
        self.open_now = False
        self.committed: list[tuple[str, int, int]] = []  # lane, records, offset
        self.fails: Exception | None = None
        self.during: Callable[[], Coroutine[Any, Any, None]] | None = None

    async def open(self, names: set[str]) -> None:
        self.opened.append(set(names))
        self.open_now = True

    async def close(self) -> None:
        self.open_now = False

    async def commit(self, transaction: Transaction) -> None:
        assert self.open_now
        during, self.during = self.during, None
        if during:
            await during()
        if self.fails:
            raise self.fails
        (records,), (offset,) = transaction.writes.values(), transaction.offsets.values()
        self.committed.append((transaction.lane, int(records[0][1] or b"0"), offset.offset))


class Stage:
    """A reader among recorders."""

    def __init__(self) -> None:
        self.app, self.job, self.lanes = App(), Job(), Lanes()
        self.reader = Reader(cast(Any, self.app), self.job, cast(Any, self.lanes), recovery_stall_s=0.02)

    async def own(self, *tps: TP) -> None:
        await self.reader.take_over(set(tps))
        await self.app.on_rebalance_complete.send()
        await self.reader.on_start_offsets(dict.fromkeys(tps, 0))

    async def fetch(self, start: int, end: int, tp: TP = HERE) -> None:
        await self.reader.handle(tp, Fetch(start, end, [Record(offset) for offset in range(start, end)]))


def play(scene: Callable[[Stage], Coroutine[Any, Any, None]]) -> Stage:
    stage = Stage()
    asyncio.run(scene(stage))
    return stage


def test_what_was_applied_is_committed_with_its_offset() -> None:
    async def scene(s: Stage) -> None:
        await s.own(HERE, THERE)
        await s.fetch(0, 5)
        await s.fetch(0, 2, THERE)
        await s.fetch(5, 6)
        await s.reader.checkpoint()

    s = play(scene)
    assert s.lanes.opened == [{"0", "1"}]
    assert s.lanes.committed == [("0", 6, 6), ("1", 2, 2)]


def test_a_fetch_that_comes_during_a_commit_is_in_the_next_one_whole() -> None:
    async def scene(s: Stage) -> None:
        await s.own(HERE)
        await s.fetch(0, 5)
        s.lanes.during = lambda: s.fetch(5, 9)
        await s.reader.checkpoint()
        await s.reader.checkpoint()

    assert play(scene).lanes.committed == [("0", 5, 5), ("0", 4, 9)]


def test_a_fetch_before_recovery_is_complete_is_left_alone() -> None:
    async def scene(s: Stage) -> None:
        await s.reader.take_over({HERE})
        await s.reader.on_start_offsets({HERE: 0})  # a seek in the middle of a rebalance
        await s.fetch(0, 5)
        await s.reader.checkpoint()

    s = play(scene)
    assert not s.reader.ready
    assert s.lanes.committed == []


def test_a_recovery_that_a_new_rebalance_has_outrun_gives_nothing_to_own() -> None:
    async def scene(s: Stage) -> None:
        await s.reader.take_over({HERE})
        await s.app.on_rebalance_complete.send()
        s.app.consumer_generation_id = 2
        await s.reader.on_start_offsets({HERE: 0})

    assert not play(scene).reader.ready


def test_a_completion_after_the_partitions_were_given_away_counts_for_nothing() -> None:
    async def scene(s: Stage) -> None:
        await s.reader.take_over({HERE})
        await s.app.on_partitions_revoked.send()
        await s.app.on_rebalance_complete.send()
        await s.reader.on_start_offsets({HERE: 0})

    assert not play(scene).reader.ready


def test_partitions_are_given_away_with_all_of_their_work_committed() -> None:
    async def scene(s: Stage) -> None:
        await s.own(HERE)
        await s.fetch(0, 5)
        await s.app.on_partitions_revoked.send()
        await s.fetch(5, 6)

    s = play(scene)
    assert s.lanes.committed == [("0", 5, 5)]
    assert not s.lanes.open_now
    assert s.job.released == 1
    assert s.job.pending == {}


def test_a_full_job_is_checkpointed_before_more_is_read() -> None:
    async def scene(s: Stage) -> None:
        s.job.pending_max = 8
        await s.own(HERE)
        for start in range(0, 20, 5):
            await s.fetch(start, start + 5)

    assert play(scene).lanes.committed == [("0", 10, 10), ("0", 10, 20)]


def test_a_gap_is_sought_back_and_nothing_of_it_applied() -> None:
    async def scene(s: Stage) -> None:
        await s.own(HERE)
        await s.fetch(0, 5)
        await s.fetch(7, 9)
        await s.fetch(5, 9)
        await s.reader.checkpoint()

    s = play(scene)
    assert s.app.seeks == [{HERE: 5}]
    assert s.lanes.committed == [("0", 9, 9)]


def test_records_that_never_come_crash_the_app() -> None:
    async def scene(s: Stage) -> None:
        await s.own(HERE)
        for _ in range(GAPS_MAX):
            await s.fetch(7, 9)
        with pytest.raises(Exception, match=r"journal\[0\]: offset 0 does not come"):
            await s.fetch(7, 9)

    play(scene)


def test_a_seek_of_a_partition_that_went_away_meanwhile_is_no_error() -> None:
    async def scene(s: Stage) -> None:
        await s.own(HERE)
        s.app.seek_fails = IllegalStateError()
        with pytest.raises(IllegalStateError):
            await s.fetch(7, 9)

        async def given_away(_: dict[TP, int]) -> None:
            s.reader.guard.disown()
            raise IllegalStateError

        s.app.seek_wait = given_away  # type: ignore[method-assign,assignment]
        await s.fetch(7, 9)

    play(scene)


def test_after_a_failed_commit_nothing_more_is_written() -> None:
    async def scene(s: Stage) -> None:
        await s.own(HERE)
        await s.fetch(0, 5)
        s.lanes.fails = ProducerFenced()
        with pytest.raises(ProducerFenced):
            await s.reader.checkpoint()
        s.lanes.fails = None
        await s.fetch(5, 9)
        await s.reader.checkpoint()
        await s.app.on_partitions_revoked.send()
        await s.app.on_before_shutdown.send()

    s = play(scene)
    assert [type(error) for error in s.app.crashes] == [ProducerFenced]
    assert s.lanes.committed == []


def test_an_error_in_the_agents_body_crashes_the_app_and_does_not_pass_over_the_fetch() -> None:
    async def stream() -> Any:
        yield SimpleNamespace(message=SimpleNamespace(tp=HERE, value=Fetch(0, 1, [Record(0)])))

    async def scene(s: Stage) -> None:
        await s.own(HERE)
        s.job.apply = lambda *_: 1 / 0  # type: ignore[assignment,method-assign]
        with pytest.raises(ZeroDivisionError):
            await s.reader.run(SimpleNamespace(events=stream))

    assert [type(error) for error in play(scene).app.crashes] == [ZeroDivisionError]


def test_a_checkpoint_that_takes_long_goes_before_the_next_fetch() -> None:
    """Else a starved machine applies fetch after fetch while the broker's patience with the transaction ends."""
    applied: list[int] = []

    async def scene(stage: Stage) -> None:
        await stage.own(HERE)
        stage.reader.patience_s = 1.0

        async def slow() -> None:
            await stage.fetch(10, 20)
            applied.append(stage.job.pending[HERE][1])
            stage.reader.patience_s = 0.0
            waiting = asyncio.create_task(stage.fetch(20, 30))
            await asyncio.sleep(0.05)
            applied.append(stage.job.pending[HERE][1])
            waiting.add_done_callback(lambda _: applied.append(stage.job.pending[HERE][1]))

        await stage.fetch(0, 10)
        stage.lanes.during = slow
        await stage.reader.checkpoint()
        await asyncio.sleep(0.01)

    stage = play(scene)
    assert stage.lanes.committed == [("0", 10, 10)]
    assert applied == [20, 20, 30]


@pytest.mark.parametrize(("owned", "crashes"), [((), 0), ((HERE,), 1)])
def test_a_recovery_that_stands_still_crashes_and_who_stands_by_without_a_partition_does_not(
    owned: tuple[TP, ...], crashes: int
) -> None:
    async def scene(stage: Stage) -> None:
        await stage.reader.take_over(set(owned))
        await stage.app.on_rebalance_complete.send()
        watching = asyncio.create_task(stage.reader.watch())
        await asyncio.sleep(0.2)
        stage.app.should_stop = True
        await watching

    assert len(play(scene).app.crashes) == crashes
