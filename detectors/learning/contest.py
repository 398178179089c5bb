"""Champion against challengers: the loss of each, and what each would have gained over the one that decided.

Rules:
* a model is asked before it learns, and gains and losses are told of the same examples: a pair for each outcome;
* old pairs fade, so that what was true long ago does not hold back who is better now (fading factors: Gama, Sebastião
  & Rodrigues, On evaluating stream learning algorithms, Machine Learning, 2013);
* a comparison begins anew when another model decides;
* who takes over is better by the margin, over enough outcomes, and not by chance.
"""

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

MEMORY: Final = 2_000.0  # pairs after which one counts 1/e
Z: Final = 1.96
LEAST: Final = 1e-9  # probability that a loss is told of


class Gain(NamedTuple):
    """Log loss per outcome by which a model is better than the one that decides, and its 95 % interval."""

    mean: float
    low: float
    high: float
    outcomes: int


class Score(msgspec.Struct):
    """Log loss of one model over what it was asked, and its gain over what decides."""

    asked: int = 0
    loss: float = 0.0
    # Since the comparison began; the sums fade.
    compared: int = 0
    weight: float = 0.0
    gain: float = 0.0
    squares: float = 0.0

    def add(self, p: float, decides: float, left: bool) -> None:
        """Take up the probability that was given before the outcome, and that of the model that decides."""
        loss = _loss(p, left)
        gain = _loss(decides, left) - loss
        self.asked += 1
        self.loss += loss
        kept = 1.0 - 1.0 / MEMORY
        self.compared += 1
        self.weight = self.weight * kept + 1.0
        self.gain = self.gain * kept + gain
        self.squares = self.squares * kept + gain * gain

    def begin(self) -> None:
        """Compare anew."""
        self.compared, self.weight, self.gain, self.squares = 0, 0.0, 0.0, 0.0

    def over(self, overlap: float) -> Gain | None:
        """The gain over what decides; None before anything was compared. `overlap`: landmarks that share one horizon.

        >>> score = Score()
        >>> for i in range(400): score.add(0.8, 0.6, i % 10 > 0)
        >>> round(score.over(4.0).mean, 2), score.over(4.0).low > 0.1
        (0.19, True)
        """
        if not self.compared:
            return None
        mean = self.gain / self.weight
        spread = math.sqrt(max(0.0, self.squares / self.weight - mean * mean))
        half = Z * spread * math.sqrt(overlap / self.weight)
        return Gain(mean, mean - half, mean + half, self.compared)


def better(scores: Mapping[str, Score], after: int, margin: float, overlap: float) -> str | None:
    """Who is to take over: the one that gains most, by the margin and not by chance, over so many outcomes at least."""
    found = {}
    for name, score in scores.items():
        gain = score.over(overlap)
        if gain is not None and gain.outcomes >= after and gain.mean > margin and gain.low > 0.0:
            found[name] = gain.mean
    return max(found, key=lambda name: (found[name], name), default=None)


def _loss(p: float, left: bool) -> float:
    return -math.log(max(LEAST, p if left else 1.0 - p))
