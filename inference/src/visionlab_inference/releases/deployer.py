"""The protocol that every way of deploying releases follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from visionlab_inference.backend import ModelVersion
from visionlab_inference.releases.release import Release


@dataclass(frozen=True, slots=True)
class Rollout:
    """How a model of a pool fares. `reason` says in words why it failed, or what it waits for."""

    state: Literal["absent", "rolling out", "ready", "failed"]
    reason: str | None = None


class RolloutFailed(RuntimeError):
    """A release could not be brought into service; the pool serves what it served.

    `models` has the reason of each model that is at fault. It is empty where none is: there is no memory, no server.
    """

    def __init__(self, message: str, models: Mapping[ModelVersion, str]) -> None:
        super().__init__(message)
        self.models = dict(models)


class Deployer(Protocol):
    """Brings pools to releases. All methods are called from one event loop and never block it."""

    async def apply(self, release: Release) -> None:
        """Make the release's pool serve it, once all its models are ready; until then the pool serves what it served.

        No call that is under way fails, nor one to a model that both releases have. A model that the release leaves out takes
        calls for some seconds more: of requests that chose it while it was there. A rollback applies the previous release.

        Raises:
            RolloutFailed: the release cannot be served.
        """

    def observe(self, pool: str) -> Mapping[ModelVersion, Rollout]:
        """How the models of the pool fare that it serves, or was last asked to. A model that is not listed is absent."""

    async def loading(self, pool: str) -> frozenset[str]:
        """Digests of releases that something may still read from the store, whatever the pool is at by now.

        Raises:
            ConnectionError: it cannot be told now.
            RuntimeError: it cannot be told at all.
        """

    async def close(self) -> None:
        """Stop what this deployer has started, once the calls under way are answered."""
