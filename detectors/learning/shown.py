"""What the learner has to say when a model is handed over, as rows of `churn.insights`.

Rules: the rows of a worker and those of a replay are made here, from the learner and the model alone.
"""

from detectors.learning.card import card_row
from detectors.learning.learner import Learner
from detectors.learning.models_shown import drift_row, features_row, models_row
from detectors.learning.saved_shown import overall_of, saved_rows
from detectors.learning.shown_groups import group_rows
from detectors.learning.stops_shown import active_life_rows, survival_rows
from detectors.learning.uplift import Difference
from detectors.model import Model
from schemas.insights import Insight
from schemas.insights_learned import ModelQuality
from schemas.times import rfc3339


def learned_rows(learner: Learner, model: Model, as_of_s: int, release: str = "") -> tuple[Insight, ...]:
    """Every row that goes out with a model, as of a time in seconds since the epoch, by a release of the program.

    >>> from detectors.policy import Policy
    >>> learner = Learner(Policy())
    >>> [row.insight_id for row in learned_rows(learner, learner.model(), 1_772_600_767)][:4]
    ['models', 'feature_drift', 'saved_revenue/all', 'common_reasons/all']
    """
    is_told = model.examples or learner.served.out is not None
    return (
        *((quality_row(learner, model, as_of_s),) if is_told else ()),
        *answer_rows(learner, model, as_of_s, release),
        features_row(learner, as_of_s),
        *(drift_row(found, learner.policy.churn.horizon_days) for found in learner.drifts),
        *value_rows(learner, as_of_s),
        *group_rows(learner, model, as_of_s),
    )


def answer_rows(learner: Learner, model: Model, as_of_s: int, release: str = "") -> tuple[Insight, ...]:
    """What there is to say where somebody steers the learner: of models, and of the one in force if there is one."""
    is_told = model.examples or learner.served.out is not None
    card = (card_row(learner, model, as_of_s, release),) if is_told else ()
    return (models_row(learner, as_of_s), *card)


def value_rows(learner: Learner, as_of_s: int) -> tuple[Insight, ...]:
    """What acting achieves and how long customers stay, as of a time in seconds since the epoch, whatever the model is.

    What is not known yet says so.
    """
    policy = learner.policy
    return (
        *saved_rows(learner.saved, policy.learning.uplift_least, as_of_s),
        *survival_rows(learner.lives, policy, as_of_s),
        *active_life_rows(learner.lives, policy, as_of_s),
    )


def overall(learner: Learner) -> Difference | None:
    """By how much a smaller share leaves where alerts are delivered; None while too few outcomes are known."""
    return overall_of(learner.saved, learner.policy.learning.uplift_least)


def quality_row(learner: Learner, model: Model, as_of_s: int) -> ModelQuality:
    """How good the probabilities were, as of a time in seconds since the epoch; one row per day.

    >>> from detectors.policy import Policy
    >>> learner = Learner(Policy())
    >>> quality_row(learner, learner.model(), 1_772_600_767).insight_id
    'model_quality/2026-03-04'
    """
    report = learner.report()
    skill = report["skill"] or {}
    as_of = rfc3339(as_of_s)
    if skill:
        known = f"AUC {skill['auc']:.2f} ({skill['low']:.2f} to {skill['high']:.2f})"
    else:
        known = "too few outcomes to tell its skill"
    said = f"{known}, of {int(report['outcomes'])} newest outcomes {int(report['left'])} left"
    if "calibration_error" in report:
        said += f"; calibration error {report['calibration_error']:.3f}, log loss {report['log_loss']:.3f}"
    return ModelQuality(
        insight_id=f"model_quality/{as_of[:10]}",
        as_of=as_of,
        text=f"{model.version}, {model.confidence}, from {model.examples} outcomes: {said}.",
        model_version=model.version,
        confidence=model.confidence,
        examples=model.examples,
        outcomes=int(report["outcomes"]),
        left=int(report["left"]),
        auc=skill.get("auc"),
        auc_low=skill.get("low"),
        auc_high=skill.get("high"),
        average_precision=report.get("average_precision"),
        log_loss=report.get("log_loss"),
        calibration_error=report.get("calibration_error"),
        is_drifting=learner.is_drifting,
        refused=report["refused"],
    )
