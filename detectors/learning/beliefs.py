"""What is believed before any outcome, and what the first few of them say of it.

Rules: the catalogue's weights are where learning starts; of features next to nothing is believed. While too few have
left to say who leaves, outcomes say how many do: the log-odds of the catalogue move as a whole, and nobody overtakes
anybody (Platt scaling of a model that was there before; Platt, 1999), so that a business in which one in two hundred
leaves is not told of one in twenty for half a year. They do so once the catalogue has expected enough to leave: where
it has not, that few have left says nothing. What is believed of those who leave by silence counts from their first
outcome on: the catalogue knows how many cancel, and nothing of them.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from detectors.learning.features import FEATURES
from detectors.learning.online import INTERCEPT, Belief, OnlineLogistic, Pace, StoredBelief
from detectors.learning.rest import unknown
from detectors.model import Model, log_odds_of

SIGNAL_SD: Final = 1.5  # a prior of the catalogue may be wrong by its own size and more
INTERCEPT_SD: Final = 1.0
ORDERS_ONLY: Final = "orders.only"
CATALOGUE: Final = "rules"  # the log-odds that the catalogue gives
LEVEL: Final = {INTERCEPT: Belief(0.0, 1.5), CATALOGUE: Belief(1.0, 0.1)}
PACE: Final = Pace(weight=0.25)  # four landmarks share a horizon, and one customer is most of what is known of a few


def beliefs_of(prior: Model) -> dict[str, Belief]:
    """What is believed before any outcome: the catalogue's weights, and of features next to nothing."""
    beliefs = {INTERCEPT: Belief(prior.intercept, INTERCEPT_SD)}
    beliefs |= {code: Belief(weight, SIGNAL_SD) for code, weight in prior.weights.items()}
    beliefs |= {unknown(code): Belief(0.0, 0.3) for code in prior.weights}
    beliefs |= {feature.name: Belief(feature.prior, feature.sd) for feature in FEATURES}
    # Whether a buyer orders again has a prior of its own, which needs no base rate of cancellations.
    beliefs[ORDERS_ONLY] = Belief(-prior.intercept, 0.3)
    return beliefs


def believed(prior: Model) -> Model:
    """The catalogue's weights with what is believed of features."""
    means = {name: belief.mean for name, belief in beliefs_of(prior).items() if belief.mean}
    features = {name: mean for name, mean in means.items() if name != INTERCEPT and name not in prior.weights}
    return msgspec.structs.replace(prior, features=features)


class Level:
    """How many leave, and how much the catalogue's log-odds are worth, while it is not known who leaves.

    >>> prior = Model("prior", -3.0, {"value.silence": 1.0})
    >>> level = Level(prior)
    >>> for _ in range(400): level.learn({"value.silence": 0.1}, False, 1.0)
    >>> given = level.model(400, 0.001)
    >>> given.intercept < -4.0, 0.5 < given.weights["value.silence"] < 1.5
    (True, True)
    """

    def __init__(self, prior: Model) -> None:
        self.prior = believed(prior)
        self.belief = OnlineLogistic(LEVEL, PACE)
        self.expected = 0.0  # of those whose outcome is known, by the catalogue
        self.silent = False  # whether any of them leaves by silence

    def learn(self, values: Mapping[str, float], left: bool, weight: float) -> None:
        """Take up one outcome, with the values of its example by name."""
        p = self.prior.give(values)
        self.belief.learn({CATALOGUE: log_odds_of(p)}, left, weight)
        self.expected += p
        self.silent = self.silent or ORDERS_ONLY in values

    def restored(self, belief: StoredBelief | None, expected: float, *, silent: bool) -> "Level":
        """The same as it was stored; as at first where a state from before has none."""
        if belief is not None:
            self.belief.restore(belief)
            self.expected, self.silent = expected, silent
        return self

    def speaks(self, least: float) -> bool:
        """Whether outcomes say more than the catalogue, where `least` are enough that were expected to leave."""
        return self.silent or self.expected >= least

    def model(self, learned: int, base_rate: float) -> Model:
        """The catalogue's weights, as far as outcomes bear them out; a learned one, by which nobody is alerted."""
        found = self.belief.weights()
        slope = found.get(CATALOGUE, 1.0)
        intercept = found[INTERCEPT] + slope * self.prior.intercept
        weights = {code: slope * weight for code, weight in self.prior.weights.items()}
        numbers = (intercept, weights, base_rate, learned)
        digest = hashlib.sha256(msgspec.json.encode(numbers, order="sorted")).hexdigest()
        features = {name: slope * weight for name, weight in self.prior.features.items()}
        return Model(f"level-{learned}-{digest[:8]}", intercept, weights, learned, features, base_rate=base_rate)
