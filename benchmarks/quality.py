"""How good the probabilities are, beside others on the same events at the same landmarks.

Rules:
* everything is time-respecting: what is given at a landmark follows from what was known by then;
* rows are judged from the first landmark by which one horizon had passed, so that everybody had something to learn;
* AUC is the mean within landmarks: pooled, it also rewards knowing that the base rate drifts.

    python -m benchmarks quality [FILE…]    events as JSON lines; without a file, CDNOW and the made-up ones
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from benchmarks import businesses, cdnow
from benchmarks.raw_features import raw_features
from benchmarks.report import Row, at_least, at_most
from benchmarks.rivals import RIVALS, Rows, buy_till_you_die, refitted
from detectors.learning.features import FEATURES, plain
from detectors.learning.rest import unknown
from detectors.leaving import buys_without_subscription, has_cancelled, only_uses
from detectors.policy import Policy
from detectors.profile import stage_of
from detectors.quality import Judged, Quality
from detectors.reading import customers
from detectors.signals import Moment
from streams.replay import Replay, Scores
from streams.replay_options import ReplayOptions
from streams.simulate import SimulateOptions, simulate_to_file

CALIBRATION_MAX: Final = 0.03
SIMULATED: Final = (400, 330.0, 11)  # customers, days, seed


class Judgement(NamedTuple):
    """Figures of everybody on one file, by name, ours first; and whether the rows were those of buyers."""

    figures: dict[str, Quality]
    rows: Rows
    by_model: dict[str, float]  # log loss of each model that the learner asks, over all that it learned from


class Witness(Replay):
    """A replay that also notes what rivals may know at each landmark."""

    def __init__(self, options: ReplayOptions, policy: Policy, stack: ExitStack) -> None:
        super().__init__(options, policy, stack)
        self.x: list[Any] = []
        self.marks: list[tuple[str, int, float, bool]] = []
        self.names: list[str] = []

    def score(self, time_s: int, scores: Scores) -> None:
        """Note features and the probability that is given, of everybody who may leave."""
        if not scores:
            return
        for number in sorted(self.partitions):
            partition = self.partitions[number]
            assessor, at = partition.assessor, Moment(self.policy)
            at.at(time_s, partition.world.feeds)
            self.names = [name for row in assessor.rows for name in (row.signal.code, unknown(row.signal.code))]
            for key, c in customers(partition):
                if has_cancelled(c, self.policy.churn) or stage_of(c, time_s, self.policy) == "churned":
                    continue
                look = msgspec.structs.replace(c, strengths=dict(c.strengths), dues={})
                given = assessor.refresh(look, at, assessor.all)
                x = np.zeros(2 * len(assessor.rows) + len(FEATURES), dtype=np.float32)
                for i, row in enumerate(assessor.rows):
                    x[2 * i] = look.strengths.get(row.number, 0.0)
                    x[2 * i + 1] = not look.known & row.bit
                lost_s, by_use = at.quiet_s(look), only_uses(look, self.policy, at.feeds)
                for j, value in plain(look, time_s, self.policy, lost_s, by_use).items():
                    x[2 * len(assessor.rows) + j] = value
                self.x.append(x)
                self.marks.append((key.decode(), time_s, given, buys_without_subscription(c)))

    def rows(self) -> Rows:
        """Everything noted whose outcome is known by the end of the file."""
        horizon_s = self.outcomes.horizon_s
        known = [i for i, mark in enumerate(self.marks) if mark[1] + horizon_s <= self.outcomes._end_s]
        known.sort(key=lambda i: (self.marks[i][1], self.marks[i][0]))
        x = np.array([self.x[i] for i in known])
        varies = x.std(0) > 1e-9
        names = np.array([*self.names, *(feature.name for feature in FEATURES)])[varies]
        marks = [self.marks[i] for i in known]
        left = np.array([self.outcomes.left_after(who, time_s) for who, time_s, _, _ in marks], dtype=float)
        return Rows(
            x[:, varies],
            np.array([mark[1] for mark in marks]),
            left,
            np.array([mark[2] for mark in marks]),
            [mark[0] for mark in marks],
            list(names),
        )


def judge(path: str) -> Judgement:
    """Replay a file, let the rivals do the same, and compare."""
    policy = Policy()  # without challengers that decide nothing and cost a third of the time
    policy = msgspec.structs.replace(policy, learning=msgspec.structs.replace(policy.learning, challenge_every=0))
    with ExitStack() as stack:
        witness = Witness(ReplayOptions(files=(path,), report="/dev/null"), policy, stack)
        witness.run_events()
        witness.flush(always=True)
    rows = witness.rows()
    horizon_s = witness.outcomes.horizon_s
    given = {"churnwatch, online": rows.given}
    for name, fit in RIVALS.items():
        given[name] = refitted(rows, fit, horizon_s)
    own = rows._replace(x=np.log1p(np.maximum(raw_features(path, rows.customers, rows.time_s), 0.0)))
    for name, fit in RIVALS.items():
        given[f"{name}, own features"] = refitted(own, fit, horizon_s)
    if all(mark[3] for mark in witness.marks):
        given["BG/NBD"] = buy_till_you_die(rows, witness.outcomes._ordered, horizon_s)
    recency = [i for i, name in enumerate(rows.names) if name.endswith(".recency")]
    given["recency alone"] = np.minimum(0.999, rows.x[:, recency].sum(1) / 20)
    from_s = rows.time_s.min() + horizon_s
    by_model = witness.lessons.learner.report()["log_loss_by_model"]
    return Judgement({name: figures(rows, p, from_s, policy) for name, p in given.items()}, rows, by_model)


def figures(rows: Rows, p: Any, from_s: float, policy: Policy) -> Quality:
    """The quality of probabilities from a landmark on."""
    judged = Judged(policy.alerts.budget_per_week_per_1000 / 1000)
    for time_s in np.unique(rows.time_s):
        now = (rows.time_s == time_s) & np.isfinite(p)
        if time_s >= from_s and now.any():
            judged.landmark([float(value) for value in p[now]], [int(value) for value in rows.left[now]])
    return judged.quality()


def table_of(name: str, judgement: Judgement) -> Iterator[Row]:
    """The rows of one file: ours against the best of the others, then everybody's figures."""
    found = judgement.figures
    ours = found["churnwatch, online"]
    others = [quality for who, quality in found.items() if who != "churnwatch, online"]
    if not others or ours.roc_auc_within_landmarks is None:
        return
    yield at_least(f"{name}: AUC within landmarks", ours.roc_auc_within_landmarks, _best(others, 3, max), "")
    yield at_least(f"{name}: average precision", ours.average_precision or 0.0, _best(others, 4, max), "")
    yield at_most(f"{name}: log loss", ours.log_loss or 0.0, _best(others, 5, min), "")
    yield at_most(f"{name}: calibration error", ours.calibration_error or 0.0, CALIBRATION_MAX, "")
    for who, quality in found.items():
        yield Row(
            f"{name}: {who}",
            f"AUC {quality.roc_auc_within_landmarks:.3f}, AP {quality.average_precision:.3f}, "
            f"log loss {quality.log_loss:.3f}, calibration {quality.calibration_error:.3f}",
            f"{quality.rows:,} rows, {quality.left:,} left",
        )
    losses = sorted(judgement.by_model.items(), key=lambda item: item[1])
    said = ", ".join(f"{model} {loss:.4f}" for model, loss in losses)
    yield Row(f"{name}: log loss by model, each asked before it learns", said)


