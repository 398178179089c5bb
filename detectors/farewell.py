"""Reading a customer who may have left: one who is there is read as it is, one who has left as it was.

Rules: the moment of leaving is read in full and kept; from then on nothing is read until the customer is back. What
kind of leaving it was is the catalogue's to say, so that who is won back does not depend on when a model was learned.
"""

from detectors.assess import Assessor
from detectors.customer import Customer
from detectors.leaving import Farewell, Said, back_s, can_lapse, has_left, keep_farewell
from detectors.profile import churn_type_of
from detectors.signals import Moment
from detectors.win_back import potential


def read(c: Customer, at: Moment, assessor: Assessor, mask: int) -> float:
    """The customer's probability, the signals of a mask having been read again; frozen from leaving to coming back."""
    may_be_gone = c.churned_s or can_lapse(c, assessor.policy.churn)  # of most the rest need not be asked
    if may_be_gone and has_left(c, at.now_s, assessor.policy, at.quiet_s(c)):
        # Who was back and left again between two looks has left anew.
        if not c.left_s or back_s(c, assessor.policy.churn) > c.left_s:
            leave(c, at, assessor)
        return c.probability
    if c.left_s:
        c.left_s, c.farewell, c.scored, mask = 0, b"", -1.0, assessor.all
    return assessor.refresh(c, at, mask)


def leave(c: Customer, at: Moment, assessor: Assessor) -> None:
    """Read everything once more, and keep what is known."""
    policy = assessor.policy
    assessor.refresh(c, at, assessor.all)
    reasons = assessor.reasons(c, at, assessor.of_catalogue(c))
    churn_type = churn_type_of(reasons, policy, c)
    said = [Said(r.number, r.code, r.contribution, r.because.text, list(r.because.evidence)) for r in reasons]
    farewell = Farewell(churn_type, potential(c, at, churn_type), said[: policy.alerts.reasons])
    keep_farewell(c, policy.churn, farewell, at.quiet_s(c))
    c.dues.clear()
    c.scored = -1.0  # the score row is written anew, with what was known
