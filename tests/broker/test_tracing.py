"""A real worker sends its spans to a collector, and an alert's into the trace of the event that caused it."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path

from aiohttp import web
from msgspec import json
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from deploy.kafka.kafka import free_port
from schemas.topics import ALERTS, JOURNAL
from tests.broker.harness import Feeder, Trial
from tests.detectors.lives import event, tick

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


def troubled() -> list[bytes]:
    """A customer who gives more than enough reason for an alert, all of it in one trace."""
    told = [event("billing.subscription.started", 0, plan="plus", mrr=40.0)]
    told += [event("usage.cancel_page.viewed", 200 + day) for day in range(4)]
    told += [event("billing.auto_renew.disabled", 204), event("usage.data.exported", 204.5)]
    told += [event("billing.payment.failed", 205 + day, invoice_id="I", attempt=day + 1) for day in range(3)]
    told += [event("support.interaction.assessed", 208, interaction_id="i", mentions_leaving=True)]
    traced = [json.encode({**json.decode(value), "traceparent": TRACEPARENT}) for value in told]
    return [*traced, tick(208.1), tick(208.2)]


def test_the_spans_of_a_worker_reach_a_collector_and_an_alert_stands_in_its_events_trace(
    bootstrap: str, tmp_path: Path
) -> None:
    spans: dict[str, list[tuple[str, str]]] = {}

    async def collect(request: web.Request) -> web.Response:
        body = await request.read()
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    spans.setdefault(span.name, []).append((span.trace_id.hex(), span.parent_span_id.hex()))
        return web.Response()

    async def traced(trial: Trial, port: int) -> None:
        app = web.Application()
        app.router.add_post("/v1/traces", collect)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await trial.create()
        try:
            async with Feeder(trial.bootstrap) as feeder:
                items = [(0, (None if b'"subject"' not in value else b"c-1", value)) for value in troubled()]
                await feeder.feed(trial.named(JOURNAL), items)
            worker = trial.start(CHURNWATCH_TRACING="otlp", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")
            await worker.ready()
            await trial.caught_up()
            await worker.stop()  # sends what is left
        finally:
            trial.end()
            await runner.cleanup()
        (alert, *_) = [r for part in (await trial.read(trial.named(ALERTS))).values() for r in part]
        assert dict(alert.headers)["traceparent"] == TRACEPARENT.encode()
        assert (TRACE, PARENT) in spans[f"publish {trial.named(ALERTS)}"]
        assert spans[f"process {trial.named(JOURNAL)}"]
        assert spans[f"commit {trial.settings.app_id}-detector"]

    asyncio.run(traced(Trial(bootstrap, tmp_path, fold="detectors"), free_port()))
