"""Every way into the journal, and every reason to be refused."""

import json
from typing import Any

import pytest

from schemas.deadletters import REASONS
from schemas.events import decode_event
from schemas.intake import VALUE_MAX_BYTES, Accepted, Problem, Rejected, check_lines, read_event

NOW_S = 1_772_600_767.0  # 2026-03-04T05:06:07Z
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "type": "billing.invoice.issued",
    "source": "/billing",
    "id": "e-1",
    "subject": "customer-1",
    "time": "2026-03-04T05:06:07Z",
    "data": {"invoice_id": "inv-1", "amount": 10.5, "fees": [{"code": "late", "amount": 1, "disclosed": True}]},
}
HEADERS = [
    ("ce_specversion", b"1.0"),
    ("ce_type", b"usage.session.started"),
    ("ce_source", b"/app"),
    ("ce_id", b"e-2"),
    ("ce_subject", b"customer-1"),
    ("ce_time", b"2026-03-04T05:06:07+01:00"),
]


def event(**changes: Any) -> bytes:
    """The event with attributes changed; None takes one away."""
    return json.dumps({name: value for name, value in (EVENT | changes).items() if value is not None}).encode()


def data(**changes: Any) -> bytes:
    """The event with fields of its data changed; None takes one away."""
    changed = {name: value for name, value in (EVENT["data"] | changes).items() if value is not None}
    return event(data=changed)


def raw(old: bytes, new: bytes) -> bytes:
    """The event with some of its bytes replaced."""
    value = event()
    assert value.count(old) == 1
    return value.replace(old, new)


