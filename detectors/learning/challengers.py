"""Models that may bend, from river, to be scored beside the one that decides.

Rules: a challenger is asked before it learns, as everybody is; a fault or a number that is not finite makes it answer
0.5 and forget; none of them decides, because none of them can be written down in plain numbers with contributions
that add up: what they are for is to say when the linear model leaves something on the table.
"""

import math
from collections.abc import Callable
from typing import Any, Final, Protocol

from river import linear_model, optim, preprocessing, tree


class Challenger(Protocol):
    """A model that is only watched."""

    def predict(self, values: dict[str, float]) -> float:
        """Probability of leaving."""
        ...

    def learn(self, values: dict[str, float], left: bool) -> None:
        """Take up one outcome."""
        ...


class RiverChallenger:
    """One of river's classifiers."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._model = make()

    def predict(self, values: dict[str, float]) -> float:
        """Probability of leaving; 0.5 where it says nothing sensible."""
        try:
            p = float(self._model.predict_proba_one(values).get(True, 0.5))
        except Exception:  # whatever it is: what is only watched stops nobody
            p = math.nan
        if not math.isfinite(p):
            self._model = self._make()
            return 0.5
        return min(1.0, max(0.0, p))

    def learn(self, values: dict[str, float], left: bool) -> None:
        """Take up one outcome, if its numbers are finite; one that it fails at makes it forget."""
        if all(map(math.isfinite, values.values())):
            try:
                self._model.learn_one(values, bool(left))
            except Exception:
                self._model = self._make()


def _linear() -> Any:
    return preprocessing.StandardScaler() | linear_model.LogisticRegression(optim.AdaGrad(0.05))


MAKE: Final[dict[str, Callable[[], Any]]] = {
    "river.tree": lambda: tree.HoeffdingAdaptiveTreeClassifier(grace_period=100, leaf_prediction="nb", seed=1),
    "river.logistic": _linear,
}


def river_challengers() -> dict[str, Challenger]:
    """All of them, new."""
    return {name: RiverChallenger(make) for name, make in MAKE.items()}
