"""The score row: the latest risk of one customer, on `churn.scores` and in `replay --scores`.

Rules: one compact JSON object a row; the same row gives the same bytes.
"""

from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from schemas.alerts import ChurnType, Confidence, LifecycleStage, RiskLevel
from schemas.fields import Name, Probability, WireTime


class ScoreReason(Struct, frozen=True, gc=False):
    """What one signal adds to the risk."""

    code: Annotated[Name, Meta(description="the signal")]
    contribution: Annotated[float, Meta(description="log-odds")]


class ScoreRow(Struct, frozen=True, gc=False, kw_only=True):
    """The risk of one customer at a time: events up to and at `as_of` were seen, none after."""

    customer_id: Name
    as_of: WireTime
    churn_probability: Probability
    risk_level: RiskLevel
    confidence: Confidence
    lifecycle_stage: LifecycleStage
    model_version: Name
    policy_version: Name
    reasons: Annotated[tuple[ScoreReason, ...], Meta(description="strongest first")]
    churn_type: Annotated[ChurnType, Meta(description="of one who has left: how it left")] | msgspec.UnsetType = (
        msgspec.UNSET
    )
    win_back_potential: (
        Annotated[Probability, Meta(description="of one who has left: how likely it can be won back")]
        | msgspec.UnsetType
    ) = msgspec.UNSET


encode_score: Final[Callable[[ScoreRow], bytes]] = msgspec.json.Encoder().encode
"""One score row as compact JSON, fields in the order of the contract."""

decode_score: Final[Callable[[bytes], ScoreRow]] = msgspec.json.Decoder(ScoreRow).decode
"""Decode one score row; raises msgspec's errors for anything else."""
