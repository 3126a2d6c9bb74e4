"""Which releases a pool is at, comes from and goes to. It is kept in the store, so that it outlives every process."""

from __future__ import annotations

import logging
import time
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from visionlab_core.object_store import KeyNotFound, ObjectStore
from visionlab_core.store_layout import pool_prefix, pool_state_key, pool_status_key
from visionlab_inference.releases.release import MANIFEST_FILE

log = logging.getLogger(__name__)

ABANDONED_SECONDS = 3600.0
"""Age at which files that belong to no release of a pool may go: another process may be at work on younger ones."""


class PoolState(BaseModel):
    """Digests of releases. `wanted` is what the pool is being brought to; `previous` is what a rollback goes to."""

    model_config = ConfigDict(frozen=True)

    wanted: str | None = None
    current: str | None = None
    previous: str | None = None

    def wanting(self, digest: str) -> PoolState:
        """The state once a release is wanted."""
        return self.model_copy(update={"wanted": digest})

    def arrived(self, digest: str) -> PoolState:
        """The state once a release serves."""
        previous = self.previous if self.current in (digest, None) else self.current
        return PoolState(wanted=digest, current=digest, previous=previous)


class ModelStatus(BaseModel):
    """How a model fares that is wanted and not served: on its way, or why not."""

    model_config = ConfigDict(frozen=True)

    state: Literal["loading", "failed"]
    reason: str | None = None


class PoolStatus(BaseModel):
    """What those who only call a pool's servers know of the models that are not served; keys are `<uuid>/<version>`.

    An object of its own: it is written while a release is on its way, when the pool's state has another writer.
    """

    model_config = ConfigDict(frozen=True)

    models: dict[str, ModelStatus] = {}


def read_pool(store: ObjectStore, pool: str) -> PoolState:
    """The pool's state; an empty one where none is kept. Blocks.

    Raises:
        StoreError: the store cannot be used.
    """
    try:
        return PoolState.model_validate_json(store.get(pool_state_key(pool)))
    except KeyNotFound:
        return PoolState()
    except ValidationError as error:
        # What is wanted follows from the models that are enabled; what is lost is what to roll back to.
        log.error("the state of pool %s cannot be read and is begun anew: %s", pool, error)
        return PoolState()


def write_pool(store: ObjectStore, pool: str, state: PoolState) -> None:
    """Keep the pool's state; blocks.

    Raises:
        StoreError: the store cannot be used.
    """
    store.put(pool_state_key(pool), state.model_dump_json().encode(), content_type="application/json")


def read_status(store: ObjectStore, pool: str) -> PoolStatus:
    """How the pool's deployer last said that models fare; an empty status where none is kept. Blocks.

    Raises:
        StoreError: the store cannot be used.
    """
    try:
        return PoolStatus.model_validate_json(store.get(pool_status_key(pool)))
    except (KeyNotFound, ValidationError):
        return PoolStatus()


def write_status(store: ObjectStore, pool: str, status: PoolStatus) -> None:
    """Keep the pool's status; blocks.

    Raises:
        StoreError: the store cannot be used.
    """
    store.put(pool_status_key(pool), status.model_dump_json().encode(), content_type="application/json")


def collect(
    store: ObjectStore,
    pool: str,
    state: PoolState,
    *,
    older_than: float = ABANDONED_SECONDS,
    keep: frozenset[str] = frozenset(),
) -> set[str]:
    """Delete the releases that the pool no longer points at, and what killed processes left; gives their digests. Blocks.

    Args:
        store: the store.
        pool: the pool.
        state: its state; the releases that it names stay.
        keep: digests of others that stay.
        older_than: seconds since the last file was written; younger ones stay.

    Raises:
        StoreError: the store cannot be used.
    """
    prefix = pool_prefix(pool)
    written: dict[str, float] = {}
    files: dict[str, list[str]] = {}
    for info in store.list(prefix):
        digest, slash, path = info.key.removeprefix(prefix).partition("/")
        if slash and digest not in {state.wanted, state.current, state.previous, *keep}:
            written[digest] = max(written.get(digest, 0.0), info.modified.timestamp())
            files.setdefault(digest, []).append(path)
    gone = {digest for digest, moment in written.items() if moment <= time.time() - older_than}
    for digest in gone:
        # The manifest goes first: without it the rest is no release, should this process be killed.
        for path in sorted(files[digest], key=lambda path: path != MANIFEST_FILE):
            store.delete(f"{prefix}{digest}/{path}")
    return gone
