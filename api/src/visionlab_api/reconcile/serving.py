"""Makes each pool serve a release of exactly the models whose rows say enabled.

Level-triggered: each round compares all rows with what is served, so a missed change is caught by the next. A model that cannot
be served is left out, with the reason, and tried again later; it holds up no other.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.database.tables import ModelRow
from visionlab_api.reconcile.pool import PoolLoop
from visionlab_core.model_card import ModelCard, ModelKind
from visionlab_core.object_store import ObjectStore, StoreError
from visionlab_core.store_layout import model_key
from visionlab_inference.backend import InferenceBackend, ModelVersion
from visionlab_inference.ensemble_head import EnsembleHead, UnusableHead, read_head
from visionlab_inference.releases import POOLS, Deployer
from visionlab_inference.repository import USUAL, Variant

log = logging.getLogger(__name__)

SECONDS_BETWEEN_ROUNDS = 1.0
WEIGHTS_FILE = "weights.npz"


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model of the table, as the last round saw it."""

    card: ModelCard
    enabled: bool

    @property
    def version(self) -> ModelVersion:
        """What backends call it."""
        return ModelVersion(self.card.uuid, self.card.version)


class ServingLoop:
    """Follows the models table. Routes read what it knows, so answering needs no query for the models."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        store: ObjectStore,
        backend: InferenceBackend,
        deployer: Deployer,
        *,
        variant: Variant = USUAL,
        seconds_to_retry: float = 60.0,
    ) -> None:
        self._sessions = sessions
        self._store = store
        self._backend = backend
        self.heads: dict[ModelVersion, EnsembleHead] = {}
        """Heads of the enabled ensembles, for those whose bases answer anyway."""
        self._headless: set[ModelVersion] = set()
        self._models: dict[ModelVersion, KnownModel] = {}
        self._unreadable: set[ModelVersion] = set()
        self._pools = {
            kind: PoolLoop(pool, store, deployer, variant=variant, seconds_to_retry=seconds_to_retry)
            for kind, pool in POOLS.items()
        }
        self._rollouts: dict[ModelKind, asyncio.Task[None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Do a first round, so that models answer from the start; then follow."""
        await self.round()
        self._task = asyncio.create_task(self._follow(), name="serving-loop")

    async def stop(self) -> None:
        """Follow no more; what is served stays."""
        tasks = [task for task in (self._task, *self._rollouts.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def round(self) -> None:
        """Read the table, and bring every pool to what it says.

        Raises:
            SQLAlchemyError: the database does not answer.
        """
        await self._read()
        await asyncio.gather(*(pool.bring(self._enabled(kind)) for kind, pool in self._pools.items()))

    async def look(self) -> None:
        """Read the table now, so that what is asked next knows of a change; what is served follows."""
        await self._read()

    def find(self, uuid: UUID, version: int) -> KnownModel | None:
        """A version of a model."""
        return self._models.get(ModelVersion(uuid, version))

    def models(self) -> list[KnownModel]:
        """All models, in the order in which they were added."""
        return list(self._models.values())

    def newest(self, uuid: UUID) -> KnownModel | None:
        """The newest version of a model: of the enabled ones where there are such."""
        versions = [each for each in self._models.values() if each.card.uuid == uuid]
        return max(versions, key=lambda each: (each.enabled, each.card.version), default=None)

    def state(self, model: KnownModel) -> tuple[Literal["ready", "loading", "failed", "disabled"], str | None]:
        """How a model fares, and why where it failed or is held up."""
        if not model.enabled:
            return "disabled", None
        state = self._backend.models().get(model.version)
        if state is not None:
            return state.state, state.reason
        reason = self._pools[model.card.kind].reason(model.version)
        return ("loading", None) if reason is None else ("failed", reason)

    async def _read(self) -> None:
        async with self._sessions() as session:
            rows = (await session.scalars(select(ModelRow).order_by(ModelRow.id))).all()
        known = {}
        for row in rows:
            model = ModelVersion(row.uuid, row.version)
            before = self._models.get(model)
            card = before.card if before else self._card(row)
            if card is not None:
                known[model] = KnownModel(card, row.status == "enabled")
        self._models = known
        await self._read_heads()

    async def _read_heads(self) -> None:
        ensembles = {model: each.card for model, each in self._models.items() if each.enabled and each.card.base_versions}
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

    def _enabled(self, kind: ModelKind) -> list[ModelCard]:
        return [each.card for each in self._models.values() if each.enabled and each.card.kind == kind]

    def _card(self, row: ModelRow) -> ModelCard | None:
        model = ModelVersion(row.uuid, row.version)
        try:
            return ModelCard.model_validate(row.card)
        except ValidationError as error:
            if model not in self._unreadable:
                self._unreadable.add(model)
                log.error("the card of %s version %d cannot be read, the model is left out: %s", row.name, row.version, error)
            return None

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
            for kind, pool in self._pools.items():
                # A rollout may take longer than a round, and must hold up neither the table nor the other pool.
                if kind not in self._rollouts or self._rollouts[kind].done():
                    self._rollouts[kind] = asyncio.create_task(self._bring(pool, kind), name=f"rollout-{kind}")

    async def _bring(self, pool: PoolLoop, kind: ModelKind) -> None:
        try:
            await pool.bring(self._enabled(kind))
        except Exception:  # as above
            log.exception("a rollout of the serving loop failed")
