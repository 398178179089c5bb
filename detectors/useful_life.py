"""How long the product is expected to be of use to a customer: by policy, or as long as half of its plan stay."""

from collections.abc import Mapping

import msgspec

from detectors.policy import LifePolicy

EVERYBODY = ""  # among learned lives, where the others are named by plan


def with_learned(policy: LifePolicy, learned_d: Mapping[str, float]) -> LifePolicy:
    """The policy with what was learned of plans, where it says so; a number that it names for a plan stays.

    >>> policy = LifePolicy(learned=True, useful_life_d_by_plan={"pro": 700.0})
    >>> found = with_learned(policy, {"": 400.0, "basic": 300.0, "pro": 500.0})
    >>> [expected_d(found, plan) for plan in ("pro", "basic", "other")]
    [700.0, 300.0, 400.0]
    >>> with_learned(LifePolicy(), {"": 400.0}) == LifePolicy()
    True
    """
    if not policy.learned or not learned_d:
        return policy
    by_plan = {plan: days for plan, days in learned_d.items() if plan != EVERYBODY}
    return msgspec.structs.replace(
        policy,
        useful_life_d=learned_d.get(EVERYBODY, policy.useful_life_d),
        useful_life_d_by_plan=by_plan | policy.useful_life_d_by_plan,
    )


def expected_d(policy: LifePolicy, plan: str) -> float:
    """Days that the product is expected to be of use to customers of a plan."""
    return policy.useful_life_d_by_plan.get(plan, policy.useful_life_d)
