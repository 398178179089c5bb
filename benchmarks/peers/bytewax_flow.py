"""bytewax: a stateful operator over batches per key, live objects, snapshots into its recovery store."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from benchmarks.peers.job import CHECKPOINT_S, Job, Stopwatch, job_of_arguments
from detectors.customer import dump, load

BATCH = 5_000  # as many records a poll as ours


def make_flow(job: Job) -> Dataflow:
    """Source, key, state, sink."""
    core, watch = job.core(), Stopwatch(job)

    class Customer(StatefulBatchLogic):  # type: ignore[misc]
        """One customer; kept for good."""

        def __init__(self, state: bytes | None) -> None:
            self.customer = load(state) if state is not None else None

        def on_batch(self, values: list[Any]) -> tuple[list[Any], bool]:
            found = []
            for message in values:
                key = message.key
                customer = self.customer or load(core.first(key))
                self.customer, writes = core.step(customer, key, message.value, message.offset)
                found += [KafkaSinkMessage(key, value) for _, value, _ in writes]
                watch.count()
            return found, StatefulBatchLogic.RETAIN

        def snapshot(self) -> bytes | None:
            return dump(self.customer) if self.customer is not None else None

    flow = Dataflow("detect")
    source = KafkaSource([job.bootstrap], [job.topic], batch_size=BATCH)
    read = op.input("read", flow, source)
    keyed = op.flat_map_batch("key", read, lambda batch: [(message.key.decode(), message) for message in batch])
    found = op.stateful_batch("detect", keyed, Customer)
    op.output("write", op.key_rm("unkey", found), KafkaSink([job.bootstrap], job.out))
    return flow


def run(job: Job) -> None:
    """Process the topic until the stopwatch ends the process."""
    folder = Path(job.folder) / "bytewax"
    folder.mkdir()
    init_db_dir(folder, 1)
    cli_main(
        make_flow(job), epoch_interval=timedelta(seconds=CHECKPOINT_S), recovery_config=RecoveryConfig(str(folder))
    )


if __name__ == "__main__":
    run(job_of_arguments())
