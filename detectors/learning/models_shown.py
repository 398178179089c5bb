"""Models side by side, those that can come back, and what has moved, as rows of `churn.insights`."""

from typing import Final

from detectors.customer import DAY_S
from detectors.learning.contest import Score
from detectors.learning.drift import LossDrift
from detectors.learning.features import FEATURES
from detectors.learning.learner import DRIFT_QUIET, KINDS, Learner
from detectors.learning.served import RULES, Answer, Kept, kind_of
from schemas.insights_models import (
    FEATURES_ID,
    MODELS_ID,
    CommandAnswer,
    Contender,
    FeaturesMoved,
    ModelDrift,
    Models,
    Moved,
    Retained,
)
from schemas.times import rfc3339

DIGITS: Final = 6
SHOWN: Final = 5
MEANINGS: Final = {feature.name: feature.doc for feature in FEATURES}


def models_row(learner: Learner, as_of_s: int) -> Models:
    """Which model is in force, who stands beside it, and what can come back, as of a time in seconds since the epoch.

    >>> from detectors.policy import Policy
    >>> models_row(Learner(Policy()), 1_772_600_767).text
    "No model was handed over yet: the catalogue's weights decide."
    """
    served = learner.served
    return Models(
        insight_id=MODELS_ID,
        as_of=rfc3339(as_of_s),
        text=_said(learner),
        in_force=served.in_force,
        decides=kind_of(served.in_force or learner.prior.version, learner.prior),
        chosen_by=served.by,
        since=rfc3339(served.since_s) if served.since_s else None,
        reason=served.reason,
        contenders=contenders_of(learner),
        retained=tuple(map(_retained, served.kept)),
        answers=tuple(map(_answer, served.answers)),
    )


def _said(learner: Learner) -> str:
    served = learner.served
    if not served.in_force:
        return "No model was handed over yet: the catalogue's weights decide."
    if served.out is None:
        return f"{served.in_force} is in force, handed over by an earlier release; none is kept that could come back."
    if served.pinned is not None:
        how = "because somebody went back to it; it stays, whatever is learned, until somebody promotes or releases"
    elif served.by == "promote":
        how = "because somebody promoted its kind"
    else:
        how = "by the learner's own choice"
    before = len(served.kept) - 1
    return f"{served.in_force} is in force, {how}. {max(0, before)} others can come back."


def contenders_of(learner: Learner) -> tuple[Contender, ...]:
    """Every kind of model that was asked before each outcome; the one that decides first, then by what they gain."""
    decides = "" if learner.served.pinned is not None else learner.decides
    found = [_contender(name, score, decides, learner.overlap) for name, score in learner.scores.items()]
    return tuple(sorted(found, key=lambda each: (not each.decides, -(each.gain or 0.0), each.model)))


def _contender(name: str, score: Score, decides: str, overlap: float) -> Contender:
    gain = score.over(overlap)
    return Contender(
        model=name,
        decides=name == decides,
        may_decide=name in KINDS or name == RULES,
        outcomes=score.asked,
        log_loss=round(score.loss / score.asked, DIGITS) if score.asked else None,
        gain=round(gain.mean, DIGITS) if gain else None,
        gain_low=round(gain.low, DIGITS) if gain else None,
        gain_high=round(gain.high, DIGITS) if gain else None,
        compared=score.compared,
    )


def _retained(kept: Kept) -> Retained:
    model = kept.model
    return Retained(
        version=model.version,
        model=kept.kind,
        handed_over_at=rfc3339(kept.at_s),
        confidence=model.confidence,
        examples=model.examples,
        auc=kept.auc,
        log_loss=kept.log_loss,
        went_back=kept.went_back,
        intercept=model.intercept,
        weights=model.weights,
        features=model.features,
        base_rate=model.base_rate,
    )


def _answer(answer: Answer) -> CommandAnswer:
    return CommandAnswer(
        id=answer.id,
        command=answer.command,  # type: ignore[arg-type] # the name of a command
        at=rfc3339(answer.at_s),
        refused=answer.refused,
        in_force=answer.version,
    )


def drift_row(found: LossDrift, horizon_days: int) -> ModelDrift:
    """That the error of what decides has moved; as of when the outcome was known that showed it."""
    as_of = rfc3339(found.landmark_s + horizon_days * DAY_S)
    return ModelDrift(
        insight_id=f"model_drift/{as_of[:10]}",
        as_of=as_of,
        text=f"The mean error rose from {found.before:.3f} to {found.after:.3f}, seen after {found.learned} outcomes: "
        f"nothing counts as proven for the next {DRIFT_QUIET}.",
        outcomes=found.learned,
        error_before=min(1.0, found.before),
        error_after=min(1.0, found.after),
        quiet_for=DRIFT_QUIET,
    )


def moved_of(learner: Learner) -> tuple[Moved, ...]:
    """Features that are not what they used to be, the furthest first."""
    drift = learner.drift
    return tuple(
        Moved(
            feature=name,
            meaning=meaning_of(name),
            shift_sd=round(shift, 3),
            usual=round(drift.long[name].mean, DIGITS),
            newest=round(drift.short[name].mean, DIGITS),
        )
        for name, shift in drift.moved().items()
    )


def features_row(learner: Learner, as_of_s: int) -> FeaturesMoved:
    """Which features have moved, as of a time in seconds since the epoch.

    >>> from detectors.policy import Policy
    >>> features_row(Learner(Policy()), 1_772_600_767).text
    'No feature has moved.'
    """
    moved = moved_of(learner)
    named = ", ".join(f"{each.feature} ({each.shift_sd:+.1f} sd)" for each in moved[:SHOWN])
    more = f" and {len(moved) - SHOWN} more" if len(moved) > SHOWN else ""
    return FeaturesMoved(
        insight_id=FEATURES_ID,
        as_of=rfc3339(as_of_s),
        text=f"Not what they used to be: {named}{more}." if moved else "No feature has moved.",
        features=moved,
    )


def meaning_of(name: str) -> str:
    """What a signal, a feature, an unknown signal or a segment stands for, in a few words."""
    if name in MEANINGS:
        return MEANINGS[name]
    kind, _, rest = name.partition(":")
    words = {"unknown": f"nothing is known for {rest}", "plan": f"on the plan {rest}", "via": f"came by {rest}"}
    return words.get(kind, f"strength of the signal {name}") if rest else f"strength of the signal {name}"
