"""Makes each pool serve a release of exactly the models whose rows say enabled.

Level-triggered: each round compares all rows with what is served, so a missed change is caught by the next. A model that cannot
be served is left out, with the reason, and tried again later; it holds up no other.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Literal, Protocol
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.reconcile.model_table import KnownModel, ModelTable
from visionlab_core.model_card import ModelCard, ModelKind
from visionlab_core.object_store import ObjectStore, StoreError
from visionlab_core.store_layout import model_key
from visionlab_core.tasks import end
from visionlab_inference.backend import InferenceBackend, ModelVersion, ServingState
from visionlab_inference.ensemble_head import EnsembleHead, UnusableHead, read_head
from visionlab_inference.releases import BY_KIND, PoolPlan

log = logging.getLogger(__name__)

SECONDS_BETWEEN_ROUNDS = 1.0
SECONDS_TO_CATCH_UP = 2.0
_SECONDS_BETWEEN_LOOKS = 0.2
WEIGHTS_FILE = "weights.npz"


class Pool(Protocol):
    """One pool, as the serving loop sees it."""

    async def bring(self, cards: Sequence[ModelCard]) -> None:
        """Do what this process can for a pool that shall serve exactly these models. What fails is tried again later."""

    def state(self, model: ModelVersion) -> ServingState | None:
        """How a wanted model fares that the backend does not have; None: nothing is known to be wrong."""


class ServingLoop:
    """Follows the models table. Routes read what it knows, so answering needs no query for the models."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        store: ObjectStore,
        backend: InferenceBackend,
        pools: Mapping[str, Pool],
        plan: PoolPlan = BY_KIND,
    ) -> None:
        self._table = ModelTable(sessions)
        self._store = store
        self._backend = backend
        self.heads: dict[ModelVersion, EnsembleHead] = {}
        """Heads of the enabled ensembles, for those whose bases answer anyway."""
        self._headless: set[ModelVersion] = set()
        self._pools = pools
        self._plan = plan
        self._rollouts: dict[str, asyncio.Task[None]] = {}
        self._task: asyncio.Task[None] | None = None
        self._read_at = time.monotonic()
        self._catching_up = asyncio.Lock()
        self._caught_up_at = -math.inf

    @property
    def seconds_since_read(self) -> float:
        """Since the database last said what the models are."""
        return time.monotonic() - self._read_at

    async def start(self) -> None:
        """Do a first round, so that models answer from the start; then follow."""
        await self.round()
        self._task = asyncio.create_task(self._follow(), name="serving-loop")

    async def stop(self) -> None:
        """Follow no more; what is served stays."""
        await end(self._task, *self._rollouts.values())

    async def round(self) -> None:
        """Read the table, and bring every pool to what it says.

        Raises:
            SQLAlchemyError: the database does not answer.
        """
        await self._read()
        await asyncio.gather(*(pool.bring(self._wanted(name)) for name, pool in self._pools.items()))

    async def look(self) -> None:
        """Read the table now, so that what is asked next knows of a change; what is served follows."""
        await self._read()

    async def catch_up(self) -> None:
        """Do a round now, after which this process knows of models what another one has said before.

        What it knew may be a round old. Takes `SECONDS_TO_CATCH_UP` at most: where that does not suffice, or the database is
        away, what is known stays. Callers at the same time share a round.
        """
        asked_at = time.monotonic()
        with suppress(OSError, SQLAlchemyError):
            async with asyncio.timeout(SECONDS_TO_CATCH_UP), self._catching_up:
                if self._caught_up_at >= asked_at:
                    return
                # Who asks for what is not there, over and over, must not keep the database and the store busy.
                await asyncio.sleep(self._caught_up_at + _SECONDS_BETWEEN_LOOKS - time.monotonic())
                began_at = time.monotonic()
                await self._read()
                # Those under way may have looked before; they are not broken off where they take long.
                await self._arrival()
                self._bring_all()
                await self._arrival()
                self._caught_up_at = began_at

    def find(self, uuid: UUID, version: int) -> KnownModel | None:
        """See `ModelTable`."""
        return self._table.find(uuid, version)

    def models(self, *kinds: ModelKind) -> list[KnownModel]:
        """See `ModelTable`."""
        return self._table.models(*kinds)

    def enabled(self, *kinds: ModelKind) -> list[KnownModel]:
        """See `ModelTable`."""
        return self._table.enabled(*kinds)

    def newest(self, uuid: UUID) -> KnownModel | None:
        """See `ModelTable`."""
        return self._table.newest(uuid)

    def state(self, model: KnownModel) -> tuple[Literal["ready", "loading", "failed", "disabled"], str | None]:
        """How a model fares, and why where it failed or is held up."""
        if not model.enabled:
            return "disabled", None
        state = self._backend.models().get(model.version) or self._pools[self._plan.pool(model.card)].state(model.version)
        return ("loading", None) if state is None else (state.state, state.reason)

    async def _read(self) -> None:
        await self._table.read()
        self._read_at = time.monotonic()
        await self._read_heads()

    async def _read_heads(self) -> None:
        ensembles = {each.version: each.card for each in self.enabled() if each.card.base_versions}
        for model in set(self.heads) - set(ensembles):
            del self.heads[model]
        for model in set(ensembles) - set(self.heads) - self._headless:
            try:
                self.heads[model] = await asyncio.to_thread(self._head, ensembles[model])
            except (StoreError, UnusableHead) as error:
                self._headless.add(model)
                log.warning("%s runs whole, even where its bases answer: %s", ensembles[model].name, error)

    def _head(self, card: ModelCard) -> EnsembleHead:
        return read_head(card, self._store.get(model_key(card.uuid, card.version, WEIGHTS_FILE)))

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_ROUNDS)
            try:
                await self._read()
            except SQLAlchemyError as error:
                log.warning("the models table cannot be read: %s", error)
                continue
            except Exception:  # the loop must outlive any fault of one round
                log.exception("a round of the serving loop failed")
                continue
            self._bring_all()

    def _bring_all(self) -> None:
        for name, pool in self._pools.items():
            # A rollout may take longer than a round, and must hold up neither the table nor the other pools.
            if name not in self._rollouts or self._rollouts[name].done():
                self._rollouts[name] = asyncio.create_task(self._bring(name, pool), name=f"rollout-{name}")

    async def _arrival(self) -> None:
        if self._rollouts:
            await asyncio.wait(self._rollouts.values())

    async def _bring(self, name: str, pool: Pool) -> None:
        try:
            await pool.bring(self._wanted(name))
        except Exception:  # as above
            log.exception("a rollout of the serving loop failed")

    def _wanted(self, pool: str) -> list[ModelCard]:
        return self._plan.share(pool, self._table.wanted())