REFUSED: list[tuple[str, str, bytes]] = [
    ("not_json", "empty", b""),
    ("not_json", "not JSON", b"hello"),
    ("not_json", "not JSON", event()[:-1]),
    ("not_json", "not JSON", event() + b"{}"),
    ("not_json", "not JSON", raw(b"10.5", b"NaN")),
    ("not_json", "not JSON", raw(b"10.5", b"-Infinity")),
    ("not_json", "byte order mark", b"\xef\xbb\xbf" + event()),
    ("not_json", "not UTF-8", event().decode().encode("utf-16")),
    ("not_json", "not UTF-8", raw(b"customer-1", b"customer-\xff")),
    ("not_json", "not UTF-8", raw(b'"id": "e-1"', b'"id": "e-1", "unknown": "\xff"')),
    ("not_json", "not JSON", raw(b"customer-1", rb"customer-\ud800")),
    ("not_json", "not JSON", raw(b'"id": "e-1"', rb'"id": "e-1", "unknown": "\udc00 and more"')),
    ("not_json", "given twice", raw(b'"id": "e-1"', b'"id": "e-1", "id": "e-1"')),
    ("not_json", "given twice", raw(b'"id": "e-1"', b'"id": "e-1", "id" : "e-1"')),
    ("not_json", "given twice", raw(b'"id": "e-1"', rb'"id": "e-1", "\u0069d": "e-9"')),
    ("not_json", "given twice", raw(b'"specversion"', b'"type": "usage.session.ended", "specversion"')),
    ("not_json", "given twice", raw(b'"amount": 10.5', b'"amount": 10.5, "amount": -1')),
    ("not_json", "given twice", raw(b'"disclosed": true', b'"disclosed": true, "disclosed": true')),
    ("not_json", "deep", raw(b'"e-1"', b'"e-1", "x": ' + b"[" * 300 + b"]" * 300)),
    ("not_json", "deep", b"[" * 100_000),
    ("not_json", "deep", b'{"a":' * 20_000 + b"1" + b"}" * 20_000),
    ("not_an_event", "$: expected `object`, got `array`", b"[]"),
    ("not_an_event", "$: expected `object`, got `null`", b"null"),
    ("not_an_event", "$: number out of range", b"9" * 5_000),
    ("not_an_event", "specversion", b"{}"),
    ("not_an_event", "specversion", event(specversion=None)),
    ("not_an_event", '$.specversion: expected "1.0"', event(specversion="0.3")),
    ("not_an_event", "$.specversion", event(specversion=1.0)),
    ("not_an_event", "`type`", event(type=None)),
    ("not_an_event", "$.type", event(type=7)),
    ("not_an_event", "`id`", event(id=None)),
    ("not_an_event", "$.id: expected `str` of length >= 1", event(id="")),
    ("not_an_event", "$.id: expected `str` of length <= 128", event(id="x" * 129)),
    ("not_an_event", "$.id", event(id=12)),
    ("not_an_event", "`source`", event(source=None)),
    ("not_an_event", "$.source", event(source="")),
    ("not_an_event", "`subject`", event(subject=None)),
    ("not_an_event", "$.subject", event(subject="")),
    ("not_an_event", "$.subject: expected `str` of length <= 256", event(subject="x" * 257)),
    ("not_an_event", "`time`", event(time=None)),
    ("not_an_event", "$.time: expected `datetime` with a timezone", event(time="2026-03-04T05:06:07")),
    ("not_an_event", "$.time", event(time=1_772_600_767)),
    ("not_an_event", "$.time", event(time="2016-12-31T23:59:60Z")),
    ("not_an_event", "$.time", event(time="0000-01-01T00:00:00Z")),
    ("not_an_event", "$.time", event(time="0001-01-01T00:00:00+14:00")),
    ("not_an_event", "$.time", event(time="10000-01-01T00:00:00Z")),
    ("not_an_event", "$.time", event(time="2026-02-30T00:00:00Z")),
    ("not_an_event", "$.traceparent", event(traceparent=7)),
    ("not_an_event", "$.id", raw(b'"e-1"', b"1e999")),
    ("unknown_type", "$.type", event(type="billing.invoice.eaten")),
    ("unknown_type", "$.type", event(type="billing.invoice.issued.v2")),
    ("unknown_type", "$.type", event(type="")),
    ("unknown_type", "$.type", event(type="churn.tick.v1")),
    ("unknown_type", "$.type", event(type="churn.alert.opened.v1")),
    ("wrong_shape", "$.data: expected `object`", event(data=[])),
    ("wrong_shape", "$.data: expected `object`", event(data="{}")),
    ("wrong_shape", "$.data: expected `object`, got `null`", raw(json.dumps(EVENT["data"]).encode(), b"null")),
    ("wrong_shape", "$.data: object missing required field `invoice_id`", event(data=None)),
    ("wrong_shape", "`amount`", data(amount=None)),
    ("wrong_shape", "$.data.amount: expected `float`, got `str`", data(amount="10")),
    ("wrong_shape", "$.data.amount", data(amount=True)),
    ("wrong_shape", "$.data.invoice_id", data(invoice_id="")),
    ("wrong_shape", "$.data.currency", data(currency="euro")),
    ("wrong_shape", "$.data.fees[0]", data(fees=[{"code": "late"}])),
    (
        "wrong_shape",
        "$.data.fees[1].amount",
        data(fees=[{"code": "a", "amount": 1, "disclosed": True}, {"amount": ""}]),
    ),
    (
        "wrong_shape",
        '$.data.by: expected "agent" or "customer"',
        event(type="support.ticket.updated", data={"ticket_id": "1", "by": "bot"}),
    ),
    ("wrong_shape", "$.data.due_at", event(type="support.promise.made", data={"promise_id": "1", "due_at": "soon"})),
    (
        "wrong_shape",
        "$.data.due_at: expected `datetime` with a timezone",
        event(type="support.promise.made", data={"promise_id": "1", "due_at": "2026-03-04T05:06:07"}),
    ),
    ("wrong_shape", "$.data.count", event(type="usage.feature.used", data={"feature": "x", "count": 1.5})),
    ("out_of_range", "$.data.amount: expected `float` >= 0.0", data(amount=-0.01)),
    ("out_of_range", "$.data.amount", data(amount=1e300)),
    ("out_of_range", "$.data.amount", raw(b"10.5", b"1e999")),
    ("out_of_range", "$.data.amount", raw(b"10.5", b"-1e999")),
    ("out_of_range", "$.data.amount", raw(b"10.5", b"9" * 5_000)),
    ("out_of_range", "$.data.fees[0].amount", raw(b'"amount": 1,', b'"amount": -1,')),
    ("out_of_range", "$.data.csat", event(type="support.ticket.rated", data={"ticket_id": "1", "csat": 6})),
    ("out_of_range", "$.data.count", event(type="usage.feature.used", data={"feature": "x", "count": 0})),
    ("out_of_range", "$.data.count", event(type="usage.feature.used", data={"feature": "x", "count": 10**40})),
    ("from_the_future", "$.time", event(time="2026-03-05T05:06:08Z")),
    ("from_the_future", "$.time", event(time="9999-12-31T23:59:59-14:00")),
    ("too_large", f"{VALUE_MAX_BYTES} bytes", event(id="x" * VALUE_MAX_BYTES)),
]


