"""A retention desk that answers alerts: some are taken up, put off or closed, and some customers are called.

An agent sees what a subscriber of `churn.alerts` sees and nothing else: the desk knows no more about a customer's fate.
"""

from __future__ import annotations

from typing import Final, Literal

from schemas.alerts import AlertEvent
from schemas.retention import AlertAcknowledged, AlertResolved, AlertSnoozed, CustomerContacted
from streams.simulation.dice import Dice
from streams.simulation.happenings import HOUR_S
from streams.simulation.people import moment
from streams.simulation.wire import Told

AGENTS: Final = ("amira", "jonas", "wen")
OUTCOMES: Final[tuple[Literal["saved", "no_risk"], ...]] = ("saved", "no_risk")


def answers(event: AlertEvent, seen_s: float, dice: Dice) -> list[Told]:
    """What the desk does about an alert that it sees at `seen_s`, within the next minute, in time order.

    Three in five new alerts are acknowledged; of those most customers are called, a few alerts are put off for an hour,
    and some are closed after the call. Alerts of the control group are left alone.
    """
    alert = event.data
    if event.type != "churn.alert.opened.v1" or alert.delivery != "deliver" or not dice.chance(0.6):
        return []
    by, alert_id = dice.pick(AGENTS), alert.alert_id
    told: list[Told] = []

    def tell(after_s: float, data: AlertAcknowledged | AlertSnoozed | CustomerContacted | AlertResolved) -> None:
        told.append(Told(seen_s + after_s, alert.customer_id, f"{alert_id}-{len(told) + 1}", data))

    tell(dice.between(2.0, 8.0), AlertAcknowledged(alert_id=alert_id, by=by))
    if dice.chance(0.15):
        until = moment(seen_s + HOUR_S)
        tell(dice.between(9.0, 12.0), AlertSnoozed(alert_id=alert_id, until=until, reason="on holiday", by=by))
    elif dice.chance(0.8):
        playbook = alert.recommended_actions[0].code if alert.recommended_actions else "call_back"
        contacted = CustomerContacted(alert_id=alert_id, playbook=playbook, channel="phone", by=by)
        tell(dice.between(10.0, 25.0), contacted)
        if dice.chance(0.4):
            outcome = dice.weighted(OUTCOMES, (0.7, 0.3))
            tell(dice.between(30.0, 60.0), AlertResolved(alert_id=alert_id, outcome=outcome, by=by))
    return told
