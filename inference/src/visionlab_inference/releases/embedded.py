"""Releases served by this process."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from visionlab_core.object_store import ObjectStore
from visionlab_core.tasks import end
from visionlab_inference.backend import ModelVersion
from visionlab_inference.embedded import EmbeddedBackend
from visionlab_inference.embedded.session import Session
from visionlab_inference.releases.deployer import Rollout, RolloutFailed
from visionlab_inference.releases.release import Release, ReleasedModel

SECONDS_TO_LINGER = 5.0
"""How long a model that is left out takes calls: of requests that chose it and still decode their images."""


@dataclass(slots=True)
class _Pool:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    observed: dict[ModelVersion, Rollout] = field(default_factory=dict)
    # What is in memory, by its content (see `_content`): in service, or on its way out.
    loaded: dict[ModelVersion, str] = field(default_factory=dict)
    # Sessions of a release that failed for other models' sake; the next one most likely needs them.
    spare: dict[tuple[ModelVersion, str], Session] = field(default_factory=dict)
    leaving: dict[ModelVersion, asyncio.Task[None]] = field(default_factory=dict)


class EmbeddedDeployer:
    """See `Deployer`. Sessions of new models are loaded beside those that serve; a model that did not change is not loaded again.

    Args:
        backend: what serves. Nobody else may load or drop models of it.
        store: where releases are.
        seconds_to_linger: see SECONDS_TO_LINGER.
    """

    def __init__(self, backend: EmbeddedBackend, store: ObjectStore, *, seconds_to_linger: float = SECONDS_TO_LINGER) -> None:
        self._backend = backend
        self._store = store
        self._seconds_to_linger = seconds_to_linger
        self._pools: defaultdict[str, _Pool] = defaultdict(_Pool)

    async def apply(self, release: Release) -> None:
        """See Deployer."""
        pool = self._pools[release.pool]
        async with pool.lock:
            onnx = {model.version: _content(release, model) for model in release.models.values()}
            wanted = set(onnx)
            for model in wanted & set(pool.leaving):
                pool.leaving.pop(model).cancel()
            before = {model: Rollout("ready") for model in pool.loaded if model not in pool.leaving}
            fresh = {model for model in wanted if pool.loaded.get(model) != onnx[model]}
            pool.observed = before | {model: Rollout("rolling out") for model in fresh}
            sessions, reasons = await self._load(pool, release, {model: onnx[model] for model in fresh})
            if reasons:
                pool.spare = {(model, onnx[model]): session for model, session in sessions.items()}
                pool.observed = before | {model: Rollout("failed", reason) for model, reason in reasons.items()}
                raise RolloutFailed("; ".join(f"{model}: {reason}" for model, reason in reasons.items()), reasons)
            pool.spare = {}
            for model, session in sessions.items():
                self._backend.serve(session)
                pool.loaded[model] = onnx[model]
            pool.observed = {model: Rollout("ready") for model in wanted}
            for model in set(pool.loaded) - wanted - set(pool.leaving):
                pool.leaving[model] = asyncio.create_task(self._leave(pool, model), name="leaving-model")

    def observe(self, pool: str) -> Mapping[ModelVersion, Rollout]:
        """See Deployer."""
        return dict(self._pools[pool].observed)

    async def loading(self, pool: str) -> frozenset[str]:
        """See Deployer: what is in memory is read whole."""
        return frozenset()

    async def close(self) -> None:
        """See Deployer."""
        for pool in self._pools.values():
            leaving = list(pool.leaving.values())
            await end(*leaving)
            await asyncio.gather(*(self._backend.drop(model) for model in pool.loaded))
            pool.loaded, pool.observed = {}, {}

    async def _load(
        self, pool: _Pool, release: Release, fresh: Mapping[ModelVersion, str]
    ) -> tuple[dict[ModelVersion, Session], dict[ModelVersion, str]]:
        sessions = {model: pool.spare[model, digest] for model, digest in fresh.items() if (model, digest) in pool.spare}
        reasons: dict[ModelVersion, str] = {}
        missing = [name for model, name in release.versions.items() if model in fresh and model not in sessions]
        # Bases come before the ensembles of them, and ensembles before those of ensembles.
        while missing and not reasons:
            waiting = {name for name in missing if _bases(release, name) & set(missing)}
            loading = [name for name in missing if name not in waiting]
            results = await asyncio.gather(*(self._prepare(release, name, sessions) for name in loading), return_exceptions=True)
            for name, result in zip(loading, results, strict=True):
                model = release.models[name].version
                if isinstance(result, Session):
                    sessions[model] = result
                elif isinstance(result, Exception):
                    reasons[model] = str(result) or type(result).__name__
                else:
                    raise result
            missing = [name for name in missing if name in waiting]
        return sessions, reasons

    async def _prepare(self, release: Release, name: str, sessions: Mapping[ModelVersion, Session]) -> Session:
        model = release.models[name]
        read = partial(self._read, release, name)
        if model.head is None:
            return await self._backend.prepare(model.card, read)
        bases = [release.models[base].version for base in model.head.bases]
        loaded = [sessions[base] if base in sessions else self._backend.session(base) for base in bases]
        return await self._backend.prepare_ensemble(model.card, loaded, read, model.onnx)

    def _read(self, release: Release, name: str, file: str) -> bytes:
        return self._store.get(release.key(f"{name}/1/{file}"))

    async def _leave(self, pool: _Pool, model: ModelVersion) -> None:
        await asyncio.sleep(self._seconds_to_linger)
        # From here on the model is gone for `apply`, which would load it anew; this task can no longer be cancelled.
        del pool.leaving[model], pool.loaded[model]
        await self._backend.drop(model)


def _bases(release: Release, name: str) -> set[str]:
    head = release.models[name].head
    return set() if head is None else set(head.bases)


def _content(release: Release, model: ReleasedModel) -> str:
    """What a session of the model is made of: the sha256 of its file, and where that is a head, the bases' too."""
    if model.head is None:
        return model.onnx.sha256
    return " ".join((model.onnx.sha256, *(_content(release, release.models[base]) for base in model.head.bases)))
