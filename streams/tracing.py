"""Spans of OpenTelemetry, for who asks for them: each fetch, each checkpoint, and each alert in the trace of its event.

Rules: off unless a setting says so, and then nothing of it is imported and nothing is measured; a span says how much
and where, never a customer, a payload or an error's text; what a span costs is paid per fetch and per checkpoint, not
per event. Names and attributes follow OpenTelemetry's conventions for messaging; where spans go is said by its own
variables (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_RESOURCE_ATTRIBUTES, …).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from faust.types import TP

from streams.engine.errors import Refusal
from streams.engine.fetch import Record
from streams.engine.transactions import Transaction
from streams.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

SCOPE: Final = "churnwatch"
TRACEPARENT: Final = "traceparent"
FLUSH_MS: Final = 2_000


class Tracing:
    """The tracer of a worker."""

    def __init__(self, settings: Settings, version: str, processor: SpanProcessor) -> None:
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        named = {"service.name": settings.app_id, "service.version": version}
        if settings.instance_id:
            named["service.instance.id"] = settings.instance_id
        # Last, so that OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win where they say the same.
        resource = Resource.create(named).merge(OTELResourceDetector().detect())
        self.provider: TracerProvider = TracerProvider(resource=resource)
        self.provider.add_span_processor(processor)
        self._tracer = self.provider.get_tracer(SCOPE, version)
        self._context_of = TraceContextTextMapPropagator().extract

    @contextmanager
    def fetch(self, group: str, tp: TP, records: Sequence[Record], end: int) -> Iterator[None]:
        """A span around the work on one fetch; one that has only markers in it is not worth one."""
        if not records:
            yield
            return
        attributes = {
            **_common("process", "process", tp.topic, group),
            "messaging.destination.partition.id": str(tp.partition),
            "messaging.kafka.offset": records[0].offset,
            "messaging.batch.message_count": len(records),
            "churnwatch.offset.end": end,
        }
        with self._span(f"process {tp.topic}", "CONSUMER", attributes):
            yield

    @contextmanager
    def commit(self, group: str, transaction: Transaction) -> Iterator[None]:
        """A span around one transaction, and one for each record in it that belongs to somebody else's trace."""
        began_ns = time.time_ns()
        written = sum(map(len, transaction.writes.values()))
        read = {tp.topic for tp in transaction.offsets}
        attributes = {
            **_common("commit", "settle", ",".join(sorted(read)), group),
            "messaging.batch.message_count": written,
            "churnwatch.lane": transaction.lane,
        }
        with self._span(f"commit {group}", "CLIENT", attributes):
            yield
        self._published(group, transaction, began_ns)

    def close(self) -> None:
        """Send what is left, for at most two seconds."""
        self.provider.force_flush(FLUSH_MS)
        self.provider.shutdown()

    def _published(self, group: str, transaction: Transaction, began_ns: int) -> None:
        """What became true in the trace of the event that caused it: the alert, from its checkpoint to its commit."""
        for (topic, partition), writes in transaction.writes.items():
            for _, _, headers in writes:
                parent = next((value for name, value in headers if name == TRACEPARENT), None)
                if parent is not None:
                    attributes = {
                        **_common("publish", "send", topic, group),
                        "messaging.destination.partition.id": str(partition),
                        **_said(headers),
                    }
                    self._tracer.start_span(
                        f"publish {topic}",
                        context=self._context_of({TRACEPARENT: parent.decode("ascii", "replace")}),
                        kind=_kind("PRODUCER"),
                        attributes=attributes,
                        start_time=began_ns,
                    ).end()

    @contextmanager
    def _span(self, name: str, kind: str, attributes: Mapping[str, Any]) -> Iterator[None]:
        from opentelemetry.trace import Status, StatusCode

        with self._tracer.start_as_current_span(
            name, kind=_kind(kind), attributes=dict(attributes), record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except BaseException as error:
                # An error's text may quote what was read; its type says enough.
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(Status(StatusCode.ERROR))
                raise


def _common(operation: str, kind: str, topic: str, group: str) -> dict[str, str]:
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": operation,
        "messaging.operation.type": kind,
        "messaging.destination.name": topic,
        "messaging.consumer.group.name": group,
    }


def _said(headers: Sequence[tuple[str, bytes]]) -> dict[str, str]:
    """What an alert's headers say that names nobody."""
    shown = {"ce_type", "risk_level", "churn_type"}
    return {f"churnwatch.{name}": value.decode() for name, value in headers if name in shown}


def _kind(name: str) -> Any:
    from opentelemetry.trace import SpanKind

    return SpanKind[name]


def tracing_of(settings: Settings, version: str) -> Tracing | None:
    """What a worker traces with; None if it is off. Raises Refusal where the packages are missing."""
    if settings.tracing == "off":
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise Refusal(
            f"CHURNWATCH_TRACING=otlp needs packages that are not installed ({error.name}): "
            "install requirements-tracing.lock, or churnwatch[tracing]."
        ) from error
    return Tracing(settings, version, BatchSpanProcessor(OTLPSpanExporter()))
