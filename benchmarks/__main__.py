"""`make bench`: measure all parts, or those that are named, and print one table.

Rules: ratios are within one run on one broker; every process that is started here ends here; a part that fails is a
row that says so, and makes the exit code 1.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import core, detection, latency, learning, quality, shares, worker
from benchmarks.cluster import BenchError
from benchmarks.events import UNIFORM, ZIPF
from benchmarks.peers import race
from benchmarks.report import RESULTS, Row, table
from benchmarks.sizing import PAGE, scale_page
from deploy.kafka.choose import local_broker
from deploy.kafka.kafka import BrokerError

COUNTS = {ZIPF.name: 600_000, UNIFORM.name: 300_000}
INTAKE = 900_000
NOTES = (
    "Every customer has lived half a year before a stream begins (`benchmarks/lives.py`); "
    "events have 170 bytes on average.",
    "Broker, worker and peers share the cores. Peers make their progress durable every second, at least once; "
    "ours every 0.1 to 1 s by load, in a Kafka transaction with its alerts and offsets.",
    "All assess a customer once in each half second of event time in which an event may have changed a signal of it.",
)
PARTS = ("core", "signals", "detection", "quality", "learning", "worker", "peers", "intake", "latency", "profile")
WITHOUT_BROKER = frozenset({"core", "signals", "detection", "quality", "learning"})


class Bench:
    """The parts, and what later ones need of earlier ones."""

    def __init__(self, bootstrap: str, files: list[str]) -> None:
        self.bootstrap, self.files = bootstrap, files
        self.ours: dict[str, float] = {}

    def core(self) -> list[Row]:
        """The fold by itself."""
        return core.measure()

    def signals(self) -> list[Row]:
        """What each signal costs of the fold."""
        return shares.measure()

    def detection(self) -> list[Row]:
        """Whether the alerts are right."""
        return detection.measure()

    def learning(self) -> list[Row]:
        """What learning costs."""
        return learning.measure()

    def worker(self) -> list[Row]:
        """Our worker from the journal, and recovery."""
        rows, self.ours = worker.measure_journal(self.bootstrap, counts=COUNTS)
        return rows

    def peers(self) -> list[Row]:
        """Other engines doing the same."""
        return race.measure(self.bootstrap, self.ours)

    def intake(self) -> list[Row]:
        """From the input topics to the journal."""
        return worker.measure_intake(self.bootstrap, count=INTAKE)

    def latency(self) -> list[Row]:
        """From an event to its alert."""
        return latency.measure(self.bootstrap)

    def profile(self) -> list[Row]:
        """What bounds the worker."""
        return worker.measure_profile(self.bootstrap, counts=COUNTS)

    def quality(self) -> list[Row]:
        """The probabilities against what happened."""
        return quality.measure(self.files)


TITLES = {
    "core": "The core alone, per second of CPU time on one core",
    "signals": "What signals cost: each one's share of reading customers, and all of them against the first",
    "detection": "Whether the alerts are right, on simulated customers with the default policy",
    "learning": "What learning costs, in CPU time of one core",
    "worker": "The worker on Kafka",
    "peers": "Other engines with the same core",
    "intake": "Intake",
    "latency": "Through the whole chain",
    "profile": "What bounds the worker (py-spy)",
    "quality": "How good the probabilities are, beside others on the same events",
}


@contextmanager
def broker(needed: bool) -> Iterator[str]:
    """Where Kafka answers: KAFKA_BOOTSTRAP, else one started here for as long as it is needed."""
    given = os.environ.get("KAFKA_BOOTSTRAP", "")
    if given or not needed:
        yield given
        return
    with (
        tempfile.TemporaryDirectory(prefix="churnwatch-bench-") as folder,
        local_broker(Path(folder) / "kafka") as kafka,
    ):
        yield kafka.bootstrap


def measure(names: list[str], files: list[str]) -> tuple[list[tuple[str, list[Row]]], bool]:
    """The rows of each part, and whether all could be measured."""
    parts: list[tuple[str, list[Row]]] = []
    whole = True
    with broker(needed=not WITHOUT_BROKER.issuperset(names)) as bootstrap:
        bench = Bench(bootstrap, files)
        for name in names:
            part: Callable[[], list[Row]] = getattr(bench, name)
            began_s = time.monotonic()
            try:
                rows = part()
            except (BenchError, OSError) as error:
                rows, whole = [Row("could not be measured", str(error).replace("\n", " ")[:300], "", False)], False
            parts.append((TITLES[name], rows))
            print(f"{name}: {time.monotonic() - began_s:.0f} s", file=sys.stderr, flush=True)
    return parts, whole


def main(argv: list[str] | None = None) -> int:
    """Command line: 0 measured, 1 a part could not be, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)} (default: all); after quality, event files")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it logs each retry while a new topic has no leader
    asked: list[str] = parser.parse_args(argv).parts
    names = [name for name in PARTS if name in asked] or list(PARTS)
    files = [name for name in asked if name not in PARTS]
    if files and ("quality" not in asked or not all(Path(file).exists() for file in files)):
        parser.error(f"neither a part nor a file for quality: {files[0]}")
    try:
        parts, whole = measure(names, files)
    except BrokerError as error:
        print(error, file=sys.stderr)
        return 1
    text = table(parts, NOTES)
    print(text)
    if names == list(PARTS):
        RESULTS.write_text(text)
        PAGE.write_text(scale_page(text))
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
