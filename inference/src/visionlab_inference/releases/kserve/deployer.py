"""Brings pools to releases through KServe: an InferenceService for each, whose `storageUri` is the release.

KServe makes a Deployment of it, and that rolls: the servers of the release before serve until those of the new one are ready.
Nothing here is stopped by the end of this process, and what it needs to go on is in Kubernetes and the store. So another process
takes over a roll-out by beginning it again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeVar
from uuid import uuid4

from visionlab_core.kubernetes.api import ApiRefused, ApiUnreachable, KubernetesApi
from visionlab_core.kubernetes.objects import Json, config_map_path
from visionlab_core.object_store import ObjectStore, StoreError
from visionlab_core.store_layout import release_prefix
from visionlab_core.tasks import end
from visionlab_core.telemetry import Metrics
from visionlab_inference.backend import ModelVersion
from visionlab_inference.releases.deployer import Rollout, RolloutFailed
from visionlab_inference.releases.kserve.manifests import (
    CONTAINER,
    HTTP_PORT,
    POOL_LABEL,
    Names,
    digest_of,
    event,
    inference_service,
    replicas_service,
)
from visionlab_inference.releases.kserve.standing import Standing, Trouble, standing
from visionlab_inference.releases.kserve.triton_log import failed_models, last_words
from visionlab_inference.releases.kserve.watch import Watch
from visionlab_inference.releases.pool import read_pool
from visionlab_inference.releases.release import Release, ReleaseDamaged, read_release
from visionlab_inference.triton.client import TritonClient

log = logging.getLogger(__name__)
T = TypeVar("T")

_SECONDS_BETWEEN_LOOKS: Final = 3.0
_LEAST_SECONDS_BETWEEN_LOOKS: Final = 0.3
_SECONDS_BETWEEN_REPAIRS: Final = 15.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0
_LOG_LINES: Final = 200
_ASK_SECONDS: Final = 3.0
_GONE: Final = 410
_MOST_ENDS: Final = 2
"""How often a container may end before the roll-out is given up: the first time may be a fault of the moment."""


@dataclass(frozen=True, slots=True)
class KServeSettings:
    """Where and how pools are deployed.

    Args:
        names: of the objects.
        store_url: of the store, as the servers reach it: `s3://bucket[/prefix]`.
        templates: the operator's part of each pool's InferenceService; see `read_templates`.
        owner: a ConfigMap with which the InferenceServices go, and without which none is made; None: they stay.
        rollout_seconds: how long a roll-out may take; a cluster that starts a node for it needs some minutes.
        patience_seconds: how long something may be wrong that may mend itself, such as an image that cannot be pulled.
    """

    names: Names
    store_url: str
    templates: Mapping[str, Json] = field(default_factory=dict)
    owner: str | None = None
    rollout_seconds: float = 600.0
    patience_seconds: float = 20.0


@dataclass(slots=True)
class _Pool:
    name: str
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    observed: dict[ModelVersion, Rollout] = field(default_factory=dict)
    # What its InferenceService must be; None: not known yet, or none.
    digest: str | None = None
    generation: int | None = None
    uid: str | None = None


class KServeDeployer:
    """See `Deployer`. Of the processes that share a pool one alone should deploy; two would do the same twice.

    What somebody else changes or removes is put right as soon as it is seen.

    Args:
        api: the cluster's.
        store: where releases are.
        settings: where and how.
        metrics: told of roll-outs and repairs.
    """

    def __init__(
        self, api: KubernetesApi, store: ObjectStore, settings: KServeSettings, *, metrics: Metrics | None = None
    ) -> None:
        self._api = api
        self._store = store
        self._settings = settings
        self._names = settings.names
        self._metrics = metrics
        self._pools: dict[str, _Pool] = {}
        self._changed = asyncio.Event()
        self._waiting: set[asyncio.Event] = set()
        self._watches: list[Watch] = []
        self._repairs: asyncio.Task[None] | None = None

    async def apply(self, release: Release) -> None:
        """See Deployer. An API server that is away is waited for."""
        self._start_to_watch()
        pool = self._pools.setdefault(release.pool, _Pool(release.pool))
        async with pool.lock:
            began = time.monotonic()
            try:
                await (self._roll_out(pool, release) if release.models else self._remove(pool))
            except RolloutFailed:
                self._count(pool, "failed")
                raise
            self._count(pool, "arrived")
            if self._metrics is not None:
                self._metrics.rollout_seconds.labels(pool.name).observe(time.monotonic() - began)

    def observe(self, pool: str) -> Mapping[ModelVersion, Rollout]:
        """See Deployer."""
        return dict(self._pools[pool].observed) if pool in self._pools else {}

    async def loading(self, pool: str) -> frozenset[str]:
        """See Deployer: those of the pods, and of the ReplicaSets that may make pods again."""
        labels = self._names.pod_labels(pool)
        pods, sets = await asyncio.gather(
            asyncio.to_thread(self._api.list, self._names.pods_path, labels),
            asyncio.to_thread(self._api.list, self._names.replica_sets_path, labels),
        )
        specs = [pod["spec"] for pod in pods]
        specs += [each["spec"]["template"]["spec"] for each in sets if each["spec"].get("replicas")]
        return frozenset(digest for spec in specs if (digest := digest_of(spec)) is not None)

    async def remove_others(self, pools: Collection[str]) -> None:
        """Remove the InferenceServices of pools that there are no more.

        Raises:
            ApiUnreachable: the API server cannot be asked.
            ApiRefused: it will not do it.
        """
        names = self._names
        for service in await asyncio.to_thread(self._api.list, names.services_path, names.labels):
            metadata = service["metadata"]
            if metadata["labels"].get(POOL_LABEL) not in pools:
                log.info("the InferenceService %s is of no pool any more, and is removed", metadata["name"])
                await asyncio.to_thread(self._api.delete, f"{names.services_path}/{metadata['name']}")

    async def close(self) -> None:
        """See Deployer: what was deployed stays."""
        for watch in self._watches:
            watch.stop()
        self._watches = []
        await end(self._repairs)
        self._repairs = None

    # ---- a roll-out ----

    async def _roll_out(self, pool: _Pool, release: Release) -> None:
        before = await asyncio.to_thread(self._arrived, pool.name)
        serving = {model: Rollout("ready") for model in (before.versions if before is not None else ())}
        self._say(pool, release, serving, None)
        try:
            service = await self._apply(pool, release.digest, lambda reason: self._say(pool, release, serving, reason))
            log.info("%s are brought to release %s", pool.name, release.digest[:12])
            await self._tell(
                service, "Normal", "RolloutStarted", f"To release {release.digest}: {', '.join(sorted(release.models))}."
            )
            await self._arrive(pool, release, serving)
        except RolloutFailed as failure:
            pool.observed = serving | {model: Rollout("failed", reason) for model, reason in failure.models.items()}
            await self._put_back(pool, release, before, failure)
            raise
        pool.observed = {model: Rollout("ready") for model in release.versions}
        await self._tell(service, "Normal", "RolloutArrived", f"Release {release.digest} serves.")

    async def _apply(self, pool: _Pool, digest: str, say: Callable[[str], None]) -> Json:
        try:
            service = await self._patiently(lambda: self._apply_now(pool, digest), say)
        except ApiRefused as refusal:
            raise RolloutFailed(_refused(refusal), {}) from refusal
        metadata = service["metadata"]
        pool.digest, pool.generation, pool.uid = digest, metadata["generation"], metadata["uid"]
        return service

    def _apply_now(self, pool: _Pool, digest: str) -> Json:
        manifest = inference_service(
            self._names,
            pool.name,
            digest=digest,
            storage_uri=f"{self._settings.store_url.rstrip('/')}/{release_prefix(pool.name, digest)}",
            template=self._settings.templates.get(pool.name, {}),
            owner=self._owner(),
        )
        service = self._api.apply(self._names.service_path(pool.name), manifest)
        self._api.apply(self._names.replicas_path(pool.name), replicas_service(self._names, pool.name, service))
        return service

    def _owner(self) -> Json | None:
        if self._settings.owner is None:
            return None
        path = config_map_path(self._names.namespace, self._settings.owner)
        owner = self._api.get(path)
        if owner is None:
            raise ApiRefused(_GONE, f"the ConfigMap {self._settings.owner} is not there: the installation has been removed")
        return owner

    async def _arrive(self, pool: _Pool, release: Release, serving: Mapping[ModelVersion, Rollout]) -> None:
        """Wait until all servers of the pool have all models of the release.

        Raises:
            RolloutFailed: they will not.
        """
        woken = asyncio.Event()
        self._waiting.add(woken)
        began, away = time.monotonic(), 0.0
        since: defaultdict[str, float] = defaultdict(time.monotonic)
        try:
            while True:
                asked = time.monotonic()
                stands = await self._patiently(
                    lambda: self._look(pool.name, release.digest), lambda reason: self._say(pool, release, serving, reason)
                )
                # While the API server is away nobody can know how far it is.
                away += time.monotonic() - asked
                if stands.rolled:
                    missing = await asyncio.to_thread(_not_ready, stands.pods, release)
                    if missing is None:
                        return
                    stands = Standing(False, missing)
                self._say(pool, release, serving, stands.waits_for)
                await self._judge(release, stands, since)
                if time.monotonic() - began - away > self._settings.rollout_seconds:
                    raise RolloutFailed(f"Not ready within {self._settings.rollout_seconds:g} s: {stands.waits_for}", {})
                with suppress(TimeoutError):
                    async with asyncio.timeout(_SECONDS_BETWEEN_LOOKS):
                        await woken.wait()
                woken.clear()
                await asyncio.sleep(_LEAST_SECONDS_BETWEEN_LOOKS)
        finally:
            self._waiting.discard(woken)

    def _look(self, pool: str, digest: str) -> Standing:
        service = self._api.get(self._names.service_path(pool))
        deployment = self._api.get(self._names.deployment_path(pool))
        pods = self._api.list(self._names.pods_path, self._names.pod_labels(pool))
        return standing(digest, service, deployment, pods)

    async def _judge(self, release: Release, stands: Standing, since: defaultdict[str, float]) -> None:
        """Give up where it is no use to wait.

        Raises:
            RolloutFailed: the models at fault, where Triton names them.
        """
        for trouble in stands.troubles:
            if trouble.pod is None:
                if time.monotonic() - since[trouble.reason.partition(":")[0]] >= self._settings.patience_seconds:
                    raise RolloutFailed(trouble.reason, {})
                continue
            words = await asyncio.to_thread(self._log_of, trouble)
            folders = release.folders
            failed = failed_models(words, folders) if trouble.container == CONTAINER else {}
            if failed:
                reasons = {folders[name].version: f"Triton cannot load it: {reason}" for name, reason in failed.items()}
                lines = "\n".join(f"{name}: {reason}" for name, reason in failed.items())
                raise RolloutFailed(f"Triton cannot load {lines}", reasons)
            if trouble.ended >= _MOST_ENDS:
                raise RolloutFailed(f"{trouble.reason} {last_words(words)}".strip(), {})

    def _log_of(self, trouble: Trouble) -> str:
        assert trouble.pod is not None
        assert trouble.container is not None
        try:
            return self._api.log(
                self._names.namespace, trouble.pod, trouble.container, previous=trouble.previous, lines=_LOG_LINES
            )
        except (ApiRefused, ApiUnreachable) as error:
            # It may be gone already; then the next look has another.
            log.debug("the log of %s cannot be read: %s", trouble.pod, error)
            return ""

    async def _put_back(self, pool: _Pool, release: Release, before: Release | None, failure: RolloutFailed) -> None:
        log.error("%s do not come to release %s: %s", pool.name, release.digest[:12], failure)
        with suppress(ApiRefused):
            service = await self._patiently(lambda: self._api.get(self._names.service_path(pool.name)))
            if service is not None:
                await self._tell(service, "Warning", "RolloutFailed", str(failure))
        if before is not None and before.digest != release.digest and before.models:
            # The servers of the release before never went away.
            with suppress(RolloutFailed):
                await self._apply(pool, before.digest, lambda _: None)
        elif failure.models:
            # Nothing serves, and these servers never will.
            await self._remove(pool)

    async def _remove(self, pool: _Pool) -> None:
        pool.digest = pool.generation = pool.uid = None
        try:
            # The headless Service goes with what owns it.
            await self._patiently(lambda: self._api.delete(self._names.service_path(pool.name)))
        except ApiRefused as refusal:
            raise RolloutFailed(_refused(refusal), {}) from refusal
        pool.observed = {model: rollout for model, rollout in pool.observed.items() if rollout.state == "failed"}

    def _arrived(self, pool: str) -> Release | None:
        """The release that the pool serves, and goes back to."""
        try:
            digest = read_pool(self._store, pool).current
            return None if digest is None else read_release(self._store, pool, digest)
        except (StoreError, ReleaseDamaged) as error:
            log.warning("it cannot be told what %s served before: %s", pool, error)
            return None

    def _say(self, pool: _Pool, release: Release, serving: Mapping[ModelVersion, Rollout], waits_for: str | None) -> None:
        new = {model: Rollout("rolling out", waits_for) for model in release.versions if model not in serving}
        pool.observed = dict(serving) | new

    # ---- what is there stays what it is ----

    def _start_to_watch(self) -> None:
        if self._repairs is not None:
            return
        loop = asyncio.get_running_loop()

        def changed() -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._wake)

        for path in (self._names.services_path, self._names.pods_path):
            watch = Watch(self._api, path, self._names.labels, changed)
            watch.start()
            self._watches.append(watch)
        self._repairs = asyncio.create_task(self._keep_right(), name="kserve-repairs")

    def _wake(self) -> None:
        self._changed.set()
        for each in self._waiting:
            each.set()

    async def _keep_right(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_SECONDS_BETWEEN_REPAIRS):
                    await self._changed.wait()
            self._changed.clear()
            for pool in list(self._pools.values()):
                if pool.lock.locked() or pool.digest is None:
                    continue
                try:
                    async with pool.lock:
                        await self._repair(pool)
                except (ApiUnreachable, ApiRefused) as error:
                    log.warning("the InferenceService of %s cannot be looked after: %s", pool.name, error)
                except Exception:  # who watches must outlive any fault of one look
                    log.exception("a look after the InferenceService of %s failed", pool.name)
            # A roll-out of somebody's makes many changes.
            await asyncio.sleep(1.0)

    async def _repair(self, pool: _Pool) -> None:
        digest = pool.digest
        assert digest is not None
        service = await asyncio.to_thread(self._apply_now, pool, digest)
        metadata = service["metadata"]
        if (metadata["uid"], metadata["generation"]) == (pool.uid, pool.generation):
            return
        what = "removed" if metadata["uid"] != pool.uid else "changed"
        pool.uid, pool.generation = metadata["uid"], metadata["generation"]
        log.warning("the InferenceService of %s was %s by somebody else, and is put right", pool.name, what)
        if self._metrics is not None:
            self._metrics.repairs.labels(pool.name).inc()
        await self._tell(service, "Warning", "Repaired", f"It was {what} by somebody else, and is put right.")

    # ---- the API ----

    async def _patiently(self, call: Callable[[], T], say: Callable[[str], None] | None = None) -> T:
        pause = _FIRST_PAUSE
        while True:
            try:
                return await asyncio.to_thread(call)
            except ApiUnreachable as error:
                if pause == _FIRST_PAUSE:
                    log.warning("waiting for the Kubernetes API: %s", error)
                if say is not None:
                    say(f"Waiting for the Kubernetes API: {error}")
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _tell(self, service: Json, kind: str, reason: str, message: str) -> None:
        told = event(
            self._names,
            service,
            name=f"{service['metadata']['name']}.{uuid4().hex[:12]}",
            kind=kind,
            reason=reason,
            message=message,
            now=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        try:
            await asyncio.to_thread(self._api.create, self._names.events_path, told)
        except (ApiUnreachable, ApiRefused) as error:
            # Events are for those who look by chance; what counts is in the pool's state.
            log.info("the event %s could not be written: %s", reason, error)

    def _count(self, pool: _Pool, outcome: str) -> None:
        if self._metrics is not None:
            self._metrics.rollouts.labels(pool.name, outcome).inc()


def _refused(refusal: ApiRefused) -> str:
    if refusal.status == 404:
        return f"This cluster knows no InferenceServices: install KServe. ({refusal})"
    if refusal.status == 403:
        return f"The controller may not do this here: check its Role. ({refusal})"
    return f"Kubernetes refuses the InferenceService: {refusal}"


def _not_ready(pods: Iterable[Json], release: Release) -> str | None:
    """What is missing on the servers themselves, whatever Kubernetes says; None: nothing. Blocks."""
    for pod in pods:
        address = pod.get("status", {}).get("podIP")
        client = TritonClient(HTTP_PORT, host=address, timeout=_ASK_SECONDS)
        try:
            serves = client.server_id()
            missing = [name for name in release.folders if not client.model_ready(name)]
        except (OSError, ValueError) as error:
            return f"The server of {pod['metadata']['name']} does not answer: {error}"
        if serves != release.digest:
            return f"The server of {pod['metadata']['name']} does not say that it serves this release."
        if missing:
            return f"The server of {pod['metadata']['name']} is without {', '.join(sorted(missing))}."
    return None
