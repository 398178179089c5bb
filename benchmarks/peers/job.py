"""What a peer's process is told, and how it says how fast it was."""

from __future__ import annotations

import gc
import os
import sys
import time
from pathlib import Path
from typing import NoReturn

import msgspec

from benchmarks.core import GC_THRESHOLDS
from benchmarks.peers.one_customer import OneCustomer, read_lives

CHECKPOINT_S = 1.0
"""How often a peer makes its progress durable; ours every 0.1 to 1 s."""

PARTITIONS = 4


class Job(msgspec.Struct, frozen=True):
    """One run of one peer; `warm` events are not timed, `events` more are."""

    bootstrap: str
    topic: str
    out: str
    group: str
    folder: str
    warm: int
    events: int

    def core(self) -> OneCustomer:
        """The work that is the same for all."""
        gc.set_threshold(*GC_THRESHOLDS)
        return OneCustomer(read_lives(Path(self.folder) / "lives"))


class Speed(msgspec.Struct):
    """What a peer's process prints as its last line."""

    events_per_s: float


class Stopwatch:
    """Counts events; ends the process with the result after the last one."""

    def __init__(self, job: Job) -> None:
        self._left = job.warm
        self._job = job
        self._started_s = 0.0

    def count(self) -> None:
        """One event is done."""
        self._left -= 1
        if self._left == 0:
            if self._started_s:
                self._end()
            self._started_s = time.perf_counter()
            self._left = self._job.events

    def _end(self) -> NoReturn:
        """Print the speed and leave at once: how long an engine takes to stop is not asked."""
        taken_s = time.perf_counter() - self._started_s
        # Not by way of sys.stdout, which Faust takes for itself.
        os.write(1, b"\n" + msgspec.json.encode(Speed(self._job.events / taken_s)) + b"\n")
        os._exit(0)


def job_of_arguments() -> Job:
    """The job in the first argument, as JSON."""
    return msgspec.json.decode(sys.argv[1], type=Job)
