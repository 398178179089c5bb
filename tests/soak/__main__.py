"""`make soak`: a long run at half of the top speed, then faults by seed, then everything against the oracle.

SOAK_MIN minutes of quiet work (30), SOAK_FAULT_MIN with a fault every few seconds (a third of that), SOAK_SEED (1),
SOAK_CUSTOMERS (20000), SOAK_PER_S events a second (half of what is measured at the start). It ends with 1 if memory
grew, lag was left, or anything that workers wrote is not what the fold gives.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient

from deploy.kafka.choose import LocalBroker, local_broker
from deploy.kafka.client import Kafka
from schemas.topics import JOURNAL
from tests.broker.harness import Feeder, Trial
from tests.soak.faults import NAMES, Stage
from tests.soak.oracle import differences
from tests.soak.traffic import Traffic
from tests.soak.watch import Sample, growth, memory_mb

PARTITIONS: Final = 4
CALIBRATE: Final = 150_000
CHUNK: Final = 2_000
STEP_S: Final = 10  # of event time between two events: horizons pass and windows are full long before the end
GROWTH_MAX: Final = 0.10  # of the memory in the last third of the quiet run, against the third before it
FAULT_EVERY_S: Final = 4.0


async def lag_of(trial: Trial) -> int:
    """Journal records that are not committed as read."""
    ends = await asyncio.to_thread(Kafka(trial.bootstrap).end_offsets, trial.named(JOURNAL))
    admin = AIOKafkaAdminClient(bootstrap_servers=trial.bootstrap)
    await admin.start()
    try:
        found = await admin.list_consumer_group_offsets(f"{trial.settings.app_id}-detector")
    finally:
        await admin.close()
    done = {tp.partition: offset.offset for tp, offset in found.items()}
    return sum(max(end - max(done.get(number, 0), 0), 0) for number, end in ends.items())


async def top_speed(stage: Stage) -> float:
    """Events a second that both workers take in, from customers they know, while they are fed as fast as can be."""
    for name in NAMES:
        stage.start(name)
    for name in NAMES:
        await stage.workers[name].ready()
    took_s = 0.0
    async with Feeder(stage.trial.bootstrap) as feeder:
        for _ in ("to get to know the customers", "to measure"):
            began_s = time.monotonic()
            for _ in range(0, CALIBRATE, CHUNK):
                await feeder.feed(stage.trial.named(JOURNAL), stage.traffic.chunk(CHUNK), chunk=2 * CHUNK)
            await stage.trial.caught_up(wait_s=300.0)
            took_s = time.monotonic() - began_s
            stage.fed += CALIBRATE
    return CALIBRATE / took_s


async def quiet(stage: Stage, minutes: float) -> list[Sample]:
    """Look at the workers now and then, for so long."""
    began_s, samples = time.monotonic(), list[Sample]()
    every_s = min(30.0, minutes * 60 / 12)
    while (at_s := time.monotonic() - began_s) < minutes * 60:
        await asyncio.sleep(every_s)
        sizes = {name: memory_mb(worker.process.pid) for name, worker in stage.workers.items()}
        samples.append(Sample(at_s + every_s, sizes, await lag_of(stage.trial), stage.fed))
        say(samples[-1].line())
    return samples


async def stormy(stage: Stage, minutes: float) -> None:
    """One fault after the other, for so long."""
    until_s = time.monotonic() + minutes * 60
    while time.monotonic() < until_s:
        began_s = time.monotonic()
        said = await stage.one_fault()
        say(f"  fault: {said}, {time.monotonic() - began_s:.1f} s; lag {await lag_of(stage.trial):,}")
        await asyncio.sleep(FAULT_EVERY_S)


async def soak(trial: Trial, broker: LocalBroker | None, env: Mapping[str, str]) -> list[str]:
    """Do all of it; a line for each thing that went wrong."""
    minutes, seed = float(env.get("SOAK_MIN") or 30), int(env.get("SOAK_SEED") or 1)
    await trial.create(churn_journal=PARTITIONS)
    traffic = Traffic(seed, int(env.get("SOAK_CUSTOMERS") or 20_000), PARTITIONS, STEP_S)
    stage, faults = Stage(trial, traffic, broker, seed), list[str]()
    top = await top_speed(stage)
    per_s = float(env.get("SOAK_PER_S") or top / 2)
    say(f"top speed {top:,.0f} events/s; {minutes:g} min at {per_s:,.0f}/s, seed {seed}")
    feeding = asyncio.create_task(stage.feed(per_s, CHUNK))
    samples = await quiet(stage, minutes)
    grew = growth(samples)
    say(f"memory after warm-up: {grew:+.1%}; lag at most {max(sample.lag for sample in samples):,} records")
    if grew > GROWTH_MAX:
        faults.append(f"memory grew by {grew:.1%} in the last third of the run")
    await stormy(stage, float(env.get("SOAK_FAULT_MIN") or minutes / 3))
    feeding.cancel()
    await asyncio.gather(feeding, return_exceptions=True)
    for role in ("detector", "learner", "detector"):  # the learner's models are records of the journal
        await trial.caught_up(role, wait_s=300.0)
    say("caught up, no lag is left; stopping")
    for worker in stage.workers.values():
        await worker.stop(60.0)
    restarts = sum(worker.said("failed; starting again from the last commit") for worker in trial.workers)
    models = sum(worker.said("a model is handed over") for worker in trial.workers)
    fenced = sum(
        worker.said("another worker has taken over; dropping all state and joining again") for worker in trial.workers
    )
    processes = len(trial.workers)
    say(f"{stage.fed:,} events, {models} models, {processes} processes, {restarts} restarts, {fenced} times fenced")
    records, customers, wrong = await differences(trial, PARTITIONS)
    say(f"oracle: {records:,} journal records, {customers:,} states, {len(wrong)} differences")
    return faults + wrong


def say(text: str) -> None:
    """A line at once, for who watches."""
    print(text, flush=True)


def main(env: Mapping[str, str]) -> int:
    """Run it on the given broker, or on one of its own, which faults may restart."""
    with tempfile.TemporaryDirectory(prefix="churnwatch-soak-") as folder:
        given = env.get("KAFKA_BOOTSTRAP")
        broker = None if given else local_broker(Path(folder, "kafka"))
        if broker is not None:
            broker.start()
        address = given or (broker.bootstrap if broker else "")
        trial = Trial(address, Path(folder), fold="detectors", CHURNWATCH_ROLES="detector,learner")
        try:
            wrong = asyncio.run(soak(trial, broker, env))
        finally:
            trial.end()
            if broker is not None:
                broker.__exit__(None, None, None)
    for line in wrong:
        say(f"WRONG: {line}")
    say("failed" if wrong else "nothing lost, nothing doubled")
    return 1 if wrong else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends workers and broker too
    sys.exit(main(os.environ))
