"""Brings one pool to the release of the models that are wanted."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from visionlab_core.model_card import ModelCard
from visionlab_core.object_store import ObjectStore, StoreError
from visionlab_inference.backend import ModelVersion, ServingState
from visionlab_inference.releases import (
    BY_KIND,
    Deployer,
    PoolPlan,
    PoolState,
    Release,
    RolloutFailed,
    UnusableModels,
    assemble,
    collect,
    read_pool,
    write_pool,
)
from visionlab_inference.repository import USUAL, Variant

log = logging.getLogger(__name__)

LONGEST_RETRY_SECONDS = 1800.0


@dataclass(slots=True)
class _Fault:
    """Why something failed, and when it is tried again: each time later, as a try may cost a whole server's start."""

    reason: str
    pause: float
    again: float


class PoolLoop:
    """One pool. What it is at, comes from and goes to is kept in the store, and so are the releases.

    Args:
        pool: name of the pool.
        store: where models and releases are.
        deployer: what brings the pool to a release.
        variant: how models serve that do not say so themselves.
        seconds_to_retry: pause before a model that failed is tried again; it doubles each time, up to LONGEST_RETRY_SECONDS.
    """

    def __init__(self, pool: str, store: ObjectStore, deployer: Deployer, *, variant: Variant, seconds_to_retry: float) -> None:
        self._pool = pool
        self._store = store
        self._deployer = deployer
        self._variant = variant
        self._seconds_to_retry = seconds_to_retry
        self._state: PoolState | None = None
        self._served: set[ModelVersion] | None = None
        self._left_out: dict[ModelVersion, _Fault] = {}
        # Of the pool as a whole, and of what was wanted then: another wish is tried at once.
        self._fault: _Fault | None = None
        self._fault_of: set[ModelVersion] = set()

    def state(self, model: ModelVersion) -> ServingState | None:
        """How a wanted model fares that is not served: why not, or what it waits for; None: nothing is known to be wrong."""
        if model in (self._served or ()):
            return None
        fault = self._left_out.get(model) or self._fault
        if fault is not None:
            return ServingState("failed", fault.reason)
        rollout = self._deployer.observe(self._pool).get(model)
        return ServingState("loading", rollout.reason) if rollout is not None and rollout.state == "rolling out" else None

    async def bring(self, cards: Sequence[ModelCard]) -> None:
        """Serve a release of these models, but for those that cannot be served and are not to be tried again yet."""
        by_model = {ModelVersion(card.uuid, card.version): card for card in cards}
        for model in set(self._left_out) - set(by_model):
            del self._left_out[model]
        if self._fault is not None and self._fault_of == set(by_model) and self._fault.again > time.monotonic():
            return
        tried: set[ModelVersion] = set()
        while True:
            held_back = {model for model, fault in self._left_out.items() if model in tried or fault.again > time.monotonic()}
            wanted = set(by_model) - held_back
            if wanted == self._served:
                return
            again = wanted & set(self._left_out)
            try:
                await self._roll_out([by_model[model] for model in by_model if model in wanted], repair=bool(again))
            except (UnusableModels, RolloutFailed, StoreError) as error:
                reasons = {model: reason for model, reason in _reasons(error).items() if model in wanted}
                if not reasons:
                    self._fault, self._fault_of = self._later(self._fault, str(error).partition("\n")[0]), set(by_model)
                    log.error("cannot bring %s to its models: %s", self._pool, error)
                    return
                tried |= set(reasons)
                self._leave_out(reasons, by_model)
                continue
            self._served, self._fault = wanted, None
            for model in wanted:
                self._left_out.pop(model, None)
            log.info("%s serve %s", self._pool, _listed(by_model[model] for model in by_model if model in wanted))

    async def _roll_out(self, cards: Sequence[ModelCard], *, repair: bool) -> None:
        state = await asyncio.to_thread(read_pool, self._store, self._pool) if self._state is None else self._state
        release = await asyncio.to_thread(self._assemble, state, cards, repair)
        await self._deployer.apply(release)
        self._state = await asyncio.to_thread(self._arrived, state, release, await self._loading())

    def _assemble(self, state: PoolState, cards: Sequence[ModelCard], repair: bool) -> Release:
        return assemble(
            self._store,
            self._pool,
            cards,
            variant=self._variant,
            repair=repair,
            announce=lambda digest: self._write(state, state.wanting(digest)),
        )

    async def _loading(self) -> frozenset[str] | None:
        try:
            return await self._deployer.loading(self._pool)
        except (ConnectionError, RuntimeError) as error:
            log.warning("old releases of %s stay, as it cannot be told who needs them: %s", self._pool, error)
            return None

    def _arrived(self, state: PoolState, release: Release, loading: frozenset[str] | None) -> PoolState:
        arrived = state.arrived(release.digest)
        try:
            self._write(state.wanting(release.digest), arrived)
            gone = set() if loading is None else collect(self._store, self._pool, arrived, keep=loading)
        except StoreError as error:
            # The release serves all the same; the next one writes what this could not.
            log.warning("cannot note that %s arrived at %s: %s", self._pool, release.digest, error)
        else:
            if gone:
                log.info("deleted %d old releases of %s", len(gone), self._pool)
        return arrived

    def _write(self, before: PoolState, after: PoolState) -> None:
        if after != before:
            write_pool(self._store, self._pool, after)

    def _leave_out(self, reasons: Mapping[ModelVersion, str], cards: Mapping[ModelVersion, ModelCard]) -> None:
        for model, reason in reasons.items():
            self._left_out[model] = self._later(self._left_out.get(model), reason)
            log.error("cannot serve %s version %d: %s", cards[model].name, model.version, reason)

    def _later(self, before: _Fault | None, reason: str) -> _Fault:
        pause = self._seconds_to_retry if before is None else min(2 * before.pause, LONGEST_RETRY_SECONDS)
        return _Fault(reason, pause, time.monotonic() + pause)


def pool_loops(
    store: ObjectStore,
    deployer: Deployer,
    *,
    plan: PoolPlan = BY_KIND,
    variant: Variant = USUAL,
    seconds_to_retry: float = 60.0,
) -> dict[str, PoolLoop]:
    """The loops of all pools of a plan, by their names."""
    return {pool: PoolLoop(pool, store, deployer, variant=variant, seconds_to_retry=seconds_to_retry) for pool in plan.names}


def _reasons(error: UnusableModels | RolloutFailed | StoreError) -> dict[ModelVersion, str]:
    match error:
        case UnusableModels():
            return error.reasons
        case RolloutFailed():
            return error.models
    return {}


def _listed(cards: Iterable[ModelCard]) -> str:
    return ", ".join(f"{card.name} version {card.version}" for card in cards) or "nothing"
