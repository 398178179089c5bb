"""The peers on one topic with the same events, one after the other, each as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.cluster import ROOT, BenchError, Setup, fill, fresh_topics
from benchmarks.events import UNIFORM, ZIPF, Shape
from benchmarks.lives import lived_states
from benchmarks.peers.job import Job, Speed
from benchmarks.peers.one_customer import write_lives
from benchmarks.report import Row, at_least
from benchmarks.worker import journal_items
from schemas.topics import JOURNAL, SCORES

DEADLINE_S = 120


class Peer(NamedTuple):
    """One engine: how many events it is timed over, and how many times slower than ours it is to be, by shape."""

    name: str
    module: str
    warm: dict[str, int]
    events: dict[str, int]
    wanted: dict[str, float | None]


Z, U = ZIPF.name, UNIFORM.name
PEERS = (
    Peer("stock Faust, agent and Table", "faust_table", {Z: 5_000}, {Z: 40_000}, {Z: 12.0}),
    Peer(
        "quixstreams, state and changelog", "quix", {Z: 50_000, U: 50_000}, {Z: 150_000, U: 100_000}, {Z: 2.5, U: 1.5}
    ),
    Peer("bytewax, recovery", "bytewax_flow", {Z: 50_000, U: 50_000}, {Z: 150_000, U: 100_000}, {Z: 2.5, U: 1.5}),
)


def run(peer: Peer, setup: Setup, shape: Shape, lived: list[bytes]) -> float:
    """Events a second of one peer; BenchError with its last words when it does not say."""
    with tempfile.TemporaryDirectory(prefix="churnwatch-peer-") as folder:
        write_lives(Path(folder) / "lives", lived)
        job = Job(
            bootstrap=setup.bootstrap,
            topic=setup.named(JOURNAL),
            out=setup.named(SCORES),
            group=f"{setup.app_id}-{peer.module}",
            folder=folder,
            warm=peer.warm[shape.name],
            events=peer.events[shape.name],
        )
        command = [sys.executable, "-m", f"benchmarks.peers.{peer.module}", msgspec.json.encode(job).decode()]
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=DEADLINE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BenchError(f"{peer.name}: no result in {DEADLINE_S} s") from None
        last = done.stdout.strip().splitlines()[-1:]
        if done.returncode or not last:
            raise BenchError(f"{peer.name} ended (exit {done.returncode}):\n{done.stderr[-500:]}")
        return msgspec.json.decode(last[0], type=Speed).events_per_s


def measure(bootstrap: str, ours: dict[str, float]) -> list[Row]:
    """Each peer's speed, and how many times faster ours was in the same run."""
    lived = lived_states()
    rows = []
    for shape in (ZIPF, UNIFORM):
        with fresh_topics(bootstrap) as setup:
            most = max(peer.warm.get(shape.name, 0) + peer.events.get(shape.name, 0) for peer in PEERS)
            fill(bootstrap, journal_items(setup, shape, most + 1_000, ticks=False))
            for peer in PEERS:
                if shape.name not in peer.events:
                    continue
                speed = run(peer, setup, shape, lived)
                rows.append(at_least(f"{peer.name}, {shape.name}", speed, None))
                if shape.name in ours:
                    ratio = ours[shape.name] / speed
                    rows.append(at_least(f"ours ÷ {peer.name}, {shape.name}", ratio, peer.wanted[shape.name], "×"))
    return rows
