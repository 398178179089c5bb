"""The insights about models: which is in force and which could be, and what has moved.

Rules: those of schemas/insights.py; all follow from `churn.examples` alone, but for the scores of models that have no
form in plain numbers (`may_decide` is false): those begin anew with each worker that takes over.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from schemas.alerts import Confidence
from schemas.fields import Name, Probability, WireTime
from schemas.insights import Insight

Number = Annotated[int, Meta(ge=0)]
Loss = Annotated[float, Meta(ge=0, description="log loss per outcome, in nats")]
LogOdds = Annotated[float, Meta(description="in log-odds")]

MODELS_ID: Final = "models"
FEATURES_ID: Final = "feature_drift"


class Contender(Struct, frozen=True, kw_only=True):
    """A kind of model, asked before each outcome it learns from."""

    model: Name
    decides: bool
    may_decide: Annotated[bool, Meta(description="it has a form in plain numbers, with contributions that add up")]
    outcomes: Annotated[Number, Meta(description="that it was asked about")]
    log_loss: Loss | None
    gain: Annotated[float, Meta(description="log loss per outcome by which it is better than what decides")] | None
    gain_low: Annotated[float, Meta(description="lower end of its 95 % interval")] | None
    gain_high: Annotated[float, Meta(description="upper end")] | None
    compared: Annotated[Number, Meta(description="outcomes since the comparison began; older ones fade")]


class Retained(Struct, frozen=True, kw_only=True):
    """A model that was handed over, whole: it can come back as it was."""

    version: Name
    model: Annotated[Name, Meta(description="its kind")]
    handed_over_at: WireTime
    confidence: Confidence
    examples: Annotated[Number, Meta(description="outcomes learned from")]
    auc: Annotated[Probability, Meta(description="when it was handed over, of those before it")] | None
    log_loss: Loss | None
    went_back: Annotated[bool, Meta(description="somebody went back behind it: a rollback passes over it")]
    intercept: LogOdds
    weights: Annotated[dict[str, float], Meta(description="log-odds at full strength, by signal")]
    features: Annotated[dict[str, float], Meta(description="log-odds per unit, by feature, unknown signal, segment")]
    base_rate: Probability


class CommandAnswer(Struct, frozen=True, kw_only=True):
    """What became of a command."""

    id: Name
    command: Literal["promote", "rollback", "release"]
    at: WireTime
    refused: Annotated[str, Meta(description="why; empty: done")]
    in_force: Annotated[str, Meta(description="version behind it; empty: none was handed over yet")]


class Models(Insight, frozen=True, kw_only=True, tag="models"):
    """Which model is in force and by whose choice, who stands beside it, and what can come back. One row."""

    in_force: Annotated[str, Meta(description="version; empty: none was handed over, the catalogue's weights decide")]
    decides: Annotated[str, Meta(description="its kind")]
    chosen_by: Annotated[
        Literal["learner", "promote", "rollback"], Meta(description="a command holds until the next one")
    ]
    since: Annotated[WireTime, Meta(description="of that command")] | None
    reason: Annotated[str, Meta(description="that came with it")]
    contenders: tuple[Contender, ...]
    retained: Annotated[tuple[Retained, ...], Meta(description="the newest few, the oldest first")]
    answers: Annotated[tuple[CommandAnswer, ...], Meta(description="to the newest commands, the oldest first")]


class ModelDrift(Insight, frozen=True, kw_only=True, tag="model_drift"):
    """The error of what decides has risen (ADWIN): nothing counts as proven for a while. One row per day of `as_of`."""

    outcomes: Annotated[Number, Meta(description="learned from when it was found")]
    error_before: Annotated[Probability, Meta(description="mean |probability − outcome|")]
    error_after: Probability
    quiet_for: Annotated[Number, Meta(description="outcomes without another one before anything is proven")]


class Moved(Struct, frozen=True, kw_only=True):
    """A feature that is not what it used to be."""

    feature: Name
    meaning: str
    shift_sd: Annotated[float, Meta(description="newest mean − usual one, in standard deviations")]
    usual: float
    newest: float


class FeaturesMoved(Insight, frozen=True, kw_only=True, tag="feature_drift"):
    """Features whose newest mean is far from the usual one, by name, the furthest first. One row."""

    features: tuple[Moved, ...]


MODEL_INSIGHTS: Final[Mapping[str, type[Insight]]] = MappingProxyType(
    {"models": Models, "model_drift": ModelDrift, "feature_drift": FeaturesMoved}
)
"""Kind → row."""
