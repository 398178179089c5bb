"""Spans as OpenTelemetry's conventions for messaging have them, and nothing of them when tracing is off."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.types import TP
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from schemas.topics import ALERTS, JOURNAL
from streams.engine.transactions import Transaction
from streams.settings import Settings
from streams.tracing import Tracing, tracing_of
from tests.detectors.lives import records, tick

ROOT = Path(__file__).parents[2]
GROUP = "churnwatch-detector"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HEADERS = [("ce_type", b"churn.alert.opened.v1"), ("ce_subject", b"c-1"), ("risk_level", b"high")]
TRACED = [*HEADERS, ("traceparent", f"00-{TRACE}-{PARENT}-01".encode())]


class Seen:
    """A tracing whose spans stay here."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracing = Tracing(settings or Settings(), "1.2", SimpleSpanProcessor(self.exporter))

    def spans(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())


def transaction(*headers: list[tuple[str, bytes]]) -> Transaction:
    writes = [(b"c-1", b'{"secret":"payload"}', each) for each in headers]
    offsets = {TopicPartition(JOURNAL, 2): OffsetAndMetadata(9, "")}
    return Transaction("2", {(ALERTS, 2): writes, ("changelog", 2): [(b"c-1", b"state", [])]}, offsets)


def test_a_fetch_is_a_span_with_what_and_how_much() -> None:
    seen = Seen(Settings(app_id="cw", instance_id="w-0"))
    with seen.tracing.fetch(GROUP, TP(JOURNAL, 2), records([tick(1.0), tick(2.0)], 7), 10):
        pass
    (span,) = seen.spans()
    assert (span.name, span.kind) == ("process churn.journal", SpanKind.CONSUMER)
    assert dict(span.attributes or {}) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": JOURNAL,
        "messaging.destination.partition.id": "2",
        "messaging.consumer.group.name": GROUP,
        "messaging.kafka.offset": 7,
        "messaging.batch.message_count": 2,
        "churnwatch.offset.end": 10,
    }
    named = span.resource.attributes
    assert (named["service.name"], named["service.version"], named["service.instance.id"]) == ("cw", "1.2", "w-0")


def test_a_fetch_of_markers_alone_is_no_span() -> None:
    seen = Seen()
    with seen.tracing.fetch(GROUP, TP(JOURNAL, 2), [], 10):
        pass
    assert seen.spans() == []


def test_an_alert_is_a_span_in_the_trace_of_its_event_and_the_checkpoint_one_of_its_own() -> None:
    seen = Seen()
    with seen.tracing.commit(GROUP, transaction(TRACED, HEADERS)):
        pass
    commit, published = seen.spans()
    assert (commit.name, commit.kind, commit.parent) == ("commit churnwatch-detector", SpanKind.CLIENT, None)
    assert (commit.attributes or {})["messaging.operation.type"] == "settle"
    assert (commit.attributes or {})["messaging.batch.message_count"] == 3
    assert (published.name, published.kind) == ("publish churn.alerts", SpanKind.PRODUCER)
    assert published.parent is not None
    assert (f"{published.context.trace_id:032x}", f"{published.parent.span_id:016x}") == (TRACE, PARENT)
    assert (published.attributes or {})["churnwatch.risk_level"] == "high"
    assert published.start_time is not None
    assert commit.end_time is not None
    assert published.start_time <= commit.end_time


def test_what_failed_is_marked_by_its_type_and_publishes_nothing() -> None:
    seen = Seen()
    with pytest.raises(ValueError, match="payload"), seen.tracing.commit(GROUP, transaction(TRACED)):
        raise ValueError("the payload of c-1")
    (span,) = seen.spans()
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "ValueError"


def test_no_span_names_a_customer_or_a_payload() -> None:
    seen = Seen()
    with pytest.raises(ValueError, match="c-1"), seen.tracing.commit(GROUP, transaction(TRACED)):
        raise ValueError("c-1")
    with seen.tracing.commit(GROUP, transaction(TRACED)):
        pass
    told = "".join(span.to_json() for span in seen.spans())
    assert "c-1" not in told
    assert "secret" not in told


def test_a_traceparent_that_is_none_begins_a_trace_of_its_own() -> None:
    seen = Seen()
    with seen.tracing.commit(GROUP, transaction([("traceparent", b"\xffnonsense")])):
        pass
    _, published = seen.spans()
    assert published.parent is None


def test_off_is_nothing_and_imports_nothing() -> None:
    assert tracing_of(Settings(), "1") is None
    code = "import sys; import streams.worker; print([m for m in sys.modules if m.startswith('opentelemetry')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
