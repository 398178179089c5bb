"""What a model is not for, and what is not known of it: sentences that follow from policy and from what was learned."""

from collections.abc import Iterator
from typing import Final

from detectors.learning.evidence import ENOUGH
from detectors.learning.learner import DRIFT_QUIET, SEGMENTS, Learner
from detectors.model import Model

LEAVING: Final = {
    "auto": "a cancellation; for those known by their orders or their use alone, that nothing comes of them",
    "explicit": "a cancellation, and nothing else",
    "inactivity": "that nothing comes of a customer",
}
ALWAYS: Final = (
    "A reason is what moves the number. It is no proof of a cause: only the control group says what acting achieves.",
    "Where alerts are acted upon, who was kept counts as one who stayed: it learns the risk of customers as they were "
    "treated.",
    "It knows what events of the contract say, as of the last midnight: no age, no sex, no origin, no text.",
    "The figures are of probabilities as they were given, by whatever model decided then.",
    "Of customers who were erased nothing is learned from then on; what they added to sums before stays in them, and "
    "names nobody.",
)


def limits_of(learner: Learner, model: Model, *, is_known: bool, off: str = "") -> Iterator[str]:
    """Every limit; `is_known`: its skill is, `off`: how what was given lies beside what came, beyond chance."""
    policy, served = learner.policy, learner.served
    yield (
        f"It is about leaving within {policy.churn.horizon_days} days, and about nothing later. Leaving is "
        f"{LEAVING.get(policy.churn.definition, policy.churn.definition)}."
    )
    if not model.examples:
        yield "It has learned from no outcome: the weights are the catalogue's, chosen from the literature."
    if not is_known:
        yield f"Too few outcomes to tell whether it is better than chance: it takes {ENOUGH} of either."
    elif not model.proven:
        yield "Its skill is not proven: chance is not out of the question, or the world has moved lately."
    if off:
        yield f"On the whole what was given is {off}."
    if learner.is_drifting:
        yield f"Its error has moved within the newest {DRIFT_QUIET} outcomes: what was true of it may not be."
    if served.pinned is not None:
        yield "Somebody went back to it: nothing that was learned since is in it."
    if len(learner.segments) >= SEGMENTS:
        yield f"Plans and channels beyond the first {SEGMENTS} have no intercept and no figures of their own."
    yield (
        f"Where a journal partition has more than {policy.learning.watched_max} customers, it learns from a fair "
        "sample of them."
    )
    yield from ALWAYS
