"""The private names of Faust that the engine rests on are there, and do what it takes them to do.

One test a name: when a new version of Faust breaks one, the failure says which, and what was expected of it.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import faust
import pytest
from faust.transport.consumer import Consumer as BaseConsumer
from faust.transport.consumer import ThreadDelegateConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.engine.store import StateTable
from streams.engine.transport import PRIVATE, FetchConsumer, FetchThread


def owner_of(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def source_of(thing: Any) -> str:
    return inspect.getsource(thing)


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, names in PRIVATE.items() for name in names])
def test_the_name_is_there(path: str, name: str) -> None:
    owner = owner_of(path)
    annotations = {key for base in owner.__mro__ for key in getattr(base, "__annotations__", {})}
    made = any(f"self.{name}" in source_of(base) for base in owner.__mro__ if base is not object)
    assert hasattr(owner, name) or name in annotations or made


def test_no_other_private_name_of_a_base_class_is_used() -> None:
    named = {name for names in PRIVATE.values() for name in names}
    for ours, base in ((FetchConsumer, driver.Consumer), (FetchThread, driver.AIOKafkaConsumerThread)):
        inherited = {name for name in dir(base) if name.startswith("_") and not name.startswith("__")}
        used = {name for name in inherited if f".{name}" in source_of(ours) or f"def {name}" in source_of(ours)}
        assert used <= named


def test_new_consumer_thread_takes_nothing_and_its_thread_is_started_as_a_dependency() -> None:
    assert list(inspect.signature(driver.Consumer._new_consumer_thread).parameters) == ["self"]
    made = source_of(BaseConsumer.__mro__[0]) + source_of(ThreadDelegateConsumer.__init__)
    assert "self._thread = self._new_consumer_thread()" in made
    assert "self.add_dependency(self._thread)" in made


def test_wait_next_records_gives_what_the_thread_fetched_and_the_live_set() -> None:
    code = source_of(BaseConsumer._wait_next_records)
    assert list(inspect.signature(BaseConsumer._wait_next_records).parameters) == ["self", "timeout"]
    assert "records = await self._getmany(" in code
    assert "return records, active_partitions" in code


def test_is_changelog_tp_asks_the_tables_by_topic() -> None:
    assert "tp.topic in self.app.tables.changelog_topics" in source_of(BaseConsumer._is_changelog_tp)


def test_buffered_partitions_hold_what_a_full_buffer_took_from_the_live_set() -> None:
    code = source_of(BaseConsumer.on_buffer_full)
    assert "active_partitions.discard(tp)" in code
    assert "self._buffered_partitions.add(tp)" in code


def test_read_offset_of_none_lets_every_message_through() -> None:
    code = source_of(BaseConsumer._drain_messages)
    assert "if r_offset is None or offset >= r_offset:" in code
    assert "acks_enabled = acks_enabled_for(message.topic)" in code


def test_create_worker_consumer_gets_the_transport_and_gives_the_consumer() -> None:
    thread = driver.AIOKafkaConsumerThread
    assert list(inspect.signature(thread._create_worker_consumer).parameters) == ["self", "transport"]
    assert "return self._create_worker_consumer(transport)" in source_of(thread._create_consumer)


def test_assignor_is_set_where_the_consumer_is_made() -> None:
    code = source_of(driver.AIOKafkaConsumerThread._create_worker_consumer)
    assert "self._assignor = (" in code
    assert "partition_assignment_strategy=[self._assignor]" in code


def test_fetch_records_runs_in_the_threads_own_loop() -> None:
    thread = driver.AIOKafkaConsumerThread
    names = ["self", "consumer", "active_partitions", "timeout", "max_records"]
    assert list(inspect.signature(thread._fetch_records).parameters) == names
    called = source_of(thread.getmany)
    assert "return await self.call_thread(" in called
    assert "self._fetch_records," in called


def test_seek_wait_seeks_before_its_first_await() -> None:
    code = source_of(driver.AIOKafkaConsumerThread._seek_wait)
    assert list(inspect.signature(driver.AIOKafkaConsumerThread._seek_wait).parameters) == [
        "self",
        "consumer",
        "partitions",
    ]
    assert code.index("consumer.seek(tp, offset)") < code.index("await ")
    assert "self.call_thread(self._seek_wait, consumer, partitions)" in source_of(
        driver.AIOKafkaConsumerThread.seek_wait
    )


def test_ensure_consumer_gives_the_started_consumer_or_raises() -> None:
    code = source_of(driver.AIOKafkaConsumerThread._ensure_consumer)
    assert "raise ConsumerNotStarted" in code
    assert "return self._consumer" in code


def test_new_store_makes_the_store_of_a_table_when_it_is_first_asked_for() -> None:
    assert list(inspect.signature(faust.Table._new_store).parameters) == ["self"]
    assert "self._data = self._new_store()" in source_of(faust.tables.base.Collection)
    assert "_new_store" in vars(StateTable)


def test_recovery_asks_the_store_where_to_go_on_and_waits_for_the_record_below_the_highwater() -> None:
    recovery = faust.tables.recovery.Recovery
    assert "persisted_offset = table.persisted_offset(tp)" in source_of(recovery._add)
    assert "offsets[tp] = persisted_offset" in source_of(recovery._add)
    assert "value - 1 if value is not None else -1" in source_of(recovery._build_highwaters)
    assert "tp: highwater - offsets[tp]" in source_of(recovery.active_remaining)


def test_seeks_to_committed_come_after_the_signal_that_recovery_is_complete() -> None:
    recovery = faust.tables.recovery.Recovery
    for end in (recovery.on_recovery_completed, recovery._resume_streams):
        code = source_of(end)
        assert code.index("on_rebalance_complete.send()") < code.index("consumer.perform_seek()")


def test_a_partition_is_the_same_key_for_faust_and_aiokafka() -> None:
    from aiokafka.structs import TopicPartition

    assert {TopicPartition("t", 1): "x"}[TP("t", 1)] == "x"
