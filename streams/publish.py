"""Files of events to their topics: `churnwatch publish`."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

from streams.brokers import started
from streams.lines import read_lines, total_bytes
from streams.progress import Progress, Silent
from streams.publisher import Publisher, Undelivered, make_producer
from streams.routing import TOPIC_OF_SEGMENT, KeyBy, Unroutable, route

SHOWN_LINES: Final = 20
"""So many lines that could not be routed are named; the rest is counted."""

PACE_S: Final = 0.05
"""A throttled run hands over what it has this often, so that the rate is even and not in bursts."""


@dataclass(frozen=True, slots=True)
class PublishOptions:
    """What to publish, and how."""

    files: tuple[str, ...]
    bootstrap: str
    prefix: str = ""
    topic: str | None = None
    """Send every line to this topic (without prefix), readable or not."""
    key_by: KeyBy = "subject"
    rate_per_s: float | None = None
    """At most so many events per second; None means as fast as the broker takes them."""
    compression: str = "none"
    progress: Progress = field(default_factory=Silent)
    """Told the size of the inputs in bytes, and how many of them have been read."""


@dataclass(frozen=True, slots=True)
class UnroutedLine:
    """A line that has no topic, by file and number, and why."""

    file: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Published:
    """What became of the lines."""

    delivered: int
    undelivered: tuple[Undelivered, ...]
    unrouted: int
    unrouted_lines: tuple[UnroutedLine, ...]
    """The first SHOWN_LINES of them."""
    took_s: float

    @property
    def undelivered_records(self) -> int:
        """How many records the broker did not take."""
        return sum(batch.records for batch in self.undelivered)

    @property
    def complete(self) -> bool:
        """Whether every line is in Kafka now."""
        return not self.undelivered and not self.unrouted

    @property
    def rate_per_s(self) -> float:
        """Delivered events per second."""
        return self.delivered / self.took_s if self.took_s > 0.0 else 0.0


class Pace:
    """Holds a run to a rate, by the event loop's clock; for callers that ask before each record."""

    def __init__(self, rate_per_s: float) -> None:
        self._rate_per_s = rate_per_s
        self._start_s = asyncio.get_running_loop().time()
        self._sent = 0

    def room(self) -> bool:
        """Whether one more record may go out now; if so it counts as sent."""
        now_s = asyncio.get_running_loop().time()
        if self._sent >= (now_s - self._start_s + PACE_S) * self._rate_per_s:
            return False
        self._sent += 1
        return True


async def publish(options: PublishOptions) -> Published:
    """Publish every line of every file in its order; raises Failure for a missing file, topic or broker."""
    size = total_bytes(options.files)
    if size is not None:
        options.progress.expect(size)
    start_s = time.perf_counter()
    unrouted: list[UnroutedLine] = []
    unrouted_count = 0
    async with started(make_producer(options.bootstrap, options.compression), options.bootstrap) as producer:
        publisher = Publisher(producer, options.prefix)
        wanted = [options.topic] if options.topic is not None else sorted(set(TOPIC_OF_SEGMENT.values()))
        await publisher.find_topics(wanted)
        pace = None if options.rate_per_s is None else Pace(options.rate_per_s)
        for file in options.files:
            publisher.source = file
            for number, line in read_lines(file, options.progress):
                target = route(line, options.key_by, options.topic)
                if isinstance(target, Unroutable):
                    unrouted_count += 1
                    if len(unrouted) < SHOWN_LINES:
                        unrouted.append(UnroutedLine(file, number, target.reason))
                    continue
                while pace is not None and not pace.room():
                    await publisher.flush()
                    await asyncio.sleep(PACE_S)
                await publisher.add(target.topic, target.key, line, number)
            await publisher.flush()
    return Published(
        delivered=publisher.delivered,
        undelivered=tuple(publisher.undelivered),
        unrouted=unrouted_count,
        unrouted_lines=tuple(unrouted),
        took_s=time.perf_counter() - start_s,
    )
