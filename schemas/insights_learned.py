"""The insights of the learner: how good the model is, and the learner's own state.

Rules: those of schemas/insights.py; both are written in the transaction that commits what was learned from, and a
model's quality in that of its record in the journal too.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from schemas.alerts import Confidence
from schemas.fields import Name, Probability, WireTime
from schemas.insights import Insight
from schemas.insights_card import ModelCard
from schemas.insights_models import MODEL_INSIGHTS
from schemas.insights_reasons import GROUP_INSIGHTS
from schemas.insights_value import VALUE_INSIGHTS

Number = Annotated[int, Meta(ge=0)]

STATE_ID: Final = "learner_state"


class ModelQuality(Insight, frozen=True, kw_only=True, tag="model_quality"):
    """How good the probabilities were that were given before the outcomes. One row per day of `as_of`."""

    model_version: Name
    confidence: Confidence
    examples: Annotated[Number, Meta(description="outcomes learned from")]
    outcomes: Annotated[Number, Meta(description="the newest ones, which the figures are about")]
    left: Annotated[Number, Meta(description="of them")]
    auc: Annotated[Probability, Meta(description="within landmark weeks")] | None
    auc_low: Annotated[Probability, Meta(description="lower end of its 95 % interval")] | None
    auc_high: Annotated[Probability, Meta(description="upper end")] | None
    average_precision: Probability | None
    log_loss: Annotated[float, Meta(ge=0)] | None
    calibration_error: Probability | None
    is_drifting: bool
    refused: Annotated[dict[str, Number], Meta(description="examples that were not learned from, by reason")]


class LearnerState(Insight, frozen=True, kw_only=True, tag="learner_state"):
    """All that the learner is, as plain numbers: whoever takes over goes on from the newest row. One row."""

    position: Annotated[Number, Meta(description="offset in `churn.examples` behind what was learned from")]
    due_s: Annotated[Number, Meta(description="the first landmark after which a model is handed over")]
    model_version: Annotated[str, Meta(description="the newest one handed over; empty: none")]
    published_at: Annotated[WireTime, Meta(description="its time in the journal")] | None
    learner: Annotated[msgspec.Raw, Meta(description="the learner's own numbers, of its own version")]


LEARNED_INSIGHTS: Final[Mapping[str, type[Insight]]] = MappingProxyType(
    {
        "model_quality": ModelQuality,
        "model_card": ModelCard,
        "learner_state": LearnerState,
        **MODEL_INSIGHTS,
        **GROUP_INSIGHTS,
        **VALUE_INSIGHTS,
    }
)
"""Kind → row."""

decode_state: Final[Callable[[bytes], LearnerState]] = msgspec.json.Decoder(LearnerState).decode
"""Decode the learner's state; raises msgspec's errors for anything else."""
