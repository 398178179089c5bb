"""Where a process spends its time, by py-spy: what bounds a number that is missed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from benchmarks.report import Row

RATE_HZ = 200
FRAMES = 10


class Spot(NamedTuple):
    """A function, and its own share of the samples (0 to 1)."""

    share: float
    name: str


class Profile:
    """Samples a running process for some seconds, beside whatever else goes on."""

    def __init__(self, pid: int, seconds: int) -> None:
        self._file = tempfile.NamedTemporaryFile(prefix="churnwatch-profile-")  # noqa: SIM115 (lives with the object)
        program = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or "py-spy"
        command = [program, "record", "--pid", str(pid), "--duration", str(seconds), "--rate", str(RATE_HZ)]
        self._process = subprocess.Popen(
            [*command, "--format", "raw", "--output", self._file.name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def spots(self) -> list[Spot]:
        """The functions with the most time of their own; empty where py-spy may not look."""
        self._process.wait()
        with self._file:
            return hot_spots(Path(self._file.name).read_text())


def hot_spots(raw: str, most: int = FRAMES) -> list[Spot]:
    """The top of py-spy's raw samples (`outer;…;inner count`), by the innermost function, lines of it added up.

    >>> hot_spots("run (a.py:1);feed (b.py:2) 3\\nrun (a.py:1);feed (b.py:9) 1")
    [Spot(share=1.0, name='feed (b.py)')]
    """
    own: Counter[str] = Counter()
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        if count.isdigit():
            own[re.sub(r":\d+\)$", ")", stack.rpartition(";")[2])] += int(count)
    total = sum(own.values())
    return [Spot(count / total, name) for name, count in own.most_common(most)]


def rows(what: str, spots: list[Spot]) -> list[Row]:
    """Spots as rows of the table."""
    if not spots:
        return [Row(f"where the time goes, {what}", "py-spy may not look at other processes here")]
    text = "; ".join(f"{spot.share:.0%} {spot.name}" for spot in spots)
    return [Row(f"where the time goes, {what}", text)]
