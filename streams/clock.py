"""The wall clock: ticks in every journal partition, from the one worker that owns partition 0.

Rules: time enters the journal here and nowhere else; a tick that cannot be written is not made up for, since the next
one says more; two workers that both believe they own partition 0 do no harm, because a tick is only a time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.journal import encode_tick
from streams import metrics
from streams.engine.errors import refusal_in
from streams.engine.transport import FetchApp

SEND_S: Final = 10.0
log = structlog.get_logger(__name__)


class WallClock:
    """Writes ticks while `owns` says so."""

    def __init__(
        self,
        journal: str,
        partitions: int,
        interval_s: float,
        options: Mapping[str, Any],
        owns: Callable[[], bool],
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self.journal, self.partitions, self.interval_s = journal, partitions, interval_s
        self.options, self.owns, self.now_s = options, owns, now_s

    async def run(self, app: FetchApp) -> None:
        """Tick until the app stops; times are multiples of the interval."""
        producer = AIOKafkaProducer(**self.options, acks="all", enable_idempotence=True, linger_ms=0)
        await producer.start()
        try:
            while not app.should_stop:
                now_s = self.now_s()
                tick_s = now_s - now_s % self.interval_s
                await app.sleep(tick_s + self.interval_s - now_s)
                if self.owns() and not app.should_stop:
                    await self._tick(producer, tick_s + self.interval_s)
        finally:
            await asyncio.wait_for(producer.stop(), 2.0)

    async def _tick(self, producer: AIOKafkaProducer, time_s: float) -> None:
        value = encode_tick(time_s)
        try:
            sends = [producer.send_and_wait(self.journal, value, partition=p) for p in range(self.partitions)]
            await asyncio.wait_for(asyncio.gather(*sends), SEND_S)
        except (KafkaError, TimeoutError) as error:
            if refusal_in(error):
                raise
            log.warning("a tick could not be written", error=type(error).__name__)
        else:
            metrics.TICKS.inc(self.partitions)
