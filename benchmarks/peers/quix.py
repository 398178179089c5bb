"""quixstreams: a stateful function over single events, state in RocksDB with a changelog topic."""

from __future__ import annotations

from typing import Any

from quixstreams import Application, message_context

from benchmarks.peers.job import CHECKPOINT_S, Job, Stopwatch, job_of_arguments


def run(job: Job) -> None:
    """Process the topic until the stopwatch ends the process."""
    app = Application(
        broker_address=job.bootstrap,
        consumer_group=job.group,
        auto_offset_reset="earliest",
        state_dir=f"{job.folder}/quix",
        commit_interval=CHECKPOINT_S,
        loglevel="ERROR",
    )
    topic = app.topic(job.topic, key_deserializer="bytes", value_deserializer="bytes")
    out = app.topic(job.out, key_serializer="bytes", value_serializer="bytes")
    core, watch = job.core(), Stopwatch(job)

    def detect(value: bytes, key: bytes, _timestamp: int, _headers: Any, state: Any) -> list[bytes]:
        before = state.get_bytes("state")
        after, writes = core.step_bytes(before, key, value, message_context().offset)
        state.set_bytes("state", after)
        watch.count()
        return [value or b"" for _, value, _ in writes]

    app.dataframe(topic).apply(detect, stateful=True, expand=True, metadata=True).to_topic(out)
    app.run()


if __name__ == "__main__":
    run(job_of_arguments())
