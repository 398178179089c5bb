"""Lives that go on now: a past that is told at once, then the same lives in fast motion, as the caller asks for them.

The caller brings the clock. What would happen in the coming weeks is handed out one happening at a time and given the
time at which it is asked for, so that a life that takes two months is over within minutes.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import chain, count
from typing import Final

from schemas.usage import FeatureUsed, SessionEnded, SessionStarted
from streams.simulation.happenings import DAY_S
from streams.simulation.lives import Story
from streams.simulation.people import make_world
from streams.simulation.population import LEAVING_SHARE, by_time, numbered, stories, told_in_order
from streams.simulation.wire import Told, restamped

AHEAD_DAYS: Final = 60.0
"""So much of each life is still to come when the past has been told; then other customers take their place."""


ROUTINE: Final = (SessionStarted, SessionEnded, FeatureUsed)
KEPT_OF: Final = 4
"""In fast motion, a day's use within seconds says nothing; with less of it, what does say something comes sooner."""


class LiveLives:
    """Customers with a past of `history_days` before `now_s` and an endless future, in fast motion."""

    def __init__(
        self, seed: int, customers: int, now_s: float, history_days: float, leaving_share: float = LEAVING_SHARE
    ) -> None:
        self._seed, self._customers, self._now_s = seed, customers, now_s
        self._leaving_share = leaving_share
        self._start_s = now_s - history_days * DAY_S
        self._length_s = (history_days + AHEAD_DAYS) * DAY_S
        self._to_come: list[Iterator[Told]] = []
        self._future = self._told_future()

    def past(self) -> Iterator[Told]:
        """What happened before `now_s`, at its own times; ask for all of it before `next_at`.

        One customer after the other: whoever looks while it is still being told sees some customers whole and others
        not at all, and not all of them as if they had just fallen silent.
        """
        for story in self._stories(0):
            lives_on = numbered(story)
            for told in lives_on:
                if told.time_s >= self._now_s:
                    self._to_come.append(chain((told,), lives_on))
                    break
                yield told

    def next_at(self, time_s: float) -> Told:
        """The next happening, as if it came about at `time_s`; only one in KEPT_OF of the routine ones is told."""
        told = next(self._future)
        while isinstance(told.data, ROUTINE) and int(told.number) % KEPT_OF:
            told = next(self._future)
        return restamped(told, time_s)

    def _told_future(self) -> Iterator[Told]:
        yield from heapq.merge(*self._to_come, key=by_time)
        for later in count(1):
            yield from told_in_order(self._stories(later))

    def _stories(self, later: int) -> list[Story]:
        """The customers of a round: others, who join when those of the one before have gone."""
        start_s = self._start_s + later * self._length_s
        world = make_world(self._seed * 1_000 + later, start_s, start_s + self._length_s)
        return stories(world, self._customers, self._leaving_share)
