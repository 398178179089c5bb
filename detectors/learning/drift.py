"""Whether the world has moved: ADWIN on a model's loss, and each feature against what it used to be.

Rules: the state is plain numbers, so that it goes on after a restart as if there had been none (river's ADWIN keeps
its buckets where they cannot be read; a test holds the two against each other).
"""

import math
from typing import Final

import msgspec

BUCKETS: Final = 5  # of one size, before the two oldest become one of twice the size
EVERY: Final = 32  # values between two looks
SMALLEST: Final = 5  # values on either side of a cut
SAMPLED: Final = 8  # means of features need no more
LONG, SHORT = 3_000.0, 150.0  # memories, in sampled examples
DRIFTS_KEPT: Final = 8  # the newest


class Adwin(msgspec.Struct):
    """A window that is cut where its two parts have different means (Bifet & Gavaldà, SIAM Data Mining, 2007).

    >>> adwin = Adwin()
    >>> any([adwin.add(0.2) for _ in range(500)]), any([adwin.add(0.8) for _ in range(500)])
    (False, True)
    """

    delta: float = 0.002
    sizes: list[int] = []  # of the buckets, the oldest first; powers of two
    sums: list[float] = []
    squares: list[float] = []
    seen: int = 0

    @property
    def width(self) -> int:
        """How many values are in the window."""
        return sum(self.sizes)

    def add(self, value: float) -> bool:
        """Take up a value between 0 and 1; true where the window was cut."""
        self.sizes.append(1)
        self.sums.append(value)
        self.squares.append(value * value)
        self.seen += 1
        self._merge()
        return self.seen % EVERY == 0 and self._cut()

    def _merge(self) -> None:
        size = 1
        while self.sizes.count(size) > BUCKETS:
            i = self.sizes.index(size)
            self.sizes[i : i + 2] = [2 * size]
            self.sums[i : i + 2] = [self.sums[i] + self.sums[i + 1]]
            self.squares[i : i + 2] = [self.squares[i] + self.squares[i + 1]]
            size *= 2

    def _cut(self) -> bool:
        was_cut = False
        while self._drops_oldest():
            del self.sizes[0], self.sums[0], self.squares[0]
            was_cut = True
        return was_cut

    def _drops_oldest(self) -> bool:
        n, total = self.width, math.fsum(self.sums)
        if n < 2 * SMALLEST:
            return False
        variance = max(0.0, math.fsum(self.squares) / n - (total / n) ** 2)
        log_term = math.log(2 * math.log(n) / self.delta)
        n0, sum0 = 0, 0.0
        for size, part in zip(self.sizes[:-1], self.sums[:-1], strict=True):
            n0, sum0 = n0 + size, sum0 + part
            n1 = n - n0
            if n0 < SMALLEST or n1 < SMALLEST:
                continue
            harmonic = 1 / (n0 - SMALLEST + 1) + 1 / (n1 - SMALLEST + 1)
            edge = math.sqrt(2 * harmonic * variance * log_term) + 2 / 3 * harmonic * log_term
            if abs(sum0 / n0 - (total - sum0) / n1) > edge:
                return True
        return False


class LossDrift(msgspec.Struct):
    """A cut of the window: what the error was before it, and what it is since."""

    learned: int  # outcomes, with the one at which it was found
    landmark_s: int  # of that one
    before: float  # mean error, |probability − outcome|, of what was dropped
    after: float


def moved_loss(adwin: Adwin, error: float, learned: int, landmark_s: int) -> LossDrift | None:
    """Take up an error between 0 and 1 of the model that decides; how it moved, where the window was cut."""
    width, total = adwin.width + 1, math.fsum(adwin.sums) + error
    if not adwin.add(error):
        return None
    kept, after = adwin.width, math.fsum(adwin.sums)
    return LossDrift(learned, landmark_s, max(0.0, total - after) / (width - kept), after / kept)


class Moments(msgspec.Struct):
    """Mean and variance with a memory, of one feature."""

    n: float = 0.0
    mean: float = 0.0
    m2: float = 0.0

    def add(self, value: float, memory: float) -> None:
        """Take up a value; what lies `memory` values back counts 1/e."""
        kept = 1.0 - 1.0 / memory
        self.n = self.n * kept + 1.0
        step = value - self.mean
        self.mean += step / self.n
        self.m2 = self.m2 * kept + step * (value - self.mean)


class FeatureDrift(msgspec.Struct):
    """Each feature's newest values against its long memory."""

    long: dict[str, Moments] = {}
    short: dict[str, Moments] = {}
    examples: int = 0

    def add(self, values: dict[str, float]) -> None:
        """Take up one example in SAMPLED; what is not named is 0."""
        self.examples += 1
        if self.examples % SAMPLED:
            return
        for name in {**self.long, **values}:  # in an order that every process has
            value = values.get(name, 0.0)
            for memory, kept in ((LONG, self.long), (SHORT, self.short)):
                moments = kept.get(name)
                if moments is None:
                    moments = kept[name] = Moments()
                moments.add(value, memory)

    def usual(self) -> dict[str, float]:
        """The long mean of each feature."""
        return {name: moments.mean for name, moments in self.long.items()}

    def moved(self, at_least: float = 0.5) -> dict[str, float]:
        """Features whose newest mean is so many standard deviations from the long one, by name."""
        if self.examples < 4 * SAMPLED * SHORT:
            return {}
        found = {}
        for name, long in self.long.items():
            sd = math.sqrt(max(long.m2 / max(long.n, 1.0), 1e-12))
            shift = (self.short[name].mean - long.mean) / sd
            if abs(shift) >= at_least and sd > 1e-3:
                found[name] = shift
        return dict(sorted(found.items(), key=lambda item: (-abs(item[1]), item[0])))
