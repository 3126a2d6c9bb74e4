"""The way of serving that the configuration asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from visionlab_api.configuration import ApiConfiguration
from visionlab_core.object_store import ObjectStore
from visionlab_core.telemetry import Metrics
from visionlab_inference.backend import InferenceBackend
from visionlab_inference.embedded import CpuLanes, EmbeddedBackend
from visionlab_inference.releases import Deployer, EmbeddedDeployer


@asynccontextmanager
async def open_backend(
    configuration: ApiConfiguration, store: ObjectStore, metrics: Metrics, lanes: CpuLanes
) -> AsyncIterator[tuple[InferenceBackend, Deployer]]:
    """What runs models, and what brings releases to it; both end with the block, after the calls under way."""
    if configuration.serving == "embedded":
        embedded = EmbeddedBackend(lanes, metrics=metrics, max_queue=configuration.max_queue)
        deployer = EmbeddedDeployer(embedded, store)
        try:
            yield embedded, deployer
        finally:
            await deployer.close()
            await embedded.close()
        return
    # gRPC takes a quarter of a second and 20 MB, which serving in this process need not pay.
    from visionlab_inference.releases.triton import LocalTritonDeployer
    from visionlab_inference.triton.backend import TritonBackend

    triton = TritonBackend(
        lanes, metrics=metrics, max_queue=configuration.max_queue, deadline=configuration.triton_deadline_seconds
    )
    local = LocalTritonDeployer(triton, store, threads=configuration.threads)
    try:
        yield triton, local
    finally:
        await local.close()
