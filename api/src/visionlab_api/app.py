"""The application: parts are opened at the start, closed at the end, and the routes stand between."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api import problems
from visionlab_api.accounts.accounts import Accounts
from visionlab_api.accounts.admin_token import first_admin_token
from visionlab_api.accounts.audit import AuditLog
from visionlab_api.accounts.gate import Gate, require_admission
from visionlab_api.accounts.rate_limits import RateLimits
from visionlab_api.configuration import ApiConfiguration
from visionlab_api.direct_route import DirectRoute
from visionlab_api.documentation import DocumentedApp, add_docs
from visionlab_api.foundation import open_foundation
from visionlab_api.middleware import RequestContext
from visionlab_api.open_inference.http import router as open_inference_router
from visionlab_api.reconcile.backends import open_backend
from visionlab_api.reconcile.control_loops import ControlLoops
from visionlab_api.reconcile.serving import ServingLoop
from visionlab_api.reconcile.store_watch import StoreWatch
from visionlab_api.routes import router
from visionlab_api.routes.classify import classify_images
from visionlab_api.routes.status import root_router
from visionlab_api.services.classifying import Classifier
from visionlab_api.services.counting import Counting
from visionlab_api.services.decoding import Decoder
from visionlab_api.services.model_uploads import ModelUploads
from visionlab_api.services.starters import install_starters
from visionlab_api.services.training_metrics import TrainingMetrics
from visionlab_api.services.uploads import Uploads
from visionlab_api.state import State
from visionlab_api.web import add_web_interface
from visionlab_core.telemetry import Metrics
from visionlab_inference.embedded.session import available_cpus
from visionlab_inference.lanes import CpuLanes

if TYPE_CHECKING:
    from visionlab_api.accounts.oidc import OpenIdProvider
    from visionlab_api.services.web_pictures import WebPictures

log = logging.getLogger(__name__)

_DESCRIPTION = """
Make virtual faces with GANs, and tell real faces from generated ones, for human photos and cartoon faces.

