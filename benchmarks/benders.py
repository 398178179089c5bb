"""Whether a model that can bend would be better than the linear one that decides: all on the same examples, in order.

Rules:
* each is asked before it learns (prequentially), on the examples that a replay's partitions hand on, in their order; of
  a large file those of a fair share of the customers;
* a forest's probabilities are not calibrated, so each bender is also asked together with the linear model: an online
  logistic model of both log-odds, which starts from the linear one alone and has to be taught that the other helps;
* gains are told of the last two thirds, in pairs on the same outcomes, with outcomes of one horizon counted once.

    python -m benchmarks.benders [FILE…]    events as JSON lines; without a file, a tenth of CDNOW and made-up ones
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import xxhash
from river import ensemble, forest, linear_model, optim, preprocessing, tree

from benchmarks import businesses, cdnow
from benchmarks.report import Row
from detectors.learning import online
from detectors.learning.beliefs import beliefs_of
from detectors.learning.challengers import Challenger, RiverChallenger
from detectors.learning.contest import Score
from detectors.learning.examples import Example
from detectors.learning.learner import KINDS, Learner
from detectors.learning.online import INTERCEPT, Belief, OnlineLogistic, Pace
from detectors.learning.space import named
from detectors.model import Model, log_odds_of, probability
from detectors.policy import Policy
from streams.replay import Replay
from streams.replay_options import ReplayOptions
from streams.simulate import SimulateOptions, simulate_to_file

EXAMPLES_MAX: Final = 6_000
CUSTOMERS, DAYS, SEED = 400, 300, 11  # of what is made up
KNOTS: Final = (0.25, 0.5, 1.0)  # of a strength from 0 to 1, or of a feature of the order of one
SURE: Final = 12.0  # log-odds
TRIED: Final = 1 / 3  # of the examples, before gains are told


class Bent:
    """The linear model with a bend at each knot of each value: a sum of curves, one of each value, that add up."""

    def __init__(self, prior: Model) -> None:
        self.model = OnlineLogistic(beliefs_of(prior), KINDS["online"])

    def _bend(self, values: dict[str, float]) -> dict[str, float]:
        hinges = {f"{name}>{knot}": x - knot for name, x in values.items() for knot in KNOTS if x > knot}
        return {**values, **hinges}

    def predict(self, values: dict[str, float]) -> float:
        """Probability of leaving."""
        return probability(self.model.log_odds(self._bend(values)))

    def learn(self, values: dict[str, float], left: bool) -> None:
        """Take up one outcome."""
        self.model.learn(self._bend(values), left)


def _bagged() -> Any:
    linear = preprocessing.StandardScaler() | linear_model.LogisticRegression(optim.AdaGrad(0.05))
    return ensemble.BaggingClassifier(linear, n_models=5, seed=1)  # type: ignore[arg-type] # a pipeline is one


def _boosted() -> Any:
    return ensemble.ADWINBoostingClassifier(tree.HoeffdingTreeClassifier(grace_period=100), n_models=5, seed=1)


BENDERS: Final[dict[str, Callable[[], Any]]] = {
    "Hoeffding adaptive tree": lambda: tree.HoeffdingAdaptiveTreeClassifier(
        grace_period=100, leaf_prediction="nb", seed=1
    ),
    "adaptive random forest (10)": lambda: forest.ARFClassifier(n_models=10, seed=1),
    "Mondrian forest (10)": lambda: forest.AMFClassifier(n_estimators=10, use_aggregation=True, seed=1),
    "ADWIN boosting of trees (5)": _boosted,
    "bagged linear (5)": _bagged,
}


class Together:
    """The linear model's log-odds and a bender's, weighed by what outcomes say; it begins with the linear one alone."""

    def __init__(self) -> None:
        beliefs = {INTERCEPT: Belief(0.0, 0.1), "linear": Belief(1.0, 0.1), "bender": Belief(0.0, 0.3)}
        self.model = OnlineLogistic(beliefs, Pace())

    def values(self, linear: float, bender: float) -> dict[str, float]:
        """What it is asked with."""
        return {name: max(-SURE, min(SURE, log_odds_of(p))) for name, p in (("linear", linear), ("bender", bender))}


class Seat(NamedTuple):
    """A bender, alone and together with the linear model."""

    bender: Challenger
    alone: Score
    together: Together
    both: Score


class Witness(Replay):
    """A replay that keeps the examples in the order in which they were learned from."""

    def __init__(self, options: ReplayOptions, policy: Policy, stack: ExitStack) -> None:
        super().__init__(options, policy, stack)
        self.found: list[Example] = []
        learn = self.lessons.learner.learn

        def kept(example: Example) -> str | None:
            reason = learn(example)
            if reason is None:
                self.found.append(example)
            return reason

        self.lessons.learner.learn = kept  # type: ignore[method-assign]


def examples_of(path: str, policy: Policy) -> list[Example]:
    """The examples of a file, of as many customers as make EXAMPLES_MAX at most."""
    with ExitStack() as stack:
        witness = Witness(ReplayOptions(files=(path,)), policy, stack)
        witness.run_events()
        witness.flush(always=True)
    share = min(1.0, EXAMPLES_MAX / max(1, len(witness.found)))
    return [
        example
        for example in witness.found
        if xxhash.xxh3_64_intdigest(example.customer_id.encode(), 7) < share * 2**64
    ]


def contest(
    examples: list[Example], policy: Policy, benders: Mapping[str, Callable[[], Any]] = BENDERS
) -> tuple[dict[str, Seat], Score]:
    """Everybody on the same examples, with bends besides; the linear model's own score beside them."""
    learner = Learner(policy)
    seats = {name: Seat(RiverChallenger(make), Score(), Together(), Score()) for name, make in benders.items()}
    seats["linear with bends"] = Seat(Bent(learner.prior), Score(), Together(), Score())
    own = Score()
    for i, example in enumerate(examples):
        values, left = named(example.values, example.segments), example.left
        linear = probability(learner.linear["online"].log_odds(values))
        if i == int(TRIED * len(examples)):
            for score in (own, *(score for seat in seats.values() for score in (seat.alone, seat.both))):
                score.begin()
                score.asked, score.loss = 0, 0.0
        own.add(linear, linear, left)
        for seat in seats.values():
            bent = seat.bender.predict(values)
            both = seat.together.values(linear, bent)
            seat.alone.add(bent, linear, left)
            seat.both.add(probability(seat.together.model.log_odds(both)), linear, left)
            seat.together.model.learn(both, left)
            seat.bender.learn(values, left)
        learner.learn(example)
    return seats, own


