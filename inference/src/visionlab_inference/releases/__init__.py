"""Releases: what a pool of models serves, put together in the store, verified, rolled out and back.

`triton` is not imported here: a process that serves models itself need not load gRPC.
"""

from visionlab_inference.releases.assemble import assemble
from visionlab_inference.releases.deployer import Deployer, Rollout, RolloutFailed
from visionlab_inference.releases.embedded import EmbeddedDeployer
from visionlab_inference.releases.plan import BY_KIND, PoolPlan
from visionlab_inference.releases.pool import (
    ModelStatus,
    PoolState,
    PoolStatus,
    collect,
    read_pool,
    read_status,
    write_pool,
    write_status,
)
from visionlab_inference.releases.pull import pull
from visionlab_inference.releases.release import POOLS, Release, ReleaseDamaged, ReleasedModel, UnusableModels, read_release

__all__ = [
    "BY_KIND",
    "POOLS",
    "Deployer",
    "EmbeddedDeployer",
    "ModelStatus",
    "PoolPlan",
    "PoolState",
    "PoolStatus",
    "Release",
    "ReleaseDamaged",
    "ReleasedModel",
    "Rollout",
    "RolloutFailed",
    "UnusableModels",
    "assemble",
    "collect",
    "pull",
    "read_pool",
    "read_release",
    "read_status",
    "write_pool",
    "write_status",
]
