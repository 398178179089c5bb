"""Where partitions end, asked by a client of its own: a consumer that hangs cannot hide how far it is behind."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from faust.types import TP

ANSWER_S: Final = 5.0


class Ends:
    """Asks for end offsets; connects when first asked, and again after Kafka was away."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = dict(options)
        self._consumer: AIOKafkaConsumer | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def of(self, tps: Sequence[TP]) -> dict[TP, int] | None:
        """The end offset of each of these partitions as Kafka says now; None if it does not answer in time."""
        if not tps:
            return {}
        try:
            async with asyncio.timeout(ANSWER_S):
                if self._consumer is None:
                    self._consumer = AIOKafkaConsumer(
                        **self._options, group_id=None, enable_auto_commit=False, isolation_level="read_committed"
                    )
                    await self._consumer.start()
                found = await self._consumer.end_offsets(list(tps))
        except (KafkaError, OSError, TimeoutError):
            await self._close()
            return None
        return {tp: found[tp] for tp in tps if tp in found}

    async def _close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(ANSWER_S):
                    await consumer.stop()
