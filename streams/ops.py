"""The ops server of a worker: /livez, /readyz and /metrics, up before anything else and down after it.

Rules: it serves what others measured and decides nothing; on loopback it is open, elsewhere `/metrics` and what
`?verbose` tells need the token, and without one the worker refuses to start; probes stay open, since they say one word.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streams import metrics
from streams.engine.errors import Refusal
from streams.health import Check, Health, page

SCHEME: Final = "Bearer "


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0"), is_loopback("ops.internal")
    (True, True, False, False)
    """
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class OpsServer:
    """Answers SREs and their tools."""

    def __init__(self, health: Health, token: str) -> None:
        self.health, self.token = health, token
        self.app = web.Application()
        self.app.add_routes(
            [web.get("/livez", self.livez), web.get("/readyz", self.readyz), web.get("/metrics", self.metrics)]
        )

    async def livez(self, request: web.Request) -> web.Response:
        """200 unless a restart would help."""
        return self._said(request, self.health.live())

    async def readyz(self, request: web.Request) -> web.Response:
        """200 once every role works."""
        return self._said(request, self.health.ready())

    async def metrics(self, request: web.Request) -> web.Response:
        """Every metric, in Prometheus' text format."""
        if not self._may_know(request):
            return _unauthorised()
        for gauge, checks in ((metrics.LIVE, self.health.live()), (metrics.READY, self.health.ready())):
            gauge.set(all(check.ok for check in checks))
        return web.Response(body=generate_latest(metrics.REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _said(self, request: web.Request, checks: list[Check]) -> web.Response:
        verbose = "verbose" in request.query
        if verbose and not self._may_know(request):
            return _unauthorised()
        well, text = page(checks, verbose=verbose)
        if not well and not self._may_know(request):
            text = "failed\n"
        return web.Response(status=200 if well else 503, text=text)

    def _may_know(self, request: web.Request) -> bool:
        if not self.token:
            return True
        said = request.headers.get("Authorization", "")
        return hmac.compare_digest(said.encode(), (SCHEME + self.token).encode())


def _unauthorised() -> web.Response:
    return web.Response(status=401, text="a token is needed\n", headers={"WWW-Authenticate": "Bearer"})


@asynccontextmanager
async def serving(address: str, token: str, health: Health) -> AsyncIterator[None]:
    """Serve while the body runs; `off` serves nothing. Raises Refusal for an address that cannot be used."""
    if address == "off":
        yield
        return
    host, _, port = address.rpartition(":")
    if not token and not is_loopback(host):
        raise Refusal(
            f"CHURNWATCH_OPS={address} can be reached from other machines, so CHURNWATCH_OPS_TOKEN must be set"
        )
    runner = web.AppRunner(OpsServer(health, token).app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
    except OSError as error:
        await runner.cleanup()
        reason = error.strerror or error
        raise Refusal(f"CHURNWATCH_OPS={address} cannot be served ({reason}): another port, or `off`") from error
    try:
        yield
    finally:
        await runner.cleanup()
