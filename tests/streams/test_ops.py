"""The ops server: who may read what, and when it refuses to be there."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from deploy.kafka.kafka import free_port
from streams.engine.errors import Refusal
from streams.health import Health
from streams.ops import serving

Ask = Callable[[str, dict[str, str]], Awaitable[tuple[int, str, str]]]


def serve(host: str, token: str, body: Callable[[Ask], Awaitable[None]]) -> None:
    """Run the body against a server on a free port."""
    port = free_port()

    async def ask(path: str, headers: dict[str, str]) -> tuple[int, str, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}{path}", headers=headers) as answer,
        ):
            return answer.status, answer.headers["Content-Type"], await answer.text()

    async def go() -> None:
        async with serving(f"{host}:{port}", token, Health(60)):
            await body(ask)

    asyncio.run(go())


def test_on_loopback_everything_is_open() -> None:
    async def body(ask: Ask) -> None:
        assert await ask("/livez", {}) == (200, "text/plain; charset=utf-8", "ok\n")
        status, _, text = await ask("/readyz?verbose", {})
        assert status == 503
        assert text == "[-]started failed: waiting for Kafka and its topics\nfailed\n"
        status, kind, text = await ask("/metrics", {})
        assert (status, kind.split(";")[0]) == (200, "text/plain")
        assert "# TYPE churn_events_consumed_total counter" in text
        assert "\nchurn_live 1.0\n" in text
        assert "\nchurn_ready 0.0\n" in text
        assert (await ask("/", {}))[0] == 404

    serve("127.0.0.1", "", body)


def test_with_a_token_probes_say_one_word_and_the_rest_needs_it() -> None:
    async def body(ask: Ask) -> None:
        assert (await ask("/livez", {}))[0] == 200
        assert (await ask("/readyz", {}))[::2] == (503, "failed\n")
        for path in ("/metrics", "/readyz?verbose"):
            assert (await ask(path, {}))[0] == 401
            assert (await ask(path, {"Authorization": "Bearer wrong"}))[0] == 401
            assert (await ask(path, {"Authorization": "Bearer secret"}))[0] in (200, 503)

    serve("0.0.0.0", "secret", body)


def test_off_loopback_without_a_token_the_worker_refuses_to_start() -> None:
    async def body(ask: Ask) -> None:
        assert await ask("/livez", {}) is None, "it must not serve"

    with pytest.raises(Refusal, match="CHURNWATCH_OPS_TOKEN must be set"):
        serve("0.0.0.0", "", body)


def test_an_address_in_use_is_named() -> None:
    async def go(port: int) -> None:
        async with serving(f"127.0.0.1:{port}", "", Health(60)):
            pass

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Refusal, match=f"CHURNWATCH_OPS=127.0.0.1:{port} cannot be served"):
            asyncio.run(go(port))