@pytest.mark.parametrize(("reason", "detail", "value"), REFUSED)
def test_a_value_that_is_not_right_is_refused_with_its_reason(reason: str, detail: str, value: bytes) -> None:
    read = read_event(value, [], NOW_S)
    assert isinstance(read, Rejected)
    assert (reason, True) == (read.reason, detail in read.detail), read


def test_every_reason_of_intake_has_cases() -> None:
    assert set(REASONS) - {"detector_failed"} == {reason for reason, _, _ in REFUSED}


def test_a_detail_never_repeats_the_payload() -> None:
    secret = "s3cret"
    values = [
        event(specversion=secret),
        event(type=secret),
        event(time=secret),
        event(data={secret: secret}),
        event(type="support.ticket.updated", data={"ticket_id": "1", "by": secret}),
        data(currency=secret, **{secret: 1}),
        data(fees=[{"code": "late", "amount": secret, "disclosed": True}]),
        raw(b'"id": "e-1"', b'"s3cret": 1, "s3cret": 2, "id": "e-1"'),
        secret.encode(),
    ]
    read = [read_event(value, [], NOW_S) for value in values]
    assert not [found for found in read if isinstance(found, Accepted) or secret in found.detail]


@pytest.mark.parametrize(
    "value",
    [
        event(),
        json.dumps(EVENT, separators=(",", ":")).encode(),
        json.dumps(EVENT, indent=2).replace('": ', '" : ').encode(),
        event(id="x" * 128, subject="y" * 256),
        event(id="\x00\n\x1f", subject='a"\\\u2028\x7f'),
        event(subject="é😀", source="https://example.com/billing"),
        event(time="2026-03-05T05:06:07Z"),
        event(time="0001-01-01T00:00:00Z"),
        event(time="2026-03-04T05:06:07.123456789-09:30"),
        event(traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        event(unknown={"deep": [1, {"a": 1}]}, datacontenttype="application/json", dataschema=None),
        data(unknown="of no interest", amount=0),
        data(currency="EUR", quoted_amount=9, fees=[]),
        raw(b'"id": "e-1"', b'"id": "e-1", "unknown": 1e999'),
        raw(b'"id": "e-1"', b'"id": "e-1", "unknown": ' + b"[" * 255 + b"]" * 255),
        raw(b'"id": "e-1"', rb'"id": "e-1", "un\"kno:wn": "\":"'),
        event(type="engagement.referral.made", data=None),
        event(type="engagement.referral.made", data={}),
        event(type="usage.session.started", data={"client": "ios"}),
        event(type="usage.feature.used", data={"feature": "x", "count": 1, "duration_s": 2}),
        b" \r\n\t" + event() + b"\n",
    ],
)
def test_a_structured_event_is_accepted_as_the_very_bytes(value: bytes) -> None:
    read = read_event(value, [], NOW_S)
    assert isinstance(read, Accepted), read
    assert value is read.value
    assert decode_event(value) == read.event


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (b"{}", HEADERS),
        (b"", HEADERS),
        (None, HEADERS),
        (b' {"client":\n"ios"} ', HEADERS),
        (b"{}", [(name.upper(), value) for name, value in HEADERS]),
        (b"{}", [*HEADERS, ("content-type", b"application/json"), ("x", b"\xff"), ("ce_other", b"\xff")]),
    ],
)
def test_a_binary_event_is_accepted_and_put_together(value: bytes | None, headers: list[tuple[str, bytes]]) -> None:
    read = read_event(value, headers, NOW_S)
    assert isinstance(read, Accepted), read
    assert (read.event.id, read.event.subject, read.event.source) == ("e-2", "customer-1", "/app")
    assert decode_event(read.value) == read.event


