"""Stock Faust: an agent over single events, and a Table that is written with each of them."""

from __future__ import annotations

from typing import Any

import faust

from benchmarks.peers.job import CHECKPOINT_S, PARTITIONS, Job, Stopwatch, job_of_arguments


def make_app(job: Job) -> faust.App:
    """Faust as its documentation has it, with raw bytes in place of its codecs."""
    app = faust.App(
        job.group,
        broker=f"kafka://{job.bootstrap}",
        datadir=f"{job.folder}/faust",
        store="memory://",
        topic_partitions=PARTITIONS,
        topic_replication_factor=1,
        topic_disable_leader=True,
        key_serializer="raw",
        value_serializer="raw",
        broker_commit_interval=CHECKPOINT_S,
        autodiscover=False,
        web_enabled=False,
    )
    topic = app.topic(job.topic, key_type=bytes, value_type=bytes)
    out = app.topic(job.out, key_type=bytes, value_type=bytes)
    table = app.Table("states", partitions=PARTITIONS, key_type=bytes, value_type=bytes)
    core, watch = job.core(), Stopwatch(job)

    async def detect(stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            state, writes = core.step_bytes(table.get(message.key), message.key, message.value, message.offset)
            table[message.key] = state
            for key, value, headers in writes:
                await out.send(key=key, value=value, headers=headers)
            watch.count()

    app.agent(topic, name="detect")(detect)
    return app


if __name__ == "__main__":
    faust.Worker(make_app(job_of_arguments()), loglevel="error").execute_from_commandline()
