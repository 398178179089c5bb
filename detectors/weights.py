"""Weights by stage of life and by profile, where the policy sets some: instead of what the model says.

Rules: the first profile that matches a customer comes before its stage, and the stage before the model; what is set
is a weight in log-odds, so that contributions stay weight × strength; there are few combinations, each made once.
"""

from collections.abc import Mapping

from detectors.customer import DAY_S, NEVER, Customer
from detectors.policy import Match, Policy
from detectors.profile import stage_of
from detectors.signals import CATALOGUE, Moment

STAGE_DUE = -1  # the number of the stage's deadline among a customer's: signals are numbered from 1


class Weights:
    """Weight by signal number, customer by customer."""

    def __init__(self, policy: Policy, base: Mapping[int, float]) -> None:
        self.policy, self.base = policy, base
        self.by_stage = bool(policy.stage_weights) or any(p.match.stage is not None for p in policy.profiles)
        self._made: dict[tuple[int, str], dict[int, float]] = {}

    @classmethod
    def of_policy(cls, policy: Policy, base: Mapping[int, float]) -> "Weights | None":
        """None where the policy sets no weights but the priors."""
        return cls(policy, base) if policy.profiles or policy.stage_weights else None

    def look(self, c: Customer, at: Moment) -> None:
        """Note the customer's stage of life, and when to look at it again, if weights depend on it."""
        until_s = NEVER
        if self.by_stage:
            c.stage = stage_of(c, at.now_s, self.policy, at.quiet_s(c))
            until_s = self.until_s(c, at.now_s)
        if until_s < NEVER:
            c.dues[STAGE_DUE] = until_s
        else:
            c.dues.pop(STAGE_DUE, None)

    def of(self, c: Customer) -> dict[int, float]:
        """The weights of one customer, in the stage in which it was last looked at."""
        stage = c.stage if self.by_stage else ""
        number = next((i for i, p in enumerate(self.policy.profiles) if _matches(p.match, c, stage)), -1)
        found = self._made.get((number, stage))
        if found is None:
            found = self._made[number, stage] = self._make(number, stage)
        return found

    def _make(self, number: int, stage: str) -> dict[int, float]:
        weights = dict(self.base)
        tables = [w for name, w in self.policy.stage_weights.items() if name == stage]
        if number >= 0:
            tables.append(self.policy.profiles[number].weights)
        for table in tables:
            weights.update({CATALOGUE[code].number: weight for code, weight in table.items() if code in CATALOGUE})
        return weights

    def until_s(self, c: Customer, now_s: int) -> int:
        """Until when a customer's stage holds, if no event comes: the next time at which another may begin."""
        p, first_s = self.policy, c.started_s or c.first_s
        lapse_s = max(p.churn.inactivity_days * DAY_S, int(p.churn.inactivity_gap_factor * c.gap_s))
        ahead = (
            first_s + p.stages.onboarding_d * DAY_S,
            first_s + p.stages.mature_d * DAY_S,
            c.contract_ends_s - p.stages.renewal_window_d * DAY_S,
            c.contract_ends_s,
            c.active_s + lapse_s + 1,
        )
        return min((time_s for time_s in ahead if time_s > now_s), default=NEVER)


def _matches(match: Match, c: Customer, stage: str) -> bool:
    return (
        (match.plan is None or match.plan == c.plan)
        and (match.stage is None or match.stage == stage)
        and (match.channel is None or match.channel == c.channel)
        and (match.currency is None or match.currency == c.currency)
    )
