"""What a replay is asked to do: the command line fills this in, `streams.replay` reads it."""

from __future__ import annotations

from dataclasses import dataclass, field

from streams.progress import Progress, Silent

STANDARD_STREAM = "-"
"""As an input, standard input; as an output, standard output."""


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """One replay: its inputs, and the outputs that are wanted (a path, `-` for standard output, None for none)."""

    files: tuple[str, ...]
    """CloudEvents as JSON lines, or journal dumps when `journal` is set: plain, `.gz`, `.zst`, or `-`."""
    journal: bool = False
    """The inputs are journal dumps: partitions, offsets and ticks are taken from them, nothing is reordered."""
    alerts: str | None = None
    scores: str | None = None
    score_every_s: float | None = None
    """Write a score row per customer at each multiple of this since the Unix epoch; None writes none."""
    report: str | None = None
    policy: str | None = None
    """A policy file in TOML; None means the defaults."""
    dlq: str | None = None
    insights: str | None = None
    """What stands on churn.insights in the end, one row a line."""
    until_s: float | None = None
    """Leave out events after this time, in seconds since the Unix epoch; None means to the end."""
    now_s: float | None = None
    """The intake clock that `from_the_future` is judged by; None means the machine's clock at start."""
    progress: Progress = field(default_factory=Silent)
    """Told the size of the inputs in bytes, and how many of them have been read."""
