"""The servers of a pool that somebody else runs: found by name, asked which release they serve, and called in turn."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import grpc

from visionlab_core.telemetry import Metrics
from visionlab_inference.backend import ModelVersion
from visionlab_inference.oip.connection import ConnectionClosed, OipConnection
from visionlab_inference.releases.release import Release
from visionlab_inference.triton.backend import Place, ServedModel, TritonBackend

log = logging.getLogger(__name__)

SECONDS_TO_LINGER: Final = 5.0
"""How long a model takes calls that what arrived is without: of requests that chose it before."""

_SECONDS_TO_LEAVE: Final = 20.0
"""How long a server is kept that the name no longer leads to: it may be the only one that has a model for a moment."""

_SECONDS_TO_DRAIN: Final = 30.0
_ASK_SECONDS: Final = 2.0
_MOST_SILENCES: Final = 2
"""Questions in a row that a server may leave unanswered before its calls go elsewhere."""

_GONE = (socket.EAI_NONAME, socket.EAI_NODATA)


@dataclass(slots=True)
class _Replica:
    address: str
    connection: OipConnection
    digest: str | None = None
    silences: int = 0
    leaving_since: float | None = None

    @property
    def answers(self) -> bool:
        return self.digest is not None and self.silences < _MOST_SILENCES


@dataclass(slots=True)
class _Routed:
    release: Release
    until: float | None = None


@dataclass(slots=True)
class _Known:
    replicas: dict[str, _Replica] = field(default_factory=dict)
    routed: dict[ModelVersion, _Routed] = field(default_factory=dict)


class Replicas:
    """Has a backend call a pool's servers, whichever there are at the moment.

    gRPC could look the name up by itself, but does so only when a connection breaks: of new servers it hears too late, and it
    cannot tell those apart that serve different releases while one replaces the other.

    Args:
        backend: what calls the servers.
        pool: name of the pool.
        host: a name that resolves to each server that is ready.
        port: of the protocol over gRPC.
        metrics: told how many there are.
    """

    def __init__(self, backend: TritonBackend, pool: str, host: str, port: int, *, metrics: Metrics | None = None) -> None:
        self._backend = backend
        self._pool = pool
        self._host = host
        self._port = port
        self._metrics = metrics
        self._known = _Known()
        self._endings: set[asyncio.Task[None]] = set()

    async def look(self) -> None:
        """Find the servers that are there now, and ask each which release it serves."""
        addresses = await self._resolve()
        replicas = self._known.replicas
        now = time.monotonic()
        if addresses is not None:
            for address, replica in list(replicas.items()):
                if address not in addresses:
                    replica.leaving_since = replica.leaving_since or now
                elif replica.leaving_since is not None:
                    # It is back: another server may have its address now.
                    self._end(replicas.pop(address))
            for address in addresses - set(replicas):
                host = f"[{address}]" if ":" in address else address
                replicas[address] = _Replica(address, OipConnection(f"{host}:{self._port}"))
        await asyncio.gather(*(_ask(replica) for replica in replicas.values()))
        others = any(replica.answers and replica.leaving_since is None for replica in replicas.values())
        for address, replica in list(replicas.items()):
            if replica.leaving_since is not None:
                late = now - replica.leaving_since > _SECONDS_TO_LEAVE
                if replica.silences or (late and others):
                    self._end(replicas.pop(address))
            elif replica.silences == _MOST_SILENCES and others:
                # It hangs: the calls that it has are tried elsewhere.
                self._end(replica)
                replicas[address] = _Replica(address, OipConnection(replica.connection.address), silences=_MOST_SILENCES + 1)
        if self._metrics is not None:
            self._metrics.pool_servers.labels(self._pool).set(sum(replica.answers for replica in replicas.values()))

    def route(self, current: Release | None, others: Sequence[Release]) -> None:
        """Call servers for the models of the release that the pool has arrived at.

        Args:
            current: that release; None: none yet.
            others: releases that servers may have before or after it. Where those have one of its models too, they are called.
        """
        now = time.monotonic()
        routed = self._known.routed
        wanted = dict.fromkeys(current.versions, current) if current is not None else {}
        for model, release in wanted.items():
            routed[model] = _Routed(release)
        for model, each in list(routed.items()):
            if model not in wanted:
                each.until = each.until or now + SECONDS_TO_LINGER
                if now >= each.until:
                    del routed[model]
                    self._backend.drop(model)
        releases = {release.digest: release for release in (*others, *(each.release for each in routed.values()))}
        for model, each in routed.items():
            card = each.release.models[each.release.versions[model]].card
            places = self._places(model, releases)
            self._backend.spread(card, places, "No server of its pool answers.", lingers=each.until is not None)

    async def close(self) -> None:
        """Call no server any more, once the calls under way are answered."""
        for model in self._known.routed:
            self._backend.drop(model)
        for replica in self._known.replicas.values():
            self._end(replica)
        self._known = _Known()
        while self._endings:
            await asyncio.gather(*self._endings, return_exceptions=True)

    def _places(self, model: ModelVersion, releases: dict[str, Release]) -> list[Place]:
        staying: list[Place] = []
        leaving: list[Place] = []
        for replica in self._known.replicas.values():
            release = releases.get(replica.digest or "")
            if not replica.answers or release is None or model not in release.versions:
                continue
            name = release.versions[model]
            served = release.models[name]
            places = staying if replica.leaving_since is None else leaving
            places.append(Place(replica.connection, ServedModel(name, served.card, served.max_batch)))
        return staying or leaving

    async def _resolve(self) -> set[str] | None:
        """The addresses; None where the name service does not say."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            if error.errno in _GONE:
                return set()
            log.warning("the servers of %s cannot be looked up: %s", self._pool, error)
            return None
        return {str(address[0]) for *_, address in found}

    def _end(self, replica: _Replica) -> None:
        # Nobody chooses it any more; who has chosen it already is answered, or tries another.
        task: asyncio.Task[None] = asyncio.create_task(_close(replica), name="replica-ending")
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)


async def _ask(replica: _Replica) -> None:
    try:
        replica.digest, ready = await asyncio.gather(
            replica.connection.server_id(seconds=_ASK_SECONDS), replica.connection.server_ready(seconds=_ASK_SECONDS)
        )
        # One that ends still says who it is, but lets go of its models.
        replica.silences = 0 if ready else _MOST_SILENCES + 1
    except (grpc.aio.AioRpcError, ConnectionClosed):
        replica.silences += 1


async def _close(replica: _Replica) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS_TO_DRAIN if replica.answers else 0):
            await replica.connection.drained()
    await replica.connection.close()
