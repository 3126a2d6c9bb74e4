"""The way of serving that the configuration asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from visionlab_api.configuration import ApiConfiguration
from visionlab_api.reconcile.pool import PoolLoop, pool_loops
from visionlab_api.reconcile.serving import Pool
from visionlab_core.object_store import ObjectStore
from visionlab_core.telemetry import Metrics, traces_endpoint
from visionlab_inference.backend import InferenceBackend
from visionlab_inference.embedded import EmbeddedBackend
from visionlab_inference.lanes import CpuLanes
from visionlab_inference.releases import EmbeddedDeployer
from visionlab_inference.repository import Instances, TensorRt, Variant

if TYPE_CHECKING:
    from visionlab_inference.triton.backend import TritonBackend


@asynccontextmanager
async def open_backend(
    configuration: ApiConfiguration, store: ObjectStore, metrics: Metrics, lanes: CpuLanes
) -> AsyncIterator[tuple[InferenceBackend, Mapping[str, Pool]]]:
    """What runs models, and what brings each pool to them, or follows it; both end with the block, after the calls under way."""
    variant = served_variant(configuration)
    if configuration.serving == "embedded":
        embedded = EmbeddedBackend(lanes, metrics=metrics, max_queue=configuration.max_queue)
        deployer = EmbeddedDeployer(embedded, store)
        try:
            yield embedded, pool_loops(store, deployer, variant=variant)
        finally:
            await deployer.close()
            await embedded.close()
        return
    # gRPC takes a quarter of a second and 20 MB, which serving in this process need not pay.
    from visionlab_inference.triton.backend import TritonBackend

    triton = TritonBackend(
        lanes, metrics=metrics, max_queue=configuration.max_queue, deadline=configuration.triton_deadline_seconds
    )
    if configuration.serving == "kserve":
        async with _followed_pools(configuration, store, metrics, triton) as pools:
            yield triton, pools
        return
    from visionlab_inference.releases.triton import LocalTritonDeployer

    local = LocalTritonDeployer(
        triton,
        store,
        metrics=metrics,
        threads=configuration.threads,
        response_cache_bytes=configuration.triton_response_cache_bytes,
        traces=traces_endpoint(),
    )
    try:
        yield triton, pool_loops(store, local, variant=variant)
    finally:
        await local.close()


@asynccontextmanager
async def open_kserve_pools(
    configuration: ApiConfiguration, store: ObjectStore, metrics: Metrics
) -> AsyncIterator[Mapping[str, PoolLoop]]:
    """What deploys the pools through KServe; what it has deployed stays.

    Raises:
        UnusableTemplate: the operator's templates cannot be used.
        ApiUnreachable: there is no cluster.
    """
    # What it draws in need not be paid for where nothing is deployed.
    from visionlab_core.kubernetes.api import KubernetesApi
    from visionlab_inference.releases.kserve.deployer import KServeDeployer, KServeSettings
    from visionlab_inference.releases.kserve.manifests import read_templates

    plan = configuration.pool_plan()
    settings = KServeSettings(
        names=configuration.kubernetes_names(),
        store_url=configuration.resolved_store_url(),
        templates=read_templates(configuration.kserve_template, plan.names),
        owner=configuration.kubernetes_owner,
        rollout_seconds=configuration.kserve_rollout_seconds,
    )
    for pool in plan.names:
        for outcome in ("arrived", "failed"):
            # Told from the start: of a counter that comes up as 1, Prometheus sees no increase.
            metrics.rollouts.labels(pool, outcome)
    deployer = KServeDeployer(KubernetesApi.connect(), store, settings, metrics=metrics)
    try:
        await deployer.remove_others(plan.names)
        yield pool_loops(store, deployer, plan=plan, variant=served_variant(configuration))
    finally:
        await deployer.close()


@asynccontextmanager
async def _followed_pools(
    configuration: ApiConfiguration, store: ObjectStore, metrics: Metrics, triton: TritonBackend
) -> AsyncIterator[Mapping[str, Pool]]:
    from visionlab_api.reconcile.following import PoolFollower
    from visionlab_inference.releases.kserve.manifests import GRPC_PORT
    from visionlab_inference.triton.replicas import Replicas

    names = configuration.kubernetes_names()
    pools = configuration.pool_plan().names
    replicas = {pool: Replicas(triton, pool, names.host(pool), GRPC_PORT, metrics=metrics) for pool in pools}
    try:
        yield {pool: PoolFollower(pool, store, each) for pool, each in replicas.items()}
    finally:
        for each in replicas.values():
            await each.close()


def served_variant(configuration: ApiConfiguration) -> Variant:
    """How models are released that have no configuration of their own."""
    precision = configuration.triton_tensorrt
    return Variant(
        instances=Instances(count=configuration.triton_instances, kind=configuration.triton_device),
        tensorrt=None if precision == "off" else TensorRt(precision=precision),
        response_cache=configuration.triton_response_cache_bytes > 0,
    )
