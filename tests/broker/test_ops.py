"""The ops server of a real worker: there before Kafka is, ready when it works, and alive when Kafka goes away."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import aiohttp

from deploy.kafka.choose import LocalBroker
from deploy.kafka.kafka import free_port
from schemas.topics import JOURNAL
from tests.broker.harness import Feeder, Trial
from tests.broker.traffic import journal_items

STALL_S = 10


async def ask(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


async def until(port: int, path: str, status: int, wait_s: float = 30.0) -> str:
    """What the page says once it has this status."""
    ends_s = time.monotonic() + wait_s
    while True:
        try:
            found, text = await ask(port, path)
        except aiohttp.ClientError as error:
            found, text = 0, repr(error)
        if found == status:
            return text
        assert time.monotonic() < ends_s, (found, text)
        await asyncio.sleep(0.1)


def test_alive_before_kafka_is_there_and_not_ready(tmp_path: Path) -> None:
    async def away(trial: Trial, port: int) -> None:
        trial.start(CHURNWATCH_OPS=f"127.0.0.1:{port}")
        try:
            assert "waiting for Kafka" in await until(port, "/readyz?verbose", 503)
            assert (await ask(port, "/livez"))[0] == 200
            assert "churn_build_info" in (await ask(port, "/metrics"))[1]
        finally:
            trial.end()

    asyncio.run(away(Trial(f"127.0.0.1:{free_port()}", tmp_path), free_port()))


def test_ready_when_it_works_and_still_alive_when_kafka_goes_away(guarded_broker: LocalBroker, tmp_path: Path) -> None:
    async def through(trial: Trial, port: int) -> None:
        await trial.create()
        worker = trial.start(CHURNWATCH_OPS=f"127.0.0.1:{port}", CHURNWATCH_STALL_S=str(STALL_S))
        try:
            async with Feeder(trial.bootstrap) as feeder:
                await feeder.feed(trial.named(JOURNAL), journal_items(1, 5_000))
            text = await until(port, "/readyz?verbose", 200)
            assert "[+]detector-recovered ok: works" in text
            await trial.caught_up()
            await asyncio.sleep(6)  # the gauges are set every five seconds
            metrics = (await ask(port, "/metrics"))[1]
            topic = trial.named(JOURNAL)
            assert f'churn_consumer_lag_records{{partition="0",topic="{topic}"}} 0.0' in metrics
            assert f'churn_consumer_lag_seconds{{partition="0",topic="{topic}"}} 0.0' in metrics
            guarded_broker.kill()
            gone_s = time.monotonic()
            while time.monotonic() - gone_s < STALL_S + 12:
                status, page = await ask(port, "/livez?verbose")
                assert status == 200, page
                assert worker.process.poll() is None
                await asyncio.sleep(0.5)
        finally:
            trial.end()

    asyncio.run(through(Trial(guarded_broker.bootstrap, tmp_path), free_port()))