def _best(others: list[Quality], field: int, pick: Any) -> float:
    return float(pick(quality[field] for quality in others if quality[field] is not None))


def measure(files: list[str]) -> list[Row]:
    """The rows of the files, or of CDNOW, the simulation and each made-up business."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="churnwatch-quality-") as folder:
        for name, path in [(Path(file).name, file) for file in files] or made(Path(folder)):
            began_s = time.monotonic()
            found = list(table_of(name, judge(path)))
            rows += found
            print(
                f"quality of {name}: {time.monotonic() - began_s:.0f} s",
                *found,
                sep="\n  ",
                file=sys.stderr,
                flush=True,
            )
    return rows


def made(folder: Path) -> Iterator[tuple[str, str]]:
    """Every file that is measured when none is given."""
    with suppress(SystemExit):
        path = folder / "cdnow.jsonl"
        path.write_bytes(b"\n".join(cdnow.events(cdnow.read_log(cdnow.find_log()))) + b"\n")
        yield "CDNOW", str(path)
    customers_n, days, seed = SIMULATED
    path = folder / "simulated.jsonl"
    simulate_to_file(SimulateOptions(customers=customers_n, days=days, seed=seed, start_s=1.7356896e9, out=str(path)))
    yield "simulated", str(path)
    for business in sorted(businesses.BUSINESSES):
        path = folder / f"{business}.jsonl"
        path.write_bytes(b"\n".join(businesses.events(business)) + b"\n")
        yield business, str(path)


if __name__ == "__main__":
    for row in measure(sys.argv[1:]):
        verdict = "" if row.met is None else "met" if row.met else "MISSED"
        print(f"{row.what:48s} {row.measured:60s} {row.target} {verdict}", flush=True)
