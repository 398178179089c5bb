"""What is seen of workers from outside while they soak: memory, lag, and how far they were fed."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Sample(NamedTuple):
    """One look at the workers."""

    at_s: float
    memory_mb: dict[str, float]
    lag: int
    fed: int

    def line(self) -> str:
        """The sample as a row."""
        sizes = "  ".join(f"{name} {size:6.1f} MB" for name, size in sorted(self.memory_mb.items()))
        return f"{self.at_s / 60:6.1f} min  {sizes}  lag {self.lag:7,}  fed {self.fed:11,}"


def memory_mb(pid: int) -> float:
    """Memory of a process's own, in MB; not of the files that it maps, which the system takes and gives as it likes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1000
    return 0.0


def growth(samples: list[Sample]) -> float:
    """How much more memory all workers had in the last third than in the third before it, as a share.

    >>> round(growth([Sample(float(n), {"a": 100.0 + n}, 0, 0) for n in range(9)]), 3)
    0.029
    """
    third = max(len(samples) // 3, 1)

    def mean(part: list[Sample]) -> float:
        return sum(sum(sample.memory_mb.values()) for sample in part) / len(part)

    before, last = mean(samples[-2 * third : -third] or samples[:1]), mean(samples[-third:])
    return last / before - 1
