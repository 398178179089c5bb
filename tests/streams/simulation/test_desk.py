"""The retention desk that answers alerts."""

from __future__ import annotations

from pathlib import Path

import msgspec

from schemas.alerts import AlertEvent, decode_alert
from schemas.events import TYPE_OF
from schemas.intake import Accepted, read_event
from schemas.retention import AlertAcknowledged
from streams.simulation.desk import answers
from streams.simulation.dice import Dice
from streams.simulation.wire import emission

GOLDEN = Path(__file__).parents[2] / "golden" / "alert.json"
SEEN_S = 1_772_600_800.0


def opened(**changed: str) -> AlertEvent:
    """The golden alert as it would be when opened."""
    golden = decode_alert(GOLDEN.read_bytes())
    alert = msgspec.structs.replace(golden.data, **changed)
    return msgspec.structs.replace(golden, type="churn.alert.opened.v1", data=alert)


def test_answers_name_the_alert_and_obey_their_contracts() -> None:
    event = opened()
    kinds = set()
    for number in range(200):
        for told in answers(event, SEEN_S, Dice(str(number))):
            read = read_event(emission(told).value, (), SEEN_S + 60.0)
            assert isinstance(read, Accepted)
            assert read.event.subject == event.data.customer_id
            assert read.event.data.alert_id == event.data.alert_id
            kinds.add(TYPE_OF[type(told.data)])
    assert kinds == {
        "retention.alert.acknowledged",
        "retention.alert.snoozed",
        "retention.customer.contacted",
        "retention.alert.resolved",
    }


def test_answers_come_in_order_and_begin_with_the_acknowledgement() -> None:
    for number in range(100):
        told = answers(opened(), SEEN_S, Dice(str(number)))
        assert [one.time_s for one in told] == sorted(one.time_s for one in told)
        assert not told or isinstance(told[0].data, AlertAcknowledged)


def test_some_alerts_are_left_unanswered() -> None:
    answered = sum(bool(answers(opened(), SEEN_S, Dice(str(number)))) for number in range(200))
    assert 80 < answered < 160


def test_the_control_group_is_left_alone() -> None:
    assert not any(answers(opened(delivery="hold_out"), SEEN_S, Dice(str(number))) for number in range(50))


def test_only_new_alerts_are_answered() -> None:
    assert not any(answers(decode_alert(GOLDEN.read_bytes()), SEEN_S, Dice(str(number))) for number in range(50))
