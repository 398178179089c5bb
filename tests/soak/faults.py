"""What a seed does to two workers while they work; every fault leaves two workers behind it."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from deploy.kafka.choose import LocalBroker
from deploy.kafka.kafka import Broker
from schemas.topics import JOURNAL
from tests.broker.harness import Feeder, Trial, Worker
from tests.broker.starved import frozen, full, slow
from tests.broker.test_chaos import forget_offsets
from tests.soak.traffic import Traffic

NAMES: Final = ("a", "b")
SESSION_S: Final = 6.0  # the least that Kafka takes
RECOVERED_S: Final = 300.0  # hours of changelog may lie there, and others use the machine


class Stage:
    """Two workers by name, and what feeds them; who holds `feeding` stops the traffic."""

    def __init__(self, trial: Trial, traffic: Traffic, broker: LocalBroker | None, seed: int) -> None:
        self.trial, self.traffic, self.broker = trial, traffic, broker
        self.rng = random.Random(seed)
        self.feeding = asyncio.Lock()
        self.workers: dict[str, Worker] = {}
        self.fed = 0
        self._ahead: list[str] = []

    def start(self, name: str) -> None:
        """Start the worker of a name, or start it again."""
        self.workers[name] = self.trial.start(name, CHURNWATCH_INSTANCE_ID=name)

    async def feed(self, per_s: float, chunk: int) -> None:
        """Append events for ever, so many a second."""
        loop, feeder = asyncio.get_running_loop(), Feeder(self.trial.bootstrap)
        due_s = loop.time()
        try:
            await feeder.__aenter__()
            while True:
                items = self.traffic.chunk(chunk)
                async with self.feeding:
                    await feeder.feed(self.trial.named(JOURNAL), items, chunk=len(items))
                self.fed += chunk
                due_s = max(due_s + chunk / per_s, loop.time() - 5.0)  # what a fault held back is not made up for
                await asyncio.sleep(max(0.0, due_s - loop.time()))
        finally:
            await feeder.__aexit__()

    async def one_fault(self) -> str:
        """Do what the seed says next, and say what it was."""
        if not self._ahead:  # each of them once, in an order of the seed, before any comes again
            self._ahead = sorted({**FAULTS, **self._of_broker()})
            self.rng.shuffle(self._ahead)
        name, victim = self._ahead.pop(), self.rng.choice(NAMES)
        await {**FAULTS, **self._of_broker()}[name](self, victim)
        return name if name in OF_BROKER else f"{name} ({victim})"

    def _of_broker(self) -> Mapping[str, Fault]:
        """What can be done to this broker: nothing to one that somebody else runs, all to one from jars on Linux."""
        if self.broker is None:
            return {}
        starvable = isinstance(self.broker, Broker) and Path("/proc/self").exists()
        return OF_BROKER if starvable else {"broker restarted": broker_restarted}


async def killed(stage: Stage, name: str) -> None:
    """kill -9, and back at once or a little later."""
    stage.workers[name].kill()
    await asyncio.sleep(stage.rng.uniform(0.0, 2.0))
    stage.start(name)
    await stage.workers[name].ready(wait_s=RECOVERED_S)


async def asleep(stage: Stage, name: str) -> None:
    """SIGSTOP past the session: it wakes up as a zombie."""
    process = stage.workers[name].process
    process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(SESSION_S + stage.rng.uniform(1.0, 4.0))
    process.send_signal(signal.SIGCONT)
    await asyncio.sleep(3.0)


async def stopped(stage: Stage, name: str) -> None:
    """SIGTERM, and a start."""
    await stage.workers[name].stop(30.0)
    stage.start(name)
    await stage.workers[name].ready(wait_s=RECOVERED_S)


async def third(stage: Stage, _: str) -> None:
    """A third worker comes and goes."""
    other = stage.trial.start("c")
    await other.ready(wait_s=RECOVERED_S)
    await asyncio.sleep(stage.rng.uniform(0.0, 3.0))
    await other.stop(30.0)


async def twin(stage: Stage, name: str) -> None:
    """A second worker with the same instance id comes and goes."""
    other = stage.trial.start("twin", CHURNWATCH_INSTANCE_ID=name)
    await other.ready(wait_s=RECOVERED_S)
    await asyncio.sleep(stage.rng.uniform(0.0, 2.0))
    await other.stop(30.0)


async def poisoned(stage: Stage, _: str) -> None:
    """Thousands of records that nobody can use, and nothing else."""
    async with stage.feeding, Feeder(stage.trial.bootstrap) as feeder:
        await feeder.feed(stage.trial.named(JOURNAL), stage.traffic.poison(3_000))


async def forgotten(stage: Stage, _: str) -> None:
    """The committed offsets are deleted while nobody works."""
    for worker in stage.workers.values():
        await worker.stop(30.0)
    await asyncio.sleep(SESSION_S + 2.0)  # members with a name stay in the group for a session
    await forget_offsets(stage.trial)
    for name in NAMES:
        stage.start(name)


async def broker_restarted(stage: Stage, _: str) -> None:
    """The broker is killed, or stopped, and comes back."""
    assert stage.broker is not None
    async with stage.feeding:
        # Blocks, and must: the thread that starts a broker is its life.
        stage.broker.restart(kill=stage.rng.random() < 0.5, down_s=stage.rng.uniform(0.0, 3.0))
        await asyncio.sleep(2.0)


async def broker_slow(stage: Stage, _: str) -> None:
    """The broker works a fifth of the time."""
    assert isinstance(stage.broker, Broker)
    await slow(stage.broker, stage.rng.uniform(5.0, 15.0))


async def broker_frozen(stage: Stage, _: str) -> None:
    """The broker stands still for longer than a session."""
    assert isinstance(stage.broker, Broker)
    async with stage.feeding:
        await frozen(stage.broker, SESSION_S + stage.rng.uniform(1.0, 6.0))


async def broker_full(stage: Stage, _: str) -> None:
    """The broker cannot write any more and ends; somebody makes room, and starts it again."""
    assert isinstance(stage.broker, Broker)
    async with stage.feeding:
        await full(stage.broker)
        await asyncio.sleep(stage.rng.uniform(0.0, 3.0))
        stage.broker.start()
        await asyncio.sleep(2.0)


Fault = Callable[[Stage, str], Awaitable[None]]

OF_BROKER: Final[Mapping[str, Fault]] = {
    "broker frozen": broker_frozen,
    "broker restarted": broker_restarted,
    "broker slow": broker_slow,
    "broker's disk full": broker_full,
}

FAULTS: Final[Mapping[str, Fault]] = {
    "asleep": asleep,
    "killed": killed,
    "offsets deleted": forgotten,
    "poison only": poisoned,
    "stopped": stopped,
    "third worker": third,
    "twin": twin,
}
