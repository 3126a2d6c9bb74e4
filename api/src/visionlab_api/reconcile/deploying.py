"""Brings the pools to what the models table says, in whichever process leads; others follow what it arrives at."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.database.leader import Leader
from visionlab_api.reconcile.model_table import ModelTable
from visionlab_api.reconcile.pool import PoolLoop
from visionlab_core.model_card import ModelCard
from visionlab_core.object_store import ObjectStore, StoreError
from visionlab_core.tasks import end
from visionlab_inference.backend import ModelVersion
from visionlab_inference.releases import BY_KIND, ModelStatus, PoolPlan, PoolStatus, write_status

log = logging.getLogger(__name__)

SECONDS_BETWEEN_ROUNDS = 1.0
SECONDS_BETWEEN_TELLS = 30.0
"""What is known of a pool is told anew so often: a leader that hung may have told last, or somebody put back an older store."""
_SECONDS_AFTER_A_FAULT = 5.0

OpenPools = Callable[[], AbstractAsyncContextManager[Mapping[str, PoolLoop]]]
"""Opens the pools' loops with a deployer of their own; closes it with the block."""


class DeployingLoop:
    """Deploys while this process leads. Who takes over begins anew with what is in database, store and cluster.

    Args:
        sessions: of the database.
        store: where the pools' status is kept.
        leader: of the database.
        open_pools: called whenever this process begins to lead.
        plan: which pool serves which model.
    """

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        store: ObjectStore,
        leader: Leader,
        open_pools: OpenPools,
        plan: PoolPlan = BY_KIND,
    ) -> None:
        self._table = ModelTable(sessions)
        self._store = store
        self._leader = leader
        self._open_pools = open_pools
        self._plan = plan
        self._rollouts: dict[str, asyncio.Task[None]] = {}
        self._told: dict[str, tuple[PoolStatus, float]] = {}
        self._task: asyncio.Task[None] | None = None
        self._turned = time.monotonic()

    @property
    def seconds_since_a_round(self) -> float:
        """A loop that hangs does no rounds, whether it leads or not."""
        return time.monotonic() - self._turned

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._follow(), name="deploying-loop")

    async def stop(self) -> None:
        """Stop; what is deployed stays, and what is on its way is another's."""
        await end(self._task)

    async def _follow(self) -> None:
        while True:
            self._turned = time.monotonic()
            if self._leader.leads:
                try:
                    await self._lead()
                except ConnectionError as error:
                    log.warning("nothing can be deployed: %s", error)
                    await asyncio.sleep(_SECONDS_AFTER_A_FAULT)
                except Exception:  # the loop must outlive any fault of one round
                    log.exception("the deploying loop failed and begins anew")
                    await asyncio.sleep(_SECONDS_AFTER_A_FAULT)
            await asyncio.sleep(SECONDS_BETWEEN_ROUNDS)

    async def _lead(self) -> None:
        async with self._open_pools() as pools:
            self._told = {}
            try:
                while self._leader.leads:
                    self._turned = time.monotonic()
                    await self._round(pools)
                    await asyncio.sleep(SECONDS_BETWEEN_ROUNDS)
                log.warning("this process does not lead any more, and leaves the pools to another")
            finally:
                await end(*self._rollouts.values())
                self._rollouts = {}

    async def _round(self, pools: Mapping[str, PoolLoop]) -> None:
        try:
            await self._table.read()
        except SQLAlchemyError as error:
            log.warning("the models table cannot be read: %s", error)
            return
        for name, pool in pools.items():
            # A roll-out takes longer than a round, and must hold up neither the table nor the other pools.
            if name not in self._rollouts or self._rollouts[name].done():
                self._rollouts[name] = asyncio.create_task(self._bring(name, pool), name=f"rollout-{name}")
            await self._tell(name, pool)

    async def _bring(self, name: str, pool: PoolLoop) -> None:
        try:
            await pool.bring(self._wanted(name))
        except Exception:  # as above
            log.exception("a roll-out of the deploying loop failed")

    async def _tell(self, name: str, pool: PoolLoop) -> None:
        """Keep what is known of the models that are not served for those who only follow."""
        models: dict[str, ModelStatus] = {}
        for card in self._wanted(name):
            model = ModelVersion(card.uuid, card.version)
            state = pool.state(model)
            if state is not None and state.state != "ready":
                models[str(model)] = ModelStatus(state=state.state, reason=state.reason)
        status = PoolStatus(models=models)
        told, at = self._told.get(name, (None, 0.0))
        if status == told and time.monotonic() - at < SECONDS_BETWEEN_TELLS:
            return
        try:
            await asyncio.to_thread(write_status, self._store, name, status)
            self._told[name] = status, time.monotonic()
        except StoreError as error:
            log.warning("why models of %s are not served cannot be kept: %s", name, error)

    def _wanted(self, pool: str) -> list[ModelCard]:
        return self._plan.share(pool, self._table.wanted())
