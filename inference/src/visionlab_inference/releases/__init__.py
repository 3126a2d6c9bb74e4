"""Releases: what a pool of models serves, put together in the store, verified, rolled out and back.

`triton` is not imported here: a process that serves models itself need not load gRPC.
"""

from visionlab_inference.releases.assemble import assemble
from visionlab_inference.releases.deployer import Deployer, Rollout, RolloutFailed
from visionlab_inference.releases.embedded import EmbeddedDeployer
from visionlab_inference.releases.pool import PoolState, collect, read_pool, write_pool
from visionlab_inference.releases.pull import pull
from visionlab_inference.releases.release import POOLS, Release, ReleaseDamaged, ReleasedModel, UnusableModels, read_release

__all__ = [
    "POOLS",
    "Deployer",
    "EmbeddedDeployer",
    "PoolState",
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
    "write_pool",
]
