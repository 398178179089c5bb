"""The difference that a policy makes, as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from streams.cards import LEVEL_STYLES
from streams.policy_diff import Counts, Diff, Episode, Pair

DAYS_SHOWN: Final = 31
STYLES: Final = {"appears": "green", "vanishes": "red", "changes": "yellow"}


def tables(diff: Diff) -> Iterator[RenderableType]:
    """What is said of a difference: in all, by level, by day, and some alerts."""
    total = diff.total
    yield Text(
        f"{diff.events:,} events: {total.old:,} alerts by {diff.old_version}, {total.new:,} by {diff.new_version}; "
        f"{total.appears:,} appear, {total.vanishes:,} vanish, {total.changes:,} change"
    )
    if not total.differs:
        return
    yield _counts("level", diff.by_level)
    days = {day: counts for day, counts in diff.by_day.items() if counts.differs}
    yield _counts("day", dict(list(days.items())[:DAYS_SHOWN]))
    if len(days) > DAYS_SHOWN:
        yield Text(f"… and {len(days) - DAYS_SHOWN} more days that differ: --json has them all", "dim")
    if diff.sample:
        yield _sample(diff.sample)


def _counts(name: str, rows: Mapping[str, Counts]) -> Table:
    table = Table(name, box=None)
    for title in ("old", "new", "appear", "vanish", "change"):
        table.add_column(title, justify="right")
    for key, counts in rows.items():
        style = LEVEL_STYLES.get(key, "")  # type: ignore[call-overload]
        numbers = (counts.old, counts.new, counts.appears, counts.vanishes, counts.changes)
        table.add_row(Text(key, style), *(f"{number:,}" if number else "·" for number in numbers))
    return table


def _sample(pairs: list[Pair]) -> Table:
    table = Table("", "customer", "old", "new", box=None)
    for pair in pairs:
        table.add_row(Text(pair.what, STYLES[pair.what]), pair.first.customer_id, _side(pair.old), _side(pair.new))
    return table


def _side(episode: Episode | None) -> str:
    """An alert in a few words."""
    if episode is None:
        return "·"
    ended = f"to {_when(episode.ended_at)}" if episode.ended_at is not None else "open"
    said = f"{_when(episode.opened_at)} {ended}, {episode.level} {episode.probability:.0%}"
    return f"{said}, {episode.churn_type}: {episode.first_reason}"


def _when(time: str) -> str:
    """A time of the wire, to the minute."""
    return time[:16].replace("T", " ")
