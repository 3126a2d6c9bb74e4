"""Releases served by Triton servers of this machine: one for each pool, the next release in a new one beside it (blue/green)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from visionlab_core.object_store import ObjectStore, StoreError
from visionlab_core.tasks import end
from visionlab_core.telemetry import Metrics
from visionlab_inference.backend import ModelVersion, ServingState
from visionlab_inference.embedded.session import available_cpus
from visionlab_inference.oip.connection import OipConnection
from visionlab_inference.releases.deployer import Rollout, RolloutFailed
from visionlab_inference.releases.embedded import SECONDS_TO_LINGER
from visionlab_inference.releases.pull import pull
from visionlab_inference.releases.release import Release, UnusableModels
from visionlab_inference.triton.backend import HEALTH_SECONDS, ServedModel, TritonBackend
from visionlab_inference.triton.client import TritonClient
from visionlab_inference.triton.installation import TritonNotInstalled
from visionlab_inference.triton.server import HOST, LocalTriton, TritonFailed
from visionlab_inference.triton.statistics import ServerStatistics

log = logging.getLogger(__name__)

SECONDS_TO_DRAIN = 60.0
"""How long a server that is replaced may take to answer the calls that it has."""

_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_BETWEEN_HEALTH_CHECKS = 2.0
_SECONDS_OF_A_GOOD_RUN = 60.0
_LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class _Server:
    release: Release
    triton: LocalTriton
    connection: OipConnection
    models: dict[ModelVersion, ServedModel]
    statistics: ServerStatistics | None
    started: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class _Pool:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    observed: dict[ModelVersion, Rollout] = field(default_factory=dict)
    server: _Server | None = None
    restart: asyncio.Task[None] | None = None
    # Releases that are being applied: they come before a restart of what they replace.
    applying: int = 0
    ends_in_a_row: int = 0


class LocalTritonDeployer:
    """See `Deployer`. A server that ends is started again by itself, after a pause that doubles while it ends at once.

    Args:
        backend: what calls the servers. Nobody else may say where its models are.
        store: where releases are.
        home: where Triton is installed; see `find_installation`.
        metrics: told what the servers say of their work.
        threads: of each model instance; default: the CPUs of this process.
        response_cache_bytes: of each server; see `LocalTriton`.
        traces: where the servers send their spans; see `LocalTriton`.
        seconds_to_linger: how long a model that is left out takes calls.
    """

    def __init__(
        self,
        backend: TritonBackend,
        store: ObjectStore,
        *,
        home: Path | None = None,
        metrics: Metrics | None = None,
        threads: int | None = None,
        response_cache_bytes: int = 0,
        traces: str | None = None,
        seconds_to_linger: float = SECONDS_TO_LINGER,
    ) -> None:
        self._backend = backend
        self._store = store
        self._metrics = metrics
        self._open_server = partial(
            LocalTriton,
            home=home,
            threads=threads or available_cpus(),
            response_cache_bytes=response_cache_bytes,
            traces=traces,
        )
        self._seconds_to_linger = seconds_to_linger
        self._pools: defaultdict[str, _Pool] = defaultdict(_Pool)
        self._watch: asyncio.Task[None] | None = None
        self._endings: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()

    async def apply(self, release: Release) -> None:
        """See Deployer."""
        pool = self._pools[release.pool]
        pool.applying += 1
        try:
            await end(pool.restart)
            async with pool.lock:
                await self._replace(pool, release)
        finally:
            pool.applying -= 1
        if self._watch is None:
            self._watch = asyncio.create_task(self._keep_running(), name="triton-watch")

    def observe(self, pool: str) -> Mapping[ModelVersion, Rollout]:
        """See Deployer."""
        states = self._backend.models()
        return {
            model: Rollout("rolling out", states[model].reason)
            if rollout.state == "ready" and model in states and states[model].state != "ready"
            else rollout
            for model, rollout in self._pools[pool].observed.items()
        }

    async def loading(self, pool: str) -> frozenset[str]:
        """See Deployer: each server has a folder of its own."""
        return frozenset()

    def processes(self) -> dict[str, int]:
        """The process of each pool's server: the leader of the session of all that the server starts."""
        return {name: pool.server.triton.pid for name, pool in self._pools.items() if pool.server is not None}

    async def close(self) -> None:
        """See Deployer."""
        await end(self._watch)
        self._closing.set()
        for pool in self._pools.values():
            await end(pool.restart)
            async with pool.lock:
                if pool.server is not None:
                    self._finish(self._retire(pool.server, set(pool.server.models)))
                pool.server, pool.observed = None, {}
        while self._endings:
            await asyncio.gather(*self._endings, return_exceptions=True)

    async def _replace(self, pool: _Pool, release: Release) -> None:
        before = pool.server
        serving = {model: Rollout("ready") for model in (before.models if before else ())}
        pool.observed = serving | {model: Rollout("rolling out") for model in release.versions if model not in serving}
        try:
            after = await self._start(release) if release.models else None
        except RolloutFailed as failure:
            pool.observed = serving | {model: Rollout("failed", reason) for model, reason in failure.models.items()}
            raise
        if after is not None:
            self._backend.serve(after.connection, after.models)
        pool.server, pool.ends_in_a_row = after, 0
        pool.observed = {model: Rollout("ready") for model in release.versions}
        if before is not None:
            self._finish(self._retire(before, set(before.models) - set(release.versions)))

    async def _start(self, release: Release) -> _Server:
        try:
            triton = self._open_server(partial(pull, self._store, release))
            await self._enter(triton)
        except TritonFailed as failure:
            folders = release.folders
            reasons = {folders[name].version: reason for name, reason in failure.models.items() if name in folders}
            raise RolloutFailed(str(failure), reasons) from failure
        except UnusableModels as error:
            raise RolloutFailed(str(error), error.reasons) from error
        except (StoreError, OSError, TritonNotInstalled) as error:
            raise RolloutFailed(str(error), {}) from error
        models = {model.version: ServedModel(name, model.card, model.max_batch) for name, model in release.models.items()}
        statistics = None
        if self._metrics is not None:
            statistics = ServerStatistics(self._metrics, {name: model.card for name, model in release.models.items()})
        return _Server(release, triton, OipConnection(f"{HOST}:{triton.grpc_port}"), models, statistics)

    async def _enter(self, triton: LocalTriton) -> None:
        starting = asyncio.ensure_future(asyncio.to_thread(triton.__enter__))
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The thread goes on: what it starts must end too.
            self._finish(_stop_when_started(starting, triton))
            raise

    async def _retire(self, server: _Server, gone: set[ModelVersion]) -> None:
        if gone:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds_to_linger):
                    await self._closing.wait()
            self._backend.withdraw(gone, server.connection)
        try:
            async with asyncio.timeout(SECONDS_TO_DRAIN):
                await server.connection.drained()
        except TimeoutError:
            log.warning("Triton for %s has calls that do not end; it is stopped with them", server.release.pool)
        await server.connection.close()
        await _look(server)
        await asyncio.to_thread(_stop, server.triton)

    async def _keep_running(self) -> None:
        checked = time.monotonic()
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
            thorough = time.monotonic() - checked >= _SECONDS_BETWEEN_HEALTH_CHECKS
            try:
                for name, pool in self._pools.items():
                    busy = pool.applying or (pool.restart is not None and not pool.restart.done())
                    if not busy and _is_ill(pool, thorough):
                        pool.restart = asyncio.create_task(self._restart(name, pool), name=f"restart-{name}")
                if thorough:
                    await self._backend.check_health()
                    await asyncio.gather(*(_look(pool.server) for pool in self._pools.values() if pool.server is not None))
                    checked = time.monotonic()
            except Exception:  # who watches must outlive any fault of one look
                log.exception("a look after the Triton servers failed")

    async def _restart(self, name: str, pool: _Pool) -> None:
        async with pool.lock:
            ended = pool.server
            if ended is None or not _is_ill(pool, thorough=True):
                return
            log.error("Triton for %s ended, or a model of it; its log says:\n%s", name, ended.triton.log_tail())
            if not ended.triton.running:
                self._backend.mark(ended.models, ServingState("loading", "Triton ended; it is being started again."))
            if time.monotonic() - ended.started > _SECONDS_OF_A_GOOD_RUN:
                pool.ends_in_a_row = 0
            while True:
                await asyncio.sleep(_pause(pool.ends_in_a_row))
                pool.ends_in_a_row += 1
                try:
                    started = await self._start(ended.release)
                    break
                except RolloutFailed as failure:
                    log.error("Triton for %s does not start again: %s", name, failure)
                    if not ended.triton.running:
                        reason = f"Triton ended and does not start again: {str(failure).splitlines()[0]}"
                        self._backend.mark(ended.models, ServingState("loading", reason))
            self._backend.serve(started.connection, started.models)
            pool.server = started
            log.info("Triton for %s is back", name)
            self._finish(self._retire(ended, set()))

    def _finish(self, ending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(ending, name="triton-ending")
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)


def _is_ill(pool: _Pool, thorough: bool) -> bool:
    if pool.server is None:
        return False
    return not pool.server.triton.running or (thorough and pool.server.triton.lost_a_model())


async def _look(server: _Server) -> None:
    """Hand on what a server says of its work, where it answers at once."""
    if server.statistics is None:
        return
    client = TritonClient(server.triton.http_port, host=HOST, timeout=HEALTH_SECONDS)
    with suppress(OSError, ValueError):
        server.statistics.look(await asyncio.to_thread(client.statistics))


def _pause(ends_in_a_row: int) -> float:
    return 0.0 if not ends_in_a_row else min(_LONGEST_PAUSE, 0.5 * 2.0 ** (ends_in_a_row - 1))


def _stop(triton: LocalTriton) -> None:
    triton.__exit__(None, None, None)


async def _stop_when_started(starting: asyncio.Future[LocalTriton], triton: LocalTriton) -> None:
    await asyncio.wait([starting])
    if starting.exception() is None:
        await asyncio.to_thread(_stop, triton)
