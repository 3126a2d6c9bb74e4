"""Releases served by this process."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from visionlab_core.object_store import ObjectStore
from visionlab_inference.backend import ModelVersion
from visionlab_inference.embedded import EmbeddedBackend
from visionlab_inference.embedded.session import Session
from visionlab_inference.releases.deployer import Rollout, RolloutFailed
from visionlab_inference.releases.release import Release

SECONDS_TO_LINGER = 5.0
"""How long a model that is left out takes calls: of requests that chose it and still decode their images."""


@dataclass(slots=True)
class _Pool:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    observed: dict[ModelVersion, Rollout] = field(default_factory=dict)
    # What is in memory, by the sha256 of its file: in service, or on its way out.
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
            onnx = {model.version: model.onnx.sha256 for model in release.models.values()}
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

    async def close(self) -> None:
        """See Deployer."""
        for pool in self._pools.values():
            leaving = list(pool.leaving.values())
            for task in leaving:
                task.cancel()
            await asyncio.gather(*leaving, return_exceptions=True)
            await asyncio.gather(*(self._backend.drop(model) for model in pool.loaded))
            pool.loaded, pool.observed = {}, {}

    async def _load(
        self, pool: _Pool, release: Release, fresh: Mapping[ModelVersion, str]
    ) -> tuple[dict[ModelVersion, Session], dict[ModelVersion, str]]:
        sessions = {model: pool.spare[model, digest] for model, digest in fresh.items() if (model, digest) in pool.spare}
        missing = [model for model in fresh if model not in sessions]
        names = release.versions
        results = await asyncio.gather(
            *(
                self._backend.prepare(release.models[names[model]].card, partial(self._read, release, names[model]))
                for model in missing
            ),
            return_exceptions=True,
        )
        reasons: dict[ModelVersion, str] = {}
        for model, result in zip(missing, results, strict=True):
            if isinstance(result, Session):
                sessions[model] = result
            elif isinstance(result, Exception):
                reasons[model] = str(result) or type(result).__name__
            else:
                raise result
        return sessions, reasons

    def _read(self, release: Release, name: str, file: str) -> bytes:
        return self._store.get(release.key(f"{name}/1/{file}"))

    async def _leave(self, pool: _Pool, model: ModelVersion) -> None:
        await asyncio.sleep(self._seconds_to_linger)
        # From here on the model is gone for `apply`, which would load it anew; this task can no longer be cancelled.
        del pool.leaving[model], pool.loaded[model]
        await self._backend.drop(model)
