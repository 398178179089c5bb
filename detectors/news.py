"""What is news when the rules have changed: a new policy or model alone opens nothing and escalates nothing.

Rules:
* whoever is looked at for the first time since a change is judged by what decided before as well; what only the new
  rules say is the change's doing;
* an alert that only the change would open is held: `Customer.unsaid` is the risk that the change made, and
  the alert opens once the customer's own events, or its own time, have moved it on from there; below `enter`
  nothing is held any more;
* an open alert is revised at the customer's next look, and says that the change did it; its new level is the one
  that later ones are compared with, so a change alone does not escalate.
"""

from copy import copy
from typing import NamedTuple

import msgspec

from detectors.assess import Assessor
from detectors.customer import Customer
from detectors.leaving import farewell_of
from detectors.lifecycle import LEVELS, judge, level_of, status_of
from detectors.policy import AlertPolicy
from detectors.rules import Rules
from detectors.signals import Moment
from detectors.win_back import is_wanted, opens_s
from schemas.alerts import ChangedBy

SAID_ALL = -1.0
QUIET = ("none", "resolved")


class Said(NamedTuple):
    """A verdict, and what brought it about."""

    verdict: str
    by: ChangedBy


class Before(NamedTuple):
    """What the rules of before would say now."""

    verdict: str
    probability: float
    risk: float
    first_reason: int


def verdict_of(c: Customer, p: float, assessor: Assessor, now_s: int) -> str:
    """The verdict of the alert's life, but that what is held is not said."""
    verdict = judge(c, p, assessor, now_s)
    if verdict == "risen" and c.unsaid >= 0.0:
        return verdict if has_moved(c.unsaid, assessor.risk(c, p), assessor.policy.alerts) else "same"
    return verdict


def has_moved(held: float, p: float, policy: AlertPolicy) -> bool:
    """Whether a probability has risen from where it was held: by what counts as news, half the rest, or a level.

    >>> policy = AlertPolicy()
    >>> has_moved(0.3, 0.32, policy), has_moved(0.3, 0.36, policy), has_moved(0.98, 0.995, policy)
    (False, True, True)
    """
    if p <= held:
        return False
    if LEVELS.index(level_of(p, policy)) > LEVELS.index(level_of(held, policy)):
        return True
    return p - held >= min(policy.update_delta, (1.0 - held) / 2.0)


def judged_by_both(c: Customer, said: Said, rules: Rules, before: Assessor, at: Moment) -> Said:
    """The verdict on a customer who is looked at for the first time since a change.

    All signals have been read by the new rules already. Notes what is held, and the level of a live alert.
    """
    assessor, p, verdict = rules.assessor, c.probability, said.verdict
    policy = assessor.policy.alerts
    risk, is_quiet = assessor.risk(c, p), status_of(c) in QUIET
    if c.left_s:
        return _judged_gone(c, said, before, at)
    if is_quiet and risk < policy.enter:
        return said
    then = _before(c, before, at)
    if is_quiet:
        verdict = judge(c, p, assessor, at.now_s)  # what was held before was held by other rules
        rested = verdict == "same" and c.unsaid < 0.0 and then.risk >= before.policy.alerts.enter
        own = then.verdict == "risen" or rested
        c.unsaid = SAID_ALL if own else risk
        return Said(verdict if own else "same", said.by)
    alert = c.alert
    assert alert is not None
    alert.ruled_by += p - then.probability
    if verdict == then.verdict:
        moved = abs(p - then.probability) >= policy.update_delta or assessor.first_reason(c) != then.first_reason
        alert.by_rules = alert.by_rules or moved
        return said
    if verdict == "worse":
        alert.level = level_of(p, policy)
        return Said("changed", rules.cause)
    if verdict == "same":
        alert.by_rules = True
    return Said(verdict, rules.cause)


def _judged_gone(c: Customer, said: Said, before: Assessor, at: Moment) -> Said:
    """The same of one who has left, and is not read again: one whom only the new rules would win back is not asked."""
    farewell = farewell_of(c)
    if said.verdict != "win_back" or farewell is None:
        return said
    if is_wanted(c, farewell, before.policy) and opens_s(c, before.policy) <= at.now_s:
        return said
    c.win_back_s = c.left_s
    return Said("same", said.by)


def settle(c: Customer, p: float, assessor: Assessor) -> None:
    """Hold what is held no higher than it stands, and not at all below `enter` or beside a live alert."""
    if c.unsaid >= 0.0:
        risk = assessor.risk(c, p)
        ended = risk < assessor.policy.alerts.enter or status_of(c) not in QUIET
        c.unsaid = SAID_ALL if ended else min(c.unsaid, risk)


def as_read_by(before: Assessor, c: Customer, at: Moment) -> Customer:
    """A copy of a customer as the rules of before would read it at a moment."""
    c.opened()  # shared, so that it is decoded once
    look = msgspec.structs.replace(c, strengths={}, dues={}, alert=copy(c.alert))
    then = copy(at)
    then.policy, then.life = before.policy, before.life
    before.refresh(look, then, before.all)
    return look


def _before(c: Customer, before: Assessor, at: Moment) -> Before:
    """What the rules of before would say of a customer at a moment, who stays as it is."""
    look = as_read_by(before, c, at)
    p = look.probability
    return Before(verdict_of(look, p, before, at.now_s), p, before.risk(look, p), before.first_reason(look))
