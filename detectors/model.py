"""What turns strengths into a probability: an intercept, and one weight per signal and per feature, as plain numbers.

Contributions are exact: the log-odds are the intercept, plus weight × strength of each signal, plus what the features
of the customer add (a logistic model; Hosmer, Lemeshow & Sturdivant, Applied Logistic Regression, 2013). A reason is
always a signal. What a feature adds beyond its usual value goes to the signal it speaks for while that one is raised;
everything else is the customer's own intercept (`detectors.learning.rest`). So the parts add up, whatever is raised.
"""

import hashlib
import math
from collections.abc import Mapping

import msgspec

from detectors.policy import Policy
from schemas.alerts import Confidence


class Model(msgspec.Struct, frozen=True):
    """Weights in log-odds at full strength; `examples` is how many outcomes it has learned from."""

    version: str
    intercept: float
    weights: dict[str, float]
    examples: int = 0
    features: dict[str, float] = {}
    """Log-odds per unit of each feature, `unknown:CODE`, `plan:NAME` and `via:CHANNEL`; none in the prior."""
    usual: dict[str, float] = {}
    """The mean of each feature that speaks for a signal, over what was learned from."""
    proven: bool = False
    """Whether the outcomes since have shown that it tells leavers from others."""
    base_rate: float = 0.0
    """Share that left of the newest outcomes it learned from; 0 where it has learned from none."""
    useful_life_d: dict[str, float] = {}
    """Days by which half of a plan (empty: of all) have left, as far as known, and where the policy asks for it."""

    @classmethod
    def prior(cls, policy: Policy) -> "Model":
        """The catalogue's weights: where learning starts, and what decides until then.

        >>> round(probability(Model.prior(Policy()).intercept), 3)
        0.05
        """
        intercept = math.log(policy.churn.base_rate / (1.0 - policy.churn.base_rate))
        weights = {code: s.prior for code, s in policy.signals.items()}
        digest = hashlib.sha256(msgspec.json.encode((intercept, weights), order="sorted")).hexdigest()
        return cls(f"prior-{digest[:8]}", intercept, weights)

    def give(self, values: Mapping[str, float]) -> float:
        """The probability for the values of an example by name; what has no weight adds nothing.

        >>> round(Model("m", -3.0, {"value.silence": 2.0}).give({"value.silence": 0.5, "use.recency": 1.0}), 3)
        0.119
        """
        weights, features = self.weights, self.features
        z = sum((weights.get(name, 0.0) + features.get(name, 0.0)) * value for name, value in values.items())
        return probability(self.intercept + z)

    @property
    def confidence(self) -> Confidence:
        """`rules` until the first outcome has been learned, `proven` once outcomes have shown its skill."""
        if not self.examples:
            return "rules"
        return "proven" if self.proven else "learning"


def log_odds_of(probability: float) -> float:
    """The inverse of `probability`, within ±700.

    >>> log_odds_of(0.5), round(log_odds_of(probability(-3.0)), 9), log_odds_of(0.0), log_odds_of(1.0)
    (0.0, -3.0, -700.0, 700.0)
    """
    if probability <= 0.0 or probability >= 1.0:
        return -700.0 if probability <= 0.0 else 700.0
    return math.log(probability / (1.0 - probability))


def probability(log_odds: float) -> float:
    """Logistic function, safe for any finite log-odds.

    >>> probability(0.0), probability(-1000.0), probability(1000.0)
    (0.5, 0.0, 1.0)
    """
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds)) if log_odds < 700 else 1.0
    odds = math.exp(log_odds) if log_odds > -700 else 0.0
    return odds / (1.0 + odds)