def with_bends() -> None:
    """Let the online model have as many coordinates as bends need, in this process."""
    online.MAX_COORDINATES = 1_200  # type: ignore[misc]


def rows_of(name: str, path: str) -> Iterator[Row]:
    """The rows of one file."""
    policy = Policy()
    examples = examples_of(path, policy)
    seats, own = contest(examples, policy)
    overlap = max(1.0, policy.churn.horizon_days / policy.churn.landmark_days)
    said = f"{own.asked:,} outcomes, {sum(example.left for example in examples):,} left of {len(examples):,}"
    yield Row(f"{name}: log loss of the linear model", f"{own.loss / max(1, own.asked):.4f}", said)
    for who, seat in seats.items():
        parts = []
        for how, score in (("alone", seat.alone), ("together", seat.both)):
            gain = score.over(overlap)
            if gain is not None:
                parts.append(f"{how} {gain.mean:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})")
        yield Row(f"{name}: {who}, gain over it", "; ".join(parts))


def made(folder: Path) -> Iterator[tuple[str, str]]:
    """Every file that is measured when none is given."""
    with suppress(SystemExit):
        path = folder / "cdnow.jsonl"
        log = [each for each in cdnow.read_log(cdnow.find_log()) if int(each.customer_id) % 10 == 0]
        path.write_bytes(b"\n".join(cdnow.events(log)) + b"\n")
        yield "CDNOW, a tenth", str(path)
    path = folder / "simulated.jsonl"
    simulate_to_file(SimulateOptions(customers=CUSTOMERS, days=DAYS, seed=SEED, start_s=1.7356896e9, out=str(path)))
    yield "simulated", str(path)
    for business in sorted(businesses.BUSINESSES):
        path = folder / f"{business}.jsonl"
        path.write_bytes(b"\n".join(businesses.events(business, customers=CUSTOMERS, days=DAYS)) + b"\n")
        yield business, str(path)


def measure(files: list[str]) -> list[Row]:
    """The rows of the files, or of CDNOW, the simulation and each made-up business."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="churnwatch-benders-") as folder:
        for name, path in [(Path(file).name, file) for file in files] or made(Path(folder)):
            began_s = time.monotonic()
            found = list(rows_of(name, path))
            rows += found
            print(f"benders on {name}: {time.monotonic() - began_s:.0f} s", file=sys.stderr)
            print(*(f"  {row.what:62s} {row.measured} {row.target}" for row in found), sep="\n", flush=True)
    return rows


if __name__ == "__main__":
    with_bends()
    measure(sys.argv[1:])
