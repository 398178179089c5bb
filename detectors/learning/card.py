"""The model's card, from what the learner keeps: provenance, figures with intervals, groups, weights, limits.

Rules: nothing here is written by hand about one business: every sentence follows from numbers or from policy; figures
are those of `grades`, of probabilities as they were given, whatever model gave them; a group is called worse only
beyond chance.
"""

import math
from collections.abc import Iterator
from typing import Final, Literal

from detectors.learning.beliefs import beliefs_of
from detectors.learning.evidence import ENOUGH
from detectors.learning.grades import MICRO, PERIOD_S, Cell, Cells, added, totals
from detectors.learning.groups import ALL
from detectors.learning.learner import Learner
from detectors.learning.limits import limits_of
from detectors.learning.models_shown import contenders_of, drift_row, meaning_of, moved_of
from detectors.learning.online import Belief
from detectors.learning.served import kind_of
from detectors.learning.shown_groups import reliability_rows
from detectors.learning.space import SPACE
from detectors.learning.uplift import wilson
from detectors.model import Model
from schemas.insights_card import CARD_ID, Figure, GroupCard, ModelCard, Weighed
from schemas.times import rfc3339

DIGITS: Final = 6
Z: Final = 1.96
WEIGHED: Final = 20
TURNED_FROM: Final = 0.05  # log-odds: what is nearer to 0 has no sign


def card_row(learner: Learner, model: Model, as_of_s: int, release: str = "") -> ModelCard:
    """The card of a model, as of a time in seconds since the epoch.

    >>> from detectors.policy import Policy
    >>> learner = Learner(Policy())
    >>> card_row(learner, learner.model(), 0).confidence
    'rules'
    """
    policy, served, periods = learner.policy, learner.served, learner.grades.groups.get(ALL)
    cells = _cells(learner, ALL)
    total, grade = totals(cells), learner.grades.grade(ALL, learner.overlap, learner.budget_share)
    auc = _figure(grade.auc, grade.auc_low, grade.auc_high)
    groups = tuple(_groups(learner, auc))
    return ModelCard(
        insight_id=CARD_ID,
        as_of=rfc3339(as_of_s),
        text=_text(model, auc, groups),
        version=model.version,
        model=kind_of(model.version, learner.prior),
        release=release,
        chosen_by=served.by,
        reason=served.reason,
        confidence=model.confidence,
        horizon_days=policy.churn.horizon_days,
        definition=policy.churn.definition,
        policy_version=policy.version,
        feature_space=SPACE,
        examples=model.examples,
        learned=learner.learned,
        learned_left=learner.left,
        first_landmark=rfc3339(learner.first_s) if learner.first_s else None,
        last_landmark=rfc3339(learner.last_s) if learner.last_s else None,
        refused=dict(sorted(learner.refused.items())),
        base_rate=model.base_rate,
        judged_since=rfc3339(min(periods) * PERIOD_S) if periods else None,
        judged=total.n,
        judged_left=total.left,
        auc=auc,
        average_precision=_average_precision(grade.average_precision, total.left / learner.overlap),
        log_loss=_log_loss(cells, learner.overlap),
        precision_at_budget=_rounded(grade.precision_at_budget),
        calibration_error=_rounded(grade.calibration_error),
        given=_rounded(total.given / MICRO / total.n) if total.n else None,
        observed=_observed(total.n, total.left, learner.overlap),
        reliability=reliability_rows(learner.grades.table(ALL, learner.overlap)),
        groups=groups,
        weighed=tuple(_weighed(learner, model)[:WEIGHED]),
        turned=tuple(_turned(learner, model)),
        drifts=tuple(drift_row(found, policy.churn.horizon_days) for found in learner.drifts),
        is_drifting=learner.is_drifting,
        features_moved=moved_of(learner),
        contenders=contenders_of(learner),
        limits=tuple(limits_of(learner, model, is_known=auc is not None, off=_off(total, learner.overlap))),
    )


def _text(model: Model, auc: Figure | None, groups: tuple[GroupCard, ...]) -> str:
    known = f"AUC {auc.value:.2f} ({auc.low:.2f} to {auc.high:.2f})" if auc else "too few outcomes to tell its skill"
    worse = [group.group for group in groups if group.worse]
    found = f"; worse for {', '.join(worse)}" if worse else ""
    return f"{model.version}, {model.confidence}, from {model.examples} outcomes: {known}{found}."


def _cells(learner: Learner, group: str) -> Cells:
    return added(learner.grades.groups.get(group, {}).values())