Errors are problem details (RFC 9457) with a sentence that says what to do. A 503 carries `Retry-After`.
"""


def create_app(configuration: ApiConfiguration) -> FastAPI:
    """The facade for a configuration; nothing is opened before it starts."""
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_state(configuration, metrics) as state:
            app.state.visionlab = state
            yield

    app = DocumentedApp(
        title="VisionLab",
        version=version("visionlab-api"),
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_tags=[
            {"name": "images", "description": "Make, upload, classify, label, like and download images."},
            {"name": "models", "description": "Generators and detectors."},
            {"name": "datasets", "description": "Images to learn from."},
            {"name": "trainings", "description": "A queue of trainings, their progress and their reports."},
            {"name": "challenges", "description": "Retraining a detector in service, and whether the new version is better."},
            {"name": "uploads", "description": "Large files in pieces (tus 1.0): archives for data sets, models."},
            {"name": "accounts", "description": "Signing in, and API keys."},
            {"name": "system", "description": "Status and settings."},
        ],
        lifespan=lifespan,
        dependencies=[Depends(require_admission)],
        docs_url=None,
        redoc_url=None,
        openapi_url="/backend/openapi.json",
        generate_unique_id_function=lambda route: route.name,
        # Traces alone, and those only where `configure_tracing` has set them up: metrics and logs are ours.
        telemetry={"metrics": False, "logs": False, "operation_spans": False, "exclude": _is_no_work},
    )
    problems.install(app)
    app.include_router(router)
    app.include_router(root_router)
    app.include_router(open_inference_router, include_in_schema=False)  # its own specification describes it
    if configuration.ui_folder is not None and (configuration.ui_folder / "index.html").is_file():
        add_docs(app, "/backend/docs")
        add_web_interface(app, configuration.ui_folder)
    app.add_middleware(DirectRoute, path="/backend/image/classify", endpoint=classify_images)
    app.add_middleware(Gate)
    app.add_middleware(
        RequestContext,
        metrics=metrics,
        max_bytes=configuration.max_request_bytes,
        max_image_bytes=configuration.max_image_bytes,
    )
    return app


def _tell(metrics: Metrics, serving: ServingLoop, store_watch: StoreWatch) -> None:
    """Have the metrics say what is known at the moment when they are asked for."""
    metrics.store_unusable.set_function(lambda: float(store_watch.problem is not None))
    metrics.models_unread_seconds.set_function(lambda: serving.seconds_since_read)

    def count(state: str) -> float:
        return float(sum(serving.state(each)[0] == state for each in serving.enabled()))

    for state in ("ready", "loading", "failed"):
        metrics.models.labels(state).set_function(partial(count, state))


def _is_no_work(scope: MutableMapping[str, Any]) -> bool:
    # What is asked for every few seconds by those who watch.
    return scope.get("path") in ("/metrics", "/backend/status", "/v2/health/live", "/v2/health/ready")


@asynccontextmanager
async def open_state(configuration: ApiConfiguration, metrics: Metrics) -> AsyncIterator[State]:
    """Open database, store and backend; close them after the requests under way."""
    async with open_foundation(configuration, metrics) as foundation:
        sessions, store = foundation.sessions, foundation.store
        accounts = Accounts(sessions, configuration)
        audit = AuditLog(sessions, configuration.audit_days)
        limits = RateLimits(
            requests=configuration.limit_per_minute(configuration.requests_per_minute, 600),
            images=configuration.limit_per_minute(configuration.images_per_minute, 1200),
            sign_ins=configuration.limit_per_minute(configuration.sign_ins_per_minute, 20),
        )
        lanes = CpuLanes(configuration.threads or available_cpus())
        try:
            async with open_backend(configuration, store, metrics, lanes) as (backend, pools):
                serving = ServingLoop(sessions, store, backend, pools, configuration.pool_plan())
                uploads = Uploads(sessions, store, configuration)
                store_watch = StoreWatch(store)
                _tell(metrics, serving, store_watch)
                loops = ControlLoops(foundation, uploads, accounts, audit)
                decoder = Decoder(lanes, configuration.max_queue)
                classifier = Classifier(
                    backend,
                    serving,
                    decoder,
                    max_queue=configuration.max_queue,
                    cached_images=configuration.cached_answers,
                    metrics=metrics,
                )
                try:
                    if configuration.starter_models is not None:
                        await install_starters(configuration.starter_models, store, sessions)
                    if configuration.auth == "on" and configuration.admin_token is None:
                        await _print_first_token(sessions)
                    await serving.start()
                    store_watch.start()
                    if configuration.control_loops == "on":
                        await loops.start()
                    # What is there now stays: the collector need not look at it again with every few thousand requests.
                    gc.collect()
                    gc.freeze()
                    oidc = _openid_provider(configuration)
                    web_pictures = _web_pictures(configuration)
                    state = State(
                        configuration,
                        foundation.engine,
                        sessions,
                        store,
                        store_watch,
                        backend,
                        serving,
                        decoder,
                        classifier,
                        Counting(sessions),
                        uploads,
                        web_pictures,
                        accounts,
                        limits,
                        audit,
                        oidc,
                        loops.trainings,
                        loops.challenges,
                        ModelUploads(sessions, store, configuration),
                        TrainingMetrics(),
                        metrics,
                    )
                    async with _open_inference_over_grpc(state):
                        yield state
                    if oidc is not None:
                        await oidc.close()
                    if web_pictures is not None:
                        web_pictures.close()
                finally:
                    await uploads.close()
                    await store_watch.stop()
                    await loops.stop()
                    await serving.stop()
        finally:
            await asyncio.to_thread(lanes.close)


def _openid_provider(configuration: ApiConfiguration) -> OpenIdProvider | None:
    if configuration.oidc_issuer is None:
        return None
    # Imported only where it is asked for: an HTTP client and cryptography cost memory.
    from visionlab_api.accounts.oidc import OpenIdProvider

    return OpenIdProvider(configuration)


def _web_pictures(configuration: ApiConfiguration) -> WebPictures | None:
    if not configuration.fetches_pictures:
        return None
    from visionlab_api.services.public_network import PublicNetwork
    from visionlab_api.services.web_pictures import WebPictures

    network = PublicNetwork(configuration.reach())
    return WebPictures(network, max_bytes=configuration.max_image_bytes, seconds=configuration.fetch_seconds)


async def _print_first_token(sessions: async_sessionmaker[AsyncSession]) -> None:
    token = await first_admin_token(sessions)
    if token is not None:
        print(f"Admin token, shown this once: {token}\nSign in with it on the page.", flush=True)


@asynccontextmanager
async def _open_inference_over_grpc(state: State) -> AsyncIterator[None]:
    configuration = state.configuration
    if configuration.grpc_port is None:
        yield
        return
    # Imported only where it is asked for: gRPC costs memory.
    from visionlab_api.open_inference.grpc_server import OpenInferenceServer

    server = OpenInferenceServer(state, configuration.host, configuration.grpc_port)
    port = await server.start()
    log.info("Open Inference Protocol over gRPC at %s:%d", configuration.host, port)
    try:
        yield
    finally:
        await server.stop(configuration.graceful_stop_seconds)
