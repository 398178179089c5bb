"""The card of the model that decides: one row of `churn.insights` that says what it is, and what it is not for.

Rules: those of schemas/insights.py; every number follows from what the learner keeps, and is written when a model is
handed over; what is not known is null, and says so among the limits. After Mitchell et al., Model cards for model
reporting (FAT* 2019).
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from schemas.alerts import Confidence
from schemas.fields import Name, Probability, WireTime
from schemas.insights import Insight
from schemas.insights_models import Contender, ModelDrift, Moved
from schemas.insights_reasons import ReliabilityRow

Number = Annotated[int, Meta(ge=0)]

CARD_ID: Final = "model_card"


class Figure(Struct, frozen=True, kw_only=True):
    """A number with its 95 % interval, outcomes of one horizon counted once."""

    value: Annotated[float, Meta(ge=0)]
    low: Annotated[float, Meta(ge=0)]
    high: Annotated[float, Meta(ge=0)]


class GroupCard(Struct, frozen=True, kw_only=True):
    """How good it is for a group of customers."""

    group: Annotated[Name, Meta(description="as in the row `quality_by_group`")]
    outcomes: Annotated[Number, Meta(description="landmarks whose horizon has passed, by their weight")]
    left: Annotated[Number, Meta(description="of them")]
    auc: Annotated[Figure, Meta(description="within four weeks of landmarks")] | None
    log_loss: Annotated[float, Meta(ge=0)] | None
    given: Annotated[Probability, Meta(description="mean of what was given")]
    observed: Annotated[Figure, Meta(description="share that left")]
    worse: Annotated[
        tuple[Literal["ranks_worse", "says_too_much", "says_too_little"], ...],
        Meta(description="in what it is worse beyond chance: AUC below that of all, given outside what was observed"),
    ]


class Weighed(Struct, frozen=True, kw_only=True):
    """What moves the probability."""

    name: Annotated[Name, Meta(description="signal, feature, `unknown:CODE`, `plan:NAME`, `via:CHANNEL`")]
    meaning: str
    weight: Annotated[float, Meta(description="in log-odds, at full strength or per unit")]
    prior: Annotated[float, Meta(description="its weight before any outcome")]
    share: Annotated[Probability, Meta(description="|weight| × standard deviation, of the sum of all")]


class ModelCard(Insight, frozen=True, kw_only=True, tag="model_card"):
    """The model that decides: from what it learned, how good it is, for whom worse, by what, its limits. One row."""

    version: Name
    model: Annotated[Name, Meta(description="its kind")]
    release: Annotated[str, Meta(description="of the program that learned; empty: not told")]
    chosen_by: Literal["learner", "promote", "rollback"]
    reason: Annotated[str, Meta(description="that came with a command")]
    confidence: Confidence
    horizon_days: Number
    definition: Annotated[str, Meta(description="of leaving, as policy has it")]
    policy_version: Annotated[Name, Meta(description="that the learner learns by")]
    feature_space: Annotated[Number, Meta(description="fingerprint of what the coordinates mean")]
    examples: Annotated[Number, Meta(description="outcomes that this version has learned from")]
    learned: Annotated[Number, Meta(description="outcomes that the learner has learned from by now")]
    learned_left: Annotated[Number, Meta(description="of them, of customers who left")]
    first_landmark: WireTime | None
    last_landmark: WireTime | None
    refused: Annotated[dict[str, Number], Meta(description="examples that were not learned from, by reason")]
    base_rate: Annotated[Probability, Meta(description="share that left of the newest outcomes; 0: not known")]
    judged_since: Annotated[WireTime, Meta(description="the first landmark that the figures may be about")] | None
    judged: Annotated[Number, Meta(description="landmarks that they are about, by their weight")]
    judged_left: Annotated[Number, Meta(description="of them")]
    auc: Annotated[Figure, Meta(description="within four weeks of landmarks")] | None
    average_precision: Figure | None
    log_loss: Figure | None
    precision_at_budget: Annotated[Probability, Meta(description="of as many as the alert budget allows")] | None
    calibration_error: Probability | None
    given: Annotated[Probability, Meta(description="mean of what was given")] | None
    observed: Annotated[Figure, Meta(description="share that left")] | None
    reliability: tuple[ReliabilityRow, ...]
    groups: Annotated[tuple[GroupCard, ...], Meta(description="the largest first")]
    weighed: Annotated[tuple[Weighed, ...], Meta(description="what moves it most, the strongest first")]
    turned: Annotated[tuple[Weighed, ...], Meta(description="signals whose sign outcomes have turned")]
    drifts: Annotated[tuple[ModelDrift, ...], Meta(description="the newest")]
    is_drifting: bool
    features_moved: tuple[Moved, ...]
    contenders: tuple[Contender, ...]
    limits: Annotated[tuple[str, ...], Meta(description="what it is not for, and what is not known")]
