"""Who can be won back, how likely, and when an alert says so.

Rules: the potential is a number from 0 (nothing to gain) to 1, from the kind of leaving, tenure, past satisfaction
and failures that were made good; an alert about it is opened at most once after each leaving, some days later, and
ends when the customer is back or the time for it has passed.
"""

from detectors import kinds
from detectors.customer import DAY_S, AlertState, Customer
from detectors.leaving import Farewell
from detectors.policy import Policy
from detectors.signals import CATALOGUE, Moment
from detectors.signals.service import is_bad
from schemas.alerts import ChurnType

MONTH_S = 30.4375 * DAY_S
RECOVERED = CATALOGUE["protect.recovered"].number
DIGITS = 6


def satisfaction(c: Customer, at: Moment) -> float:
    """Good less bad ratings as a share of those that are known: −1 to 1, and 0 where there is none.

    An NPS of 7 or 8 is neither.
    """
    service, good, bad = at.policy.service, 0, 0
    for rating in c.points.get(kinds.RATING, ()):
        if is_bad(rating, at):
            bad += 1
        elif rating.value >= (service.nps_good if rating.label == "nps" else service.csat_good):
            good += 1
    return (good - bad) / (good + bad) if good + bad else 0.0


def potential(c: Customer, at: Moment, churn_type: ChurnType) -> float:
    """How likely a customer who leaves for this reason comes back when asked, 0 to 1.

    The default of the kind, plus what tenure, satisfaction and recovered failures add by policy: people come back to
    where they were well treated (Stauss and Friege, Regaining service customers, J. Service Research, 1999).

    >>> potential(Customer(first_s=1), Moment(Policy(), 1), "service")
    0.8
    >>> potential(Customer(started_s=1), Moment(Policy(), 730 * DAY_S), "price")
    0.6
    """
    p = at.policy.win_back
    months = (at.now_s - (c.started_s or c.first_s)) / MONTH_S
    value = p.by_type[churn_type]
    value += p.tenure_gain * min(1.0, max(0.0, months / p.tenure_months))
    value += p.satisfaction_gain * satisfaction(c, at)
    if c.strengths.get(RECOVERED, 0.0) > 0:
        value += p.recovered_gain
    return round(min(1.0, max(0.0, value)), DIGITS)


def opens_s(c: Customer, policy: Policy) -> int:
    """When an alert about winning a customer back may open, at the soonest."""
    return c.left_s + policy.win_back.delay_d * DAY_S


def closes_s(c: Customer, policy: Policy) -> int:
    """When the time for it has passed."""
    return opens_s(c, policy) + policy.win_back.lasts_d * DAY_S


def is_wanted(c: Customer, farewell: Farewell, policy: Policy) -> bool:
    """Whether an alert about winning this customer back is to open at some time."""
    p = policy.win_back
    return p.alerts and c.win_back_s != c.left_s and farewell.win_back_potential >= p.threshold


def is_about_winning_back(alert: AlertState | None) -> bool:
    """Whether the customer's newest alert is live and about winning it back."""
    return alert is not None and alert.win_back and alert.status != "resolved"
