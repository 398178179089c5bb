"""What retention teams say of an alert.

It is checked against the customer's newest alert and written down; `detectors.lifecycle` decides what
becomes of it. `privacy.erasure.requested` is not here: the fold forgets the customer altogether.
"""

from detectors import kinds
from detectors.customer import AlertState, Customer, note
from detectors.history.engagement import given
from detectors.history.routes import RefusedError, on
from detectors.history.support import spoke
from schemas.retention import AlertAcknowledged, AlertResolved, AlertSnoozed, CustomerContacted

NAME = 64  # of a playbook or a person, as much is kept
CONTACTS = 4  # the newest: the first after an alert is looked for, once its horizon has passed


def alert_named(c: Customer, alert_id: str) -> AlertState:
    """The customer's live alert; anything else that feedback may name is refused."""
    if c.alert is None or c.alert.alert_id != alert_id:
        raise RefusedError("out_of_range", "data.alert_id: expected the newest alert of this customer")
    if c.alert.status == "resolved" or c.alert.feedback == "closed":
        raise RefusedError("out_of_range", "data.alert_id: this alert is resolved already")
    return c.alert


@on(AlertAcknowledged)
def alert_acknowledged(c: Customer, d: AlertAcknowledged, time_s: int, event_id: str) -> None:
    alert_named(c, d.alert_id).feedback = "acknowledged"


@on(AlertSnoozed)
def alert_snoozed(c: Customer, d: AlertSnoozed, time_s: int, event_id: str) -> None:
    alert, until_s = alert_named(c, d.alert_id), int(d.until.timestamp())
    if until_s <= time_s:
        raise RefusedError("out_of_range", "data.until: expected a time after the event's own")
    alert.feedback, alert.snoozed_until_s = "snoozed", until_s


@on(AlertResolved)
def alert_resolved(c: Customer, d: AlertResolved, time_s: int, event_id: str) -> None:
    alert = alert_named(c, d.alert_id)
    alert.feedback, alert.outcome = "closed", d.outcome
    if d.outcome == "churned" and not alert.win_back and time_s > c.churned_s:
        c.churned_s, c.voluntary = time_s, 1  # the team's word counts as the customer's own


@on(CustomerContacted)
def customer_contacted(c: Customer, d: CustomerContacted, time_s: int, event_id: str) -> None:
    alert = c.alert
    if d.alert_id is not None and (alert is None or alert.alert_id != d.alert_id):
        raise RefusedError("out_of_range", "data.alert_id: expected the newest alert of this customer")
    given(c, time_s, kinds.CHECK_IN, event_id)
    spoke(c, time_s)
    playbook, by = d.playbook[:NAME], d.by[:NAME]
    note(c, kinds.CONTACTED, time_s, 0, "", playbook, keep=CONTACTS)
    if (time_s, playbook, by) > (c.contacted_s, c.contacted, c.contacted_by):
        c.contacted_s, c.contacted, c.contacted_by = time_s, playbook, by
    if alert is not None and alert.status != "resolved" and not alert.feedback:
        alert.feedback = "contacted"  # colleagues who read the alert see that somebody has called
