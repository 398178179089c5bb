"""Progress of long work, on stderr and only on a terminal; the work itself sees no more than `Progress`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

UNITS = ("bytes", "events", "days")


class Progress(Protocol):
    """What long work reports to: how much there is, and how much of it is done."""

    def expect(self, total: int) -> None:
        """Say how many units there are in all."""

    def advance(self, amount: int) -> None:
        """Say that `amount` more units are done."""


class Silent:
    """Reports to nobody: for scripts, tests and pipes."""

    def expect(self, total: int) -> None:
        """Ignore the total."""

    def advance(self, amount: int) -> None:
        """Ignore the amount."""


class _Bar:
    """A rich progress bar behind the `Progress` interface, redrawn at most ten times a second."""

    def __init__(self, label: str, unit: str) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            ProgressColumn,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )
        from rich.progress import Progress as RichProgress

        amounts: list[ProgressColumn] = (
            [DownloadColumn(), TransferSpeedColumn()] if unit == "bytes" else [MofNCompleteColumn()]
        )
        self._rich = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            *amounts,
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._rich.add_task(label, total=None)

    def start(self) -> None:
        self._rich.start()

    def stop(self) -> None:
        self._rich.stop()

    def expect(self, total: int) -> None:
        self._rich.update(self._task, total=total)

    def advance(self, amount: int) -> None:
        self._rich.advance(self._task, amount)


@contextmanager
def progress_bar(label: str, unit: str = "bytes") -> Iterator[Progress]:
    """Show a bar while the block runs if stderr is a terminal; `unit` is one of UNITS."""
    if unit not in UNITS:
        raise ValueError(f"unit must be one of {UNITS}")
    if not sys.stderr.isatty():
        yield Silent()
        return
    bar = _Bar(label, unit)
    bar.start()
    try:
        yield bar
    finally:
        bar.stop()
