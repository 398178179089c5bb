"""A broker that is slow, that stands still, or whose disk is full: signals and a limit to its process, on Linux.

Rules: it is a broker from jars, since that is a process of ours; what a fault did to it is over when its function
returns, but for a full disk: that broker has ended, as Kafka does without a disk that it can write, and needs a start.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import time
from typing import Final

from deploy.kafka.kafka import Broker

ON_S, OFF_S = 0.1, 0.4  # a slow broker works a fifth of the time, and answers half a second late
ENDED_S: Final = 30.0


def _pid(broker: Broker) -> int:
    assert broker.pid is not None, "the broker does not run"
    return broker.pid


async def slow(broker: Broker, seconds: float) -> None:
    """Let it work only now and then, for so long."""
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        await frozen(broker, OFF_S)
        await asyncio.sleep(ON_S)


async def frozen(broker: Broker, seconds: float) -> None:
    """Let it stand still for so long, its connections open."""
    pid = _pid(broker)
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)


def no_room(pid: int) -> None:
    """Let a process write to no file any more: to it, every disk is full."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, 0))


async def full(broker: Broker) -> None:
    """Let nothing more be written to its disk; returns when it has ended for it, as its own log of metadata fails."""
    no_room(_pid(broker))
    until_s = time.monotonic() + ENDED_S
    while broker.pid is not None:
        assert time.monotonic() < until_s, "it goes on without a disk"
        await asyncio.sleep(0.1)
    broker.stop()  # forgets the process
