"""The states of the partitions that are ours, as bytes, filled by whole fetches of the changelog.

Rules: what was read of a changelog is one unbroken span from its start, or the partition is not used; nothing is
written here but by recovery and by the fold's own snapshot; a partition given away is forgotten.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast

import faust
from faust.stores.memory import Store
from faust.types import TP, EventT

from streams.engine.fetch import Fetch

FORGET_S: Final = 3_600.0  # a tombstone may be compacted away after a day: copies unused for long are read anew


class Copy:
    """One partition's changelog as far as it was read: its latest values, and `end`, the next offset to read.

    >>> copy = Copy(first=3)
    >>> copy.take(Fetch(2, 4, ()))
    True
    >>> copy.take(Fetch(9, 10, ()))
    False
    >>> copy.end
    4
    """

    def __init__(self, first: int = 0, used_at_s: float = 0.0) -> None:
        self.states: dict[bytes, bytes] = {}
        self.end = first
        self.used_at_s = used_at_s

    def take(self, fetch: Fetch) -> bool:
        """Apply a changelog fetch; False, and nothing changed, if records before it are missing."""
        if fetch.start is None or fetch.start > self.end:
            return False
        states = self.states
        for record in fetch.records:
            key = record.key or b""
            if record.value is None:
                states.pop(key, None)
            else:
                states[key] = record.value
        self.end = max(fetch.end, self.end)
        return True


class Copies:
    """The copies of one worker, by partition."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._copies: dict[int, Copy] = {}

    def take(self, partition: int, fetch: Fetch) -> bool:
        """Apply a changelog fetch; False if it does not join what was read, or the partition is not ours."""
        copy = self._copies.get(partition)
        return copy is not None and copy.take(fetch)

    def states(self, partition: int) -> dict[bytes, bytes]:
        """The dict of a partition that is ours, the very one that its fold reads and writes."""
        return self._copies[partition].states

    def end(self, partition: int) -> int | None:
        """The next changelog offset to read, or None for a partition that is not ours."""
        copy = self._copies.get(partition)
        return None if copy is None else copy.end

    def own(self, first: Mapping[int, int]) -> None:
        """Own these partitions and no others; what is held of them stays, else it is read from `first` on."""
        now_s = self._now_s()
        oldest_s = now_s - FORGET_S
        held = {p: copy for p, copy in self._copies.items() if p in first and copy.used_at_s >= oldest_s}
        self._copies = {p: held.get(p) or Copy(first[p], now_s) for p in first}

    def used(self, partition: int) -> None:
        """Note that what is held of a partition is what its changelog holds now."""
        if partition in self._copies:
            self._copies[partition].used_at_s = self._now_s()

    def behind(self, ends: Mapping[int, int]) -> dict[int, tuple[int, int]]:
        """Per partition that was not read to its end: the offset reached, and the end."""
        reached = {p: self.end(p) or 0 for p in ends}
        return {p: (at, ends[p]) for p, at in reached.items() if at < ends[p]}

    def sizes(self, counts: Callable[[bytes], bool]) -> dict[int, tuple[int, int]]:
        """Per partition: how many keys count, and the bytes of all states; walks them all."""
        return {p: (sum(map(counts, c.states)), sum(map(len, c.states.values()))) for p, c in self._copies.items()}


class StateStore(Store):  # type: ignore[type-arg]
    """Faust's side of `Copies`: recovery feeds it, and asks it where to go on."""

    copies: Copies

    def apply_changelog_batch(  # Faust passes its decoders; bytes need none
        self,
        batch: Iterable[EventT[Any]],
        to_key: Callable[[Any], Any],  # noqa: ARG002
        to_value: Callable[[Any], Any],  # noqa: ARG002
    ) -> None:
        """Take fetches that recovery read; one that does not join leaves its copy behind, which shows at the end."""
        for event in batch:
            self.copies.take(event.message.partition, cast(Fetch, event.message.value))

    def persisted_offset(self, tp: TP) -> int | None:
        """The last offset read: recovery goes on behind it, whatever Faust itself remembers."""
        end = self.copies.end(tp.partition)
        return None if end is None else end - 1

    async def on_rebalance(  # what is not assigned is revoked, so one argument says it all
        self,
        assigned: set[TP],
        revoked: set[TP],  # noqa: ARG002
        newly_assigned: set[TP],  # noqa: ARG002
        generation_id: int = 0,  # noqa: ARG002
    ) -> None:
        """Own the assigned partitions; those that went to others are forgotten."""
        changelog = self.table.changelog_topic.get_topic_name()
        mine = [tp for tp in assigned if tp.topic == changelog]
        first = await self.app.consumer.earliest_offsets(*mine) if mine else {}
        self.copies.own({tp.partition: first.get(tp) or 0 for tp in mine})

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Do nothing: whoever uses a partition checks first that it was read to its end."""


class StateTable(faust.Table):  # type: ignore[type-arg]
    """A Faust table whose store is a StateStore, and whose changelog topic is named by us."""

    def __init__(self, app: faust.App, *, copies: Copies, **kwargs: Any) -> None:
        self.copies = copies
        super().__init__(app, **kwargs)

    def _new_store(self) -> StateStore:
        store = StateStore("memory://", self.app, self, table_name=self.name)
        store.copies = self.copies
        return store
