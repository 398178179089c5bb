"""What another policy would have said: one reading of the events, a fold by each policy, and the alerts side by side.

Rules: two alerts about one customer are the same one if they were open at the same time; an alert changes if it opens,
ends or peaks otherwise, or has another first reason; a probability that moves within all that is no change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import chain, groupby, zip_longest
from typing import Final, Literal, NamedTuple

import msgspec

from detectors.lifecycle import LEVELS
from detectors.policy import Policy
from schemas.alerts import AlertEvent, ChurnType, RiskLevel
from streams.lines import total_bytes
from streams.replay import Line, Replay
from streams.replay_options import ReplayOptions

What = Literal["appears", "vanishes", "changes", "same"]
WHATS: Final[tuple[What, ...]] = ("appears", "vanishes", "changes")


class Episode(msgspec.Struct, frozen=True):
    """One alert from its opening to its end."""

    customer_id: str
    alert_id: str
    opened_at: str
    ended_at: str | None  # None while it is open
    level: RiskLevel  # the highest
    probability: float  # the highest
    first_reason: str  # of the first revision
    churn_type: ChurnType
    revisions: int

    @property
    def day(self) -> str:
        """The UTC day on which it opened."""
        return self.opened_at[:10]

    def meets(self, other: Episode) -> bool:
        """Whether both were open at one time."""
        return (self.ended_at is None or other.opened_at <= self.ended_at) and (
            other.ended_at is None or self.opened_at <= other.ended_at
        )

    def tells_the_same_as(self, other: Episode) -> bool:
        """Whether a retention team sees no difference."""
        return all(
            getattr(self, name) == getattr(other, name)
            for name in ("opened_at", "ended_at", "level", "first_reason", "churn_type")
        )


class Pair(msgspec.Struct, frozen=True):
    """One alert by the old and by the new policy."""

    what: What
    old: Episode | None
    new: Episode | None

    @property
    def first(self) -> Episode:
        """The old one, or the new one where there is no old one."""
        episode = self.old or self.new
        assert episode is not None
        return episode


class Counts(msgspec.Struct):
    """How many alerts by each policy, and what became of them."""

    old: int = 0
    new: int = 0
    appears: int = 0
    vanishes: int = 0
    changes: int = 0

    @property
    def differs(self) -> bool:
        """Whether anything is different."""
        return self.appears + self.vanishes + self.changes > 0


class Diff(msgspec.Struct, frozen=True):
    """What another policy changes."""

    old_version: str
    new_version: str
    events: int
    total: Counts
    by_level: dict[str, Counts]  # the highest of each alert; what changes counts at its old level
    by_day: dict[str, Counts]  # the day of opening; what changes counts at its old day
    sample: list[Pair]  # of each kind the most probable

    def json(self) -> bytes:
        """The whole as indented JSON."""
        return msgspec.json.format(msgspec.json.encode(self)) + b"\n"


class _Noting(Replay):
    """A replay that keeps its alerts, and may be given the events of another."""

    def __init__(self, options: ReplayOptions, policy: Policy, stack: ExitStack, lines: list[Line] | None) -> None:
        super().__init__(options, policy, stack)
        self.lines = lines
        self.episodes: dict[str, Episode] = {}

    def read_events(self) -> list[Line]:
        """The events, read only once."""
        if self.lines is None:
            self.lines = super().read_events()
        return self.lines

    def said(self, alert: AlertEvent, value: bytes) -> None:
        """Keep what a revision adds to its alert."""
        super().said(alert, value)
        a = alert.data
        before = self.episodes.get(a.alert_id)
        self.episodes[a.alert_id] = Episode(
            a.customer_id,
            a.alert_id,
            a.opened_at,
            a.as_of if a.status == "resolved" else None,
            max(before.level if before else a.risk_level, a.risk_level, key=LEVELS.index),
            max(before.probability if before else 0.0, a.churn_probability),
            before.first_reason if before else (a.reasons[0].code if a.reasons else ""),
            before.churn_type if before else a.churn_type,
            a.revision,
        )


def diff(old: Policy, new: Policy, options: ReplayOptions, sample: int) -> Diff:
    """Replay the events by both policies; raises Failure for a file that cannot be read."""
    size = total_bytes(options.files)
    if size is not None:
        options.progress.expect(size)
    sides: list[_Noting] = []
    with ExitStack() as stack:
        for policy in (old, new):
            replay = _Noting(options, policy, stack, sides[0].lines if sides else None)
            replay.run_events()
            replay.flush(always=True)
            replay.partitions.clear()  # the first one's customers need not stay while the second is read
            sides.append(replay)
    pairs = list(paired(sides[0].episodes.values(), sides[1].episodes.values()))
    return Diff(old.version, new.version, sides[0].accepted, *_counted(pairs), _sample(pairs, sample))


def paired(old: Iterable[Episode], new: Iterable[Episode]) -> Iterator[Pair]:
    """Every alert with its other side, by customer and in order of time."""

    def order(episode: Episode) -> tuple[str, str]:
        return episode.customer_id, episode.opened_at

    sides = sorted(old, key=order), sorted(new, key=order)
    by_customer = [
        {customer: list(found) for customer, found in groupby(side, key=lambda e: e.customer_id)} for side in sides
    ]
    for customer in sorted(by_customer[0].keys() | by_customer[1].keys()):
        yield from _paired(*(side.get(customer, []) for side in by_customer))


def _paired(old: list[Episode], new: list[Episode]) -> Iterator[Pair]:
    i = j = 0
    while i < len(old) and j < len(new):
        if old[i].meets(new[j]):
            yield Pair("same" if old[i].tells_the_same_as(new[j]) else "changes", old[i], new[j])
            i, j = i + 1, j + 1
        elif old[i].opened_at < new[j].opened_at:
            yield Pair("vanishes", old[i], None)
            i += 1
        else:
            yield Pair("appears", None, new[j])
            j += 1
    yield from (Pair("vanishes", episode, None) for episode in old[i:])
    yield from (Pair("appears", None, episode) for episode in new[j:])


class _Counted(NamedTuple):
    total: Counts
    by_level: dict[str, Counts]
    by_day: dict[str, Counts]


def _counted(pairs: list[Pair]) -> _Counted:
    total = Counts()
    by_level: dict[str, Counts] = {level: Counts() for level in reversed(LEVELS)}
    days = sorted({episode.day for pair in pairs for episode in (pair.old, pair.new) if episode is not None})
    by_day = {day: Counts() for day in days}
    for pair in pairs:
        for side in ("old", "new"):
            episode: Episode | None = getattr(pair, side)
            if episode is not None:
                for counts in (total, by_level[episode.level], by_day[episode.day]):
                    setattr(counts, side, getattr(counts, side) + 1)
        if pair.what != "same":
            for counts in (total, by_level[pair.first.level], by_day[pair.first.day]):
                setattr(counts, pair.what, getattr(counts, pair.what) + 1)
    return _Counted(total, by_level, by_day)


def _sample(pairs: list[Pair], count: int) -> list[Pair]:
    """Some of each kind, by turns, the most probable first."""
    kinds = [
        sorted((p for p in pairs if p.what == what), key=lambda p: (-p.first.probability, p.first.customer_id))
        for what in WHATS
    ]
    turns = chain.from_iterable(zip_longest(*kinds))
    return [pair for pair in turns if pair is not None][:count]