@pytest.mark.parametrize(
    ("reason", "detail", "value", "headers"),
    [
        ("not_json", "$.data: not JSON", b"{", HEADERS),
        ("not_json", "$.data: not JSON", b'{},"subject":"other"', HEADERS),
        ("not_json", "$.data: not JSON", b'{}},{"x":{}', HEADERS),
        ("not_json", "given twice", b'{"client":"a","client":"b"}', HEADERS),
        ("not_json", "$: not UTF-8", b'{"client":"\xff"}', HEADERS),
        ("not_json", "$: not UTF-8", b'{"unknown":"\xff"}', HEADERS),
        ("not_an_event", "`specversion`", b"{}", HEADERS[1:]),
        ("not_an_event", "`time`", b"{}", HEADERS[:-1]),
        ("not_an_event", "header ce_id expected once", b"{}", [*HEADERS, ("CE_ID", b"e-3")]),
        ("not_an_event", "header ce_subject expected in UTF-8", b"{}", [*HEADERS[:4], ("ce_subject", b"\xff")]),
        ("not_an_event", "$.id", b"{}", [*HEADERS[:3], ("ce_id", b""), *HEADERS[4:]]),
        ("unknown_type", "$.type", b"{}", [("ce_type", b"usage.session.started.v2"), HEADERS[0], *HEADERS[2:]]),
        ("wrong_shape", "$.data: expected `object`", b"[]", HEADERS),
        ("wrong_shape", "$.data.client", b'{"client":7}', HEADERS),
        ("from_the_future", "$.time", b"{}", [*HEADERS[:5], ("ce_time", b"2026-03-06T00:00:00Z")]),
        ("too_large", "bytes", b" " * (VALUE_MAX_BYTES + 1), HEADERS),
        ("too_large", "bytes", b"{}".ljust(VALUE_MAX_BYTES), HEADERS),
    ],
)
def test_a_binary_event_that_is_not_right_is_refused_with_its_reason(
    reason: str, detail: str, value: bytes, headers: list[tuple[str, bytes]]
) -> None:
    read = read_event(value, headers, NOW_S)
    assert isinstance(read, Rejected)
    assert (reason, True) == (read.reason, detail in read.detail), read


def test_the_mode_follows_the_content_type_then_the_value_then_the_headers() -> None:
    structured = ("Content-Type", b"Application/CloudEvents+JSON; charset=utf-8")
    ids = [
        read.event.id if isinstance(read, Accepted) else read.reason
        for read in (
            read_event(event(), [*HEADERS, structured], NOW_S),
            read_event(event(), HEADERS, NOW_S),
            read_event(b"{}", [*HEADERS, structured], NOW_S),
            read_event(b'{"client":"\\"specversion\\""}', HEADERS, NOW_S),
            read_event(event(), [("content-type", b"application/json"), ("ce", b"1")], NOW_S),
            read_event(b"[]", [("content-type", b"application/cloudevents-batch+json")], NOW_S),
            read_event(None, [], NOW_S),
        )
    ]
    assert ids == ["e-1", "e-1", "not_an_event", "e-2", "e-1", "not_an_event", "not_json"]


def test_the_trace_comes_from_its_attribute_or_else_from_the_plain_header() -> None:
    plain, attribute = ("traceparent", b"00-plain"), ("ce_traceparent", b"00-attribute")
    read = [read_event(b"{}", [*HEADERS, *more], NOW_S) for more in ([plain], [plain, attribute], [])]
    traces = [found.event.traceparent for found in read if isinstance(found, Accepted)]
    assert traces == ["00-plain", "00-attribute", None]


def test_checked_lines_are_reported_by_number_and_blank_ones_passed_over() -> None:
    lines = [event() + b"\n", b"\n", b"{}\n", event(type="x") + b"\r\n", b"  ", data(amount=-1)]
    assert [(problem.line, problem.reason) for problem in check_lines(lines, NOW_S)] == [
        (3, "not_an_event"),
        (4, "unknown_type"),
        (6, "out_of_range"),
    ]
    assert Problem(1, "not_json", "$: not JSON, or cut short") == next(check_lines([b"{"], NOW_S))
