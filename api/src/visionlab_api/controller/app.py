"""The controller's loops, with /healthz and /metrics beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from visionlab_api.accounts.accounts import Accounts
from visionlab_api.accounts.audit import AuditLog
from visionlab_api.controller.configuration import ControllerConfiguration
from visionlab_api.foundation import open_foundation
from visionlab_api.reconcile.control_loops import ControlLoops
from visionlab_api.services.uploads import Uploads
from visionlab_core.telemetry import Metrics


def create_controller(configuration: ControllerConfiguration) -> Starlette:
    """The controller for a configuration; nothing is opened before it starts."""
    metrics = Metrics()
    running: list[ControlLoops] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_foundation(configuration, metrics) as foundation:
            uploads = Uploads(foundation.sessions, foundation.store, configuration)
            accounts = Accounts(foundation.sessions, configuration)
            audit = AuditLog(foundation.sessions, configuration.audit_days)
            loops = ControlLoops(foundation, uploads, accounts, audit)
            try:
                await loops.start()
                running.append(loops)
                yield
            finally:
                running.clear()
                await loops.stop()

    async def get_health(request: Request) -> Response:
        """Whether the loops go round: one that does not lead is well too."""
        well = all(loops.turn for loops in running)
        return PlainTextResponse("ok" if well else "a loop hangs", status_code=200 if well else 503)

    async def get_metrics(request: Request) -> Response:
        """Prometheus text format."""
        return Response(metrics.render(), media_type=metrics.content_type)

    return Starlette(routes=[Route("/healthz", get_health), Route("/metrics", get_metrics)], lifespan=lifespan)
