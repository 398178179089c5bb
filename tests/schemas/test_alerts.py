"""The alert on the wire."""

from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from schemas.alerts import (
    ALERT_TYPES,
    EVIDENCE_MAX,
    REASONS_MAX,
    Alert,
    AlertType,
    Change,
    Reason,
    alert_headers,
    decode_alert,
    encode_alert,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "alert.json"


@pytest.fixture
def alert() -> Alert:
    return decode_alert(GOLDEN.read_bytes()).data


def test_the_body_has_the_fields_of_the_contract_in_its_order() -> None:
    expected = (
        "alert_id revision customer_id status opened_at as_of churn_probability horizon_days previous_probability "
        "trend risk_level confidence reasons lifecycle_stage churn_type win_back_potential recommended_actions "
        "revenue_at_risk common_cause delivery outcome last_contact evidence_range model_version "
        "policy_version changed_by schema_version"
    )
    assert tuple(expected.split()) == Alert.__struct_fields__
    assert Reason.__struct_fields__ == ("code", "contribution", "since_last", "text", "evidence")


def test_every_change_has_its_type() -> None:
    assert set(get_args(Change)) == set(ALERT_TYPES)
    assert set(get_args(AlertType)) == set(ALERT_TYPES.values())


@pytest.mark.parametrize("change", get_args(Change))
def test_the_envelope_follows_from_the_alert(alert: Alert, change: Change) -> None:
    event = decode_alert(encode_alert(alert, change))
    told = (event.specversion, event.id, event.source, event.type, event.subject, event.time, event.traceparent)
    expected = (
        "1.0",
        f"{alert.alert_id}.{alert.revision}",
        "/churnwatch/detector",
        f"churn.alert.{change}.v1",
        alert.customer_id,
        alert.as_of,
        msgspec.UNSET,
    )
    assert expected == told
    assert alert == event.data


def test_the_headers_say_what_the_envelope_says(alert: Alert) -> None:
    event = decode_alert(encode_alert(alert, "escalated", "00-trace"))
    headers = dict(alert_headers(alert, "escalated", "00-trace"))
    assert {
        "ce_specversion": event.specversion.encode(),
        "ce_id": event.id.encode(),
        "ce_source": event.source.encode(),
        "ce_type": event.type.encode(),
        "ce_subject": event.subject.encode(),
        "ce_time": event.time.encode(),
        "risk_level": b"high",
        "churn_type": b"service",
        "delivery": b"deliver",
        "content-type": b"application/cloudevents+json; charset=utf-8",
        "traceparent": b"00-trace",
    } == headers
    assert "traceparent" not in dict(alert_headers(alert, "escalated"))


def test_the_same_alert_gives_the_same_compact_bytes(alert: Alert) -> None:
    again = decode_alert(encode_alert(alert, "opened")).data
    encoded = encode_alert(alert, "opened")
    assert encoded == encode_alert(again, "opened")
    assert (b", " in encoded.replace(b"unresolved, the", b""), b"\n" in encoded) == (False, False)


@pytest.mark.parametrize(
    "change",
    [
        {"churn_probability": 1.01},
        {"revision": 0},
        {"risk_level": "severe"},
        {"opened_at": "2026-03-04T05:06:07+01:00"},
        {"as_of": "2026-03-04T05:06:07.5Z"},
        {
            "reasons": [{"code": "x", "contribution": 0, "since_last": 0, "text": "", "evidence": []}]
            * (REASONS_MAX + 1)
        },
        {"reasons": [{"code": "x", "contribution": 0, "since_last": 0, "text": "", "evidence": ["e"] * 6}]},
        {"evidence_range": {"partition": 0, "first_offset": -1, "last_offset": 0}},
        {"schema_version": "2"},
    ],
)
def test_an_alert_beyond_the_contract_is_not_read(alert: Alert, change: dict[str, Any]) -> None:
    assert EVIDENCE_MAX == 5
    event = msgspec.to_builtins(decode_alert(encode_alert(alert, "opened")))
    event["data"] |= change
    with pytest.raises(msgspec.ValidationError):
        decode_alert(msgspec.json.encode(event))
