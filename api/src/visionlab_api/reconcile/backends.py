"""The way of serving that the configuration asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from visionlab_api.configuration import ApiConfiguration
from visionlab_core.object_store import ObjectStore
from visionlab_core.telemetry import Metrics, traces_endpoint
from visionlab_inference.backend import InferenceBackend
from visionlab_inference.embedded import EmbeddedBackend
from visionlab_inference.lanes import CpuLanes
from visionlab_inference.releases import Deployer, EmbeddedDeployer
from visionlab_inference.repository import Instances, TensorRt, Variant


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
    local = LocalTritonDeployer(
        triton,
        store,
        metrics=metrics,
        threads=configuration.threads,
        response_cache_bytes=configuration.triton_response_cache_bytes,
        traces=traces_endpoint(),
    )
    try:
        yield triton, local
    finally:
        await local.close()


def served_variant(configuration: ApiConfiguration) -> Variant:
    """How models are released that have no configuration of their own."""
    precision = configuration.triton_tensorrt
    return Variant(
        instances=Instances(count=configuration.triton_instances, kind=configuration.triton_device),
        tensorrt=None if precision == "off" else TensorRt(precision=precision),
        response_cache=configuration.triton_response_cache_bytes > 0,
    )