def _groups(learner: Learner, overall: Figure | None) -> Iterator[GroupCard]:
    """Every group that anything is known of but everybody, the largest first."""
    found = [(totals(_cells(learner, name)), name) for name in learner.grades.groups if name != ALL]
    for total, name in sorted(found, key=lambda item: (-item[0].n, item[1])):
        observed = _observed(total.n, total.left, learner.overlap)
        if observed is None:
            continue
        grade = learner.grades.grade(name, learner.overlap, learner.budget_share)
        auc, given = _figure(grade.auc, grade.auc_low, grade.auc_high), total.given / MICRO / total.n
        yield GroupCard(
            group=name,
            outcomes=total.n,
            left=total.left,
            auc=auc,
            log_loss=_rounded(grade.log_loss),
            given=round(given, DIGITS),
            observed=observed,
            worse=tuple(_worse(auc, overall, given, observed, min(total.left, total.n - total.left) / learner.overlap)),
        )


def _worse(
    auc: Figure | None, overall: Figure | None, given: float, observed: Figure, rarer: float
) -> Iterator[Literal["ranks_worse", "says_too_much", "says_too_little"]]:
    """In what a group is worse beyond chance; `rarer` is how many had the rarer outcome, once per horizon."""
    if auc is not None and overall is not None and auc.high < overall.value:
        yield "ranks_worse"
    if rarer < ENOUGH:
        return
    if given > observed.high:
        yield "says_too_much"
    elif given < observed.low:
        yield "says_too_little"


def _off(total: Cell, overlap: float) -> str:
    """How what was given on the whole lies beside what came, where chance does not account for it."""
    observed = _observed(total.n, total.left, overlap)
    if observed is None or min(total.left, total.n - total.left) / overlap < ENOUGH:
        return ""
    given = total.given / MICRO / total.n
    if observed.low <= given <= observed.high:
        return ""
    way = "above" if given > observed.high else "below"
    return f"{way} what came: {given:.1%}, and {observed.value:.1%} left ({observed.low:.1%} to {observed.high:.1%})"


def _observed(n: int, left: int, overlap: float) -> Figure | None:
    """The share that left, with Wilson's interval."""
    if not n:
        return None
    low, high = wilson(left / overlap, n / overlap)
    return _figure(left / n, low, high)


def _average_precision(value: float | None, positives: float) -> Figure | None:
    """With the logit interval of Boyd, Eng & Page (ECML PKDD 2013); `positives` are counted once per horizon.

    >>> _average_precision(0.4, 100.0)
    Figure(value=0.4, low=0.30884, high=0.498655)
    """
    if value is None or not 0.0 < value < 1.0:
        return None
    middle, half = math.log(value / (1 - value)), Z / math.sqrt(positives * value * (1 - value))
    return _figure(value, *(1 / (1 + math.exp(-(middle + side * half))) for side in (-1, 1)))


def _log_loss(cells: Cells, overlap: float) -> Figure | None:
    """The mean loss; its spread is that of the cells, in which all were given about the same."""
    total = totals(cells)
    if not total.n:
        return None
    mean, squares = total.loss / MICRO / total.n, 0.0
    for cell in cells.values():
        p = min(1 - 1e-9, max(1e-9, cell.given / MICRO / cell.n))
        squares += cell.left * math.log(p) ** 2 + (cell.n - cell.left) * math.log1p(-p) ** 2
    half = Z * math.sqrt(max(0.0, squares / total.n - mean * mean) * overlap / total.n)
    return _figure(mean, max(0.0, mean - half), mean + half)


def _weighed(learner: Learner, model: Model) -> list[Weighed]:
    """What moves the probability among those it learned from: the weight times how much its value differs."""
    beliefs = beliefs_of(learner.prior)
    moves = {}
    for name, weight in {**model.weights, **model.features}.items():
        moments = learner.drift.long.get(name)
        if moments is not None and moments.n:
            moves[name] = abs(weight) * math.sqrt(max(0.0, moments.m2 / moments.n))
    whole = math.fsum(moves.values())
    names = sorted((name for name in moves if moves[name] > 0.0), key=lambda name: (-moves[name], name))
    return [_weight(name, model, beliefs, moves[name] / whole) for name in names]


def _weight(name: str, model: Model, beliefs: dict[str, Belief], share: float) -> Weighed:
    weight = model.weights.get(name, 0.0) + model.features.get(name, 0.0)
    return Weighed(
        name=name,
        meaning=meaning_of(name),
        weight=round(weight, DIGITS),
        prior=beliefs.get(name, Belief()).mean,
        share=round(share, DIGITS),
    )


def _turned(learner: Learner, model: Model) -> Iterator[Weighed]:
    """Signals that say the opposite of what the catalogue does, the strongest first."""
    for each in _weighed(learner, model):
        if each.name in model.weights and each.weight * each.prior < 0.0 and abs(each.weight) >= TURNED_FROM:
            yield each


def _figure(value: float | None, low: float | None, high: float | None) -> Figure | None:
    if value is None or low is None or high is None:
        return None
    return Figure(value=round(value, DIGITS), low=round(low, DIGITS), high=round(high, DIGITS))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
