"""What the online model is compared with: models that are fitted again and again to the same events.

Rules: a rival sees at a landmark what had matured by then and nothing else; it gets the same features, strengths
included, or features of its own, as an analyst would make them (raw_features); it is fitted again
every REFIT_DAYS (nightly would take hours on CDNOW and was no better where it was tried).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

REFIT_DAYS: Final = 28
ROWS_MAX: Final = 60_000  # a fit uses a seeded sample of more
Array = Any  # numpy's, of floats
Fitted = Callable[[Array], Array]


class Rows(NamedTuple):
    """One row per customer and landmark, in order of landmarks."""

    x: Array  # features
    time_s: Array
    left: Array
    given: Array  # the probability that churnwatch gave then
    customers: list[str]
    names: list[str]


def boosting(x: Array, left: Array) -> Fitted:
    """LightGBM with moderate, fixed settings."""
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(
        n_estimators=100, num_leaves=15, learning_rate=0.06, min_child_samples=30, random_state=1, n_jobs=1, verbose=-1
    )
    model.fit(x, left)
    return lambda rows: np.asarray(model.predict_proba(rows))[:, 1]


def logistic(x: Array, left: Array) -> Fitted:
    """Ridge logistic regression on standardised features."""
    from sklearn.linear_model import LogisticRegression

    mean, sd = x.mean(0), x.std(0) + 1e-6
    model = LogisticRegression(C=0.1, max_iter=100)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a hundred steps are enough for all digits that are shown
        model.fit((x - mean) / sd, left)
    return lambda rows: model.predict_proba((rows - mean) / sd)[:, 1]


RIVALS: Final[dict[str, Callable[[Array, Array], Fitted]]] = {"LightGBM": boosting, "logistic regression": logistic}


def refitted(rows: Rows, fit: Callable[[Array, Array], Fitted], horizon_s: int) -> Array:
    """Probabilities at each landmark by the newest fit to what had matured; NaN before the first."""
    given = np.full(len(rows.left), np.nan)
    fitted: Fitted | None = None
    next_s = 0.0
    rng = np.random.default_rng(1)
    for time_s in np.unique(rows.time_s):
        matured = np.flatnonzero(rows.time_s + horizon_s <= time_s)
        if len(matured) and 0 < rows.left[matured].sum() < len(matured) and (fitted is None or time_s >= next_s):
            if len(matured) > ROWS_MAX:
                matured = rng.choice(matured, ROWS_MAX, replace=False)
            fitted, next_s = fit(rows.x[matured], rows.left[matured]), time_s + REFIT_DAYS * 86_400
        if fitted is not None:
            now = rows.time_s == time_s
            given[now] = fitted(rows.x[now])
    return given


def buy_till_you_die(rows: Rows, orders: dict[str, list[float]], horizon_s: int) -> Array:
    """BG/NBD: the probability of no order within the horizon, from all orders until the landmark.

    Fader, Hardie & Lee, "Counting your customers" the easy way (Marketing Science, 2005), fitted by maximum likelihood.
    """
    days = {who: np.unique(np.array(times) // 86_400) for who, times in orders.items()}
    given = np.full(len(rows.left), np.nan)
    theta, next_s = np.zeros(4), 0.0
    for time_s in np.unique(rows.time_s):
        at = np.flatnonzero(rows.time_s == time_s)
        if time_s >= next_s:
            known = [history for when in days.values() if (history := _history(when, time_s)) is not None]
            theta = _fit(np.array(known), theta)
            next_s = time_s + REFIT_DAYS * 86_400
        now = np.array([_history(days[rows.customers[i]], time_s) or (0, 0, 1) for i in at], dtype=float)
        given[at] = _none_within(theta, now, horizon_s / 86_400 / 7)
    return given


def _history(days: Array, time_s: float) -> tuple[float, float, float] | None:
    """Repeat orders, weeks from the first to the last, weeks from the first to now."""
    n = int(np.searchsorted(days, time_s / 86_400, "right"))
    if not n:
        return None
    return float(n - 1), float(days[n - 1] - days[0]) / 7, max(1 / 7, (time_s / 86_400 - float(days[0])) / 7)


def _fit(known: Array, start: Array) -> Array:
    from scipy.optimize import minimize
    from scipy.special import gammaln

    unique, counts = np.unique(np.round(known, 3), axis=0, return_counts=True)
    x, last, seen = unique.T

    def loss(theta: Array) -> float:
        r, alpha, a, b = np.exp(theta)
        base = gammaln(r + x) - gammaln(r) + r * math.log(alpha) + gammaln(a + b) + gammaln(b + x)
        base -= gammaln(b) + gammaln(a + b + x)
        alive = -(r + x) * np.log(alpha + seen)
        gone = np.where(x > 0, math.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + last), -np.inf)
        return float(-(counts * (base + np.logaddexp(alive, gone))).sum() / counts.sum() + 1e-4 * (theta**2).sum())

    return minimize(loss, start, method="L-BFGS-B", bounds=[(-6, 6)] * 4).x


def _none_within(theta: Array, now: Array, weeks: float) -> Array:
    r, alpha, a, b = np.exp(theta)
    x, last, seen = now.T
    ratio = (r + x) * np.log((alpha + seen) / (alpha + np.minimum(last, seen)))
    gone = np.where(x > 0, math.log(a) - np.log(b + np.maximum(x, 1) - 1) + ratio, -np.inf)
    alive = 1 / (1 + np.exp(np.clip(gone, -50, 50)))
    return 1 - alive * (1 - ((alpha + seen) / (alpha + seen + weeks)) ** (r + x))
