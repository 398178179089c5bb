"""A stop that comes while a worker replaces its process is heard by the new one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.worker import RESTARTS

ROOT = Path(__file__).parents[2]
SCRIPT = """
import asyncio, os, signal, sys
from streams.worker import RESTARTS, hear_stops, hold_stops, replace_process

async def heard():
    stop = asyncio.Event()
    hear_stops(stop)
    await asyncio.wait_for(stop.wait(), 10)

if RESTARTS in os.environ:
    asyncio.run(heard())
    print("stopped")
else:
    hold_stops()
    os.kill(os.getpid(), getattr(signal, sys.argv[1]))
    replace_process(1)
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_stop_that_comes_while_a_worker_replaces_its_process_is_not_lost(name: str) -> None:
    """Without it the new process, which has no handler yet, would die of the signal instead of leaving cleanly."""
    env = {key: value for key, value in os.environ.items() if key != RESTARTS}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, name],
        cwd=ROOT,
        env={**env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "stopped\n"), done.stderr
