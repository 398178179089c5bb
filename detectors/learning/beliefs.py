"""What is believed of every weight before any outcome: where learning starts."""

from typing import Final

from detectors.learning.features import FEATURES
from detectors.learning.online import INTERCEPT, Belief
from detectors.learning.rest import unknown
from detectors.model import Model

SIGNAL_SD: Final = 1.5  # a prior of the catalogue may be wrong by its own size and more
INTERCEPT_SD: Final = 1.0
ORDERS_ONLY: Final = "orders.only"


def beliefs_of(prior: Model) -> dict[str, Belief]:
    """What is believed before any outcome: the catalogue's weights, and of features next to nothing."""
    beliefs = {INTERCEPT: Belief(prior.intercept, INTERCEPT_SD)}
    beliefs |= {code: Belief(weight, SIGNAL_SD) for code, weight in prior.weights.items()}
    beliefs |= {unknown(code): Belief(0.0, 0.3) for code in prior.weights}
    beliefs |= {feature.name: Belief(feature.prior, feature.sd) for feature in FEATURES}
    # Whether a buyer orders again has a prior of its own, which needs no base rate of cancellations.
    beliefs[ORDERS_ONLY] = Belief(-prior.intercept, 0.3)
    return beliefs
