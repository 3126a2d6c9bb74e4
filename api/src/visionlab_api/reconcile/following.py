"""Follows a pool that another process deploys: what it has arrived at is served by servers that this process only calls."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from visionlab_core.model_card import ModelCard
from visionlab_core.object_store import KeyNotFound, ObjectStore, StoreError
from visionlab_inference.backend import ModelVersion, ServingState
from visionlab_inference.releases import PoolState, PoolStatus, Release, ReleaseDamaged, read_pool, read_release, read_status
from visionlab_inference.triton.replicas import Replicas

log = logging.getLogger(__name__)


class PoolFollower:
    """One pool: where it is, and why models are not served, it reads in the store, where the pool's controller writes it.

    Args:
        pool: name of the pool.
        store: where the pool's state and its releases are.
        replicas: the pool's servers.
    """

    def __init__(self, pool: str, store: ObjectStore, replicas: Replicas) -> None:
        self._pool = pool
        self._store = store
        self._replicas = replicas
        self._releases: dict[str, Release] = {}
        self._state = PoolState()
        self._status = PoolStatus()
        self._away: str | None = None

    async def bring(self, cards: Sequence[ModelCard]) -> None:
        """See `Pool`: nothing is brought, only looked at. A store that is away leaves everything as it was."""
        try:
            await asyncio.to_thread(self._read)
            self._away = None
        except (StoreError, ReleaseDamaged) as error:
            if self._away is None:
                log.warning("what %s serve cannot be read, they go on as they were: %s", self._pool, error)
            self._away = str(error)
        await self._replicas.look()
        current = self._releases.get(self._state.current or "")
        self._replicas.route(current, list(self._releases.values()))

    def state(self, model: ModelVersion) -> ServingState | None:
        """See `Pool`."""
        status = self._status.models.get(str(model))
        if status is not None:
            return ServingState(status.state, status.reason)
        return None if self._away is None else ServingState("loading", self._away)

    def _read(self) -> None:
        state, status = read_pool(self._store, self._pool), read_status(self._store, self._pool)
        releases: dict[str, Release] = {}
        for digest in (state.current, state.wanted, state.previous):
            if digest is None or digest in releases:
                continue
            if digest in self._releases:
                releases[digest] = self._releases[digest]
                continue
            try:
                releases[digest] = read_release(self._store, self._pool, digest)
            except KeyNotFound:
                # One that is wanted is still being put together; the one before may be gone.
                if digest == state.current:
                    raise
        self._state, self._status, self._releases = state, status, releases
