"""What the outcomes of alerts add up to: the control group beside those who were acted on, overall and by comparison.

Rules:
* a customer counts once, with its first alert since the group was drawn: which customers have a second one depends on
  what was done about the first;
* another salt draws another group and begins anew; another share of the same goes on beside it, as a stratum;
* everything is bounded: comparisons, playbooks that teams name, currencies, shares.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from detectors.learning.alerted import AlertOutcome
from detectors.learning.uplift import Arm, Money, Pair, together

ALL: Final = "all"
DONE: Final = "done/"
COMPARED_MAX: Final = 200  # the signals, their groups and playbooks are about a hundred
DONE_MAX: Final = 32  # playbooks by the names that teams give them
CURRENCIES: Final = 4
SHARES: Final = 8


class Saved(msgspec.Struct):
    """The state: counts and sums."""

    lot: int = 0
    since_s: int = 0  # the first alert under it
    until_s: int = 0  # the newest that has an outcome
    pairs: dict[str, dict[int, Pair]] = {}  # comparison → share of the control group → the groups
    again: int = 0  # later alerts of the same customers
    undrawn: Arm = msgspec.field(default_factory=Arm)  # while there was no control group

    def add(self, outcome: AlertOutcome) -> str | None:
        """Take up one outcome; says why not, where it is of a group that was drawn before."""
        contacted = bool(outcome.contacted)
        if not outcome.lot:
            self.undrawn.add(left=outcome.left, contacted=contacted)
            return None
        if outcome.lot != self.lot:
            if self.lot and outcome.opened_s <= self.since_s:
                return "of a former control group"
            again = Saved(lot=outcome.lot, since_s=outcome.opened_s, undrawn=self.undrawn)
            for name in Saved.__struct_fields__:
                setattr(self, name, getattr(again, name))
        self.until_s = max(self.until_s, outcome.opened_s)
        if not outcome.first:
            self.again += 1
            return None
        for name in compared(outcome):
            arm = self._arm(name, outcome)
            if arm is not None:
                arm.add(left=outcome.left, contacted=contacted)
                _pay(arm, outcome)
        return None

    def strata(self, comparison: str) -> list[Pair]:
        """The groups of a comparison, lot by lot; whoever was called is compared with the whole control group."""
        found = self.pairs.get(comparison, {})
        if not comparison.startswith(DONE):
            return [found[share] for share in sorted(found)]
        control = {share: pair.control for share, pair in self.pairs.get(ALL, {}).items()}
        return [Pair(control.get(share, Arm()), found[share].delivered) for share in sorted(found)]

    def arms(self, comparison: str) -> Pair:
        """The same, as two groups."""
        strata = self.strata(comparison)
        return Pair(together([pair.control for pair in strata]), together([pair.delivered for pair in strata]))

    def comparisons(self) -> Iterator[str]:
        """Everything that was compared, all of it first."""
        yield ALL
        yield from sorted(self.pairs.keys() - {ALL})

    def _arm(self, name: str, outcome: AlertOutcome) -> Arm | None:
        shares = self.pairs.get(name)
        if shares is None:
            done = sum(other.startswith(DONE) for other in self.pairs)
            if len(self.pairs) >= COMPARED_MAX or (name.startswith(DONE) and done >= DONE_MAX):
                return None
            shares = self.pairs[name] = {}
        if outcome.share not in shares and len(shares) >= SHARES:
            return None
        pair = shares.setdefault(outcome.share, Pair())
        return pair.control if outcome.delivery == "hold_out" else pair.delivered


def compared(outcome: AlertOutcome) -> list[str]:
    """The comparisons that an alert is in: all, its first reason and that one's group, and its playbooks.

    >>> outcome = AlertOutcome(customer_id="c", alert_id="a", opened_s=1, probability=0.2, delivery="deliver", lot=1,
    ...     share=500, first=True, reason="value.silence", recommended="invite", contacted="invite", left=False)
    >>> compared(outcome)
    ['all', 'group/value', 'reason/value.silence', 'recommended/invite', 'done/invite']
    """
    found = [ALL]
    if outcome.reason:
        found += [f"group/{outcome.reason.split('.', 1)[0]}", f"reason/{outcome.reason}"]
    if outcome.recommended:
        found.append(f"recommended/{outcome.recommended}")
    if outcome.contacted and outcome.delivery == "deliver":
        found.append(f"{DONE}{outcome.contacted}")
    return found


def _pay(arm: Arm, outcome: AlertOutcome) -> None:
    if outcome.mrr is None or outcome.mrr_kept is None:
        return
    money = arm.money.get(outcome.currency)
    if money is None:
        if len(arm.money) >= CURRENCIES:
            return
        money = arm.money[outcome.currency] = Money()
    money.add(outcome.mrr, outcome.mrr_kept)
