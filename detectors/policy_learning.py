"""What is learned from, and when a model takes over."""

from typing import Annotated

import msgspec
from msgspec import Meta


class LearningPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is learned from, and when a model is handed over."""

    watched_max: Annotated[
        int, Meta(description="customers of a partition written down each landmark; a fair sample of more", ge=1)
    ] = 2_000
    start_after: Annotated[
        int, Meta(description="outcomes before what was learned takes over from the priors", ge=1)
    ] = 50
    start_left: Annotated[int, Meta(description="of them who left: fewer teach how many leave, but not who", ge=0)] = 20
    publish_days: Annotated[
        int, Meta(description="a model is handed over once so many days, where outcomes came", ge=1)
    ] = 7
    challenge_every: Annotated[
        int, Meta(description="challengers from river see one example in so many, as they are slow; 0: none", ge=0)
    ] = 4
    uplift_least: Annotated[
        int,
        Meta(
            description="alerts of the control group, and of the others, with an outcome before saved revenue is told",
            ge=2,
        ),
    ] = 50
    curve_least: Annotated[
        int, Meta(description="customers watched at an age for a survival curve to say anything of it", ge=1)
    ] = 10
    promote_after: Annotated[int, Meta(description="outcomes before another kind of model may take over", ge=1)] = 500
    promote_margin: Annotated[float, Meta(description="log loss per outcome by which it must be better", ge=0)] = 0.005
