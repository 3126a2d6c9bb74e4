"""Makes the backend serve exactly the models whose rows say enabled.

Level-triggered: each round compares all rows with what is served, so a missed change is caught by the next.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.database.tables import ModelRow
from visionlab_core.model_card import ModelCard
from visionlab_core.object_store import ObjectStore
from visionlab_core.store_layout import model_key
from visionlab_inference.backend import ModelVersion, ServingState
from visionlab_inference.embedded import EmbeddedBackend

log = logging.getLogger(__name__)

SECONDS_BETWEEN_ROUNDS = 1.0


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
        backend: EmbeddedBackend,
        *,
        seconds_to_retry: float = 60.0,
    ) -> None:
        self._sessions = sessions
        self._store = store
        self._backend = backend
        self._seconds_to_retry = seconds_to_retry
        self._models: dict[ModelVersion, KnownModel] = {}
        self._unreadable: set[ModelVersion] = set()
        self._tried: dict[ModelVersion, float] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Do a first round, so that models answer from the start; then follow."""
        await self.round()
        self._task = asyncio.create_task(self._follow(), name="serving-loop")

    async def stop(self) -> None:
        """Follow no more; what is loaded stays."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def round(self) -> None:
        """Load what is enabled and not served, drop what is served and not enabled, try again what failed a while ago.

        Raises:
            SQLAlchemyError: the database does not answer.
        """
        async with self._sessions() as session:
            rows = (await session.scalars(select(ModelRow).order_by(ModelRow.id))).all()
        known = {}
        for row in rows:
            model = ModelVersion(row.uuid, row.version)
            before = self._models.get(model)
            card = before.card if before else self._card(row)
            if card is None:
                continue
            known[model] = KnownModel(card, row.status == "enabled")
        self._models = known
        served = self._backend.models()
        wanted = {model for model, each in known.items() if each.enabled}
        await asyncio.gather(
            *(self._load(known[model].card) for model in wanted - set(served) | self._due(served) & wanted),
            *(self._backend.drop(model) for model in set(served) - wanted),
        )

    def models(self) -> list[KnownModel]:
        """All models, in the order in which they were added."""
        return list(self._models.values())

    def newest(self, uuid: UUID) -> KnownModel | None:
        """The newest version of a model: of the enabled ones where there are such."""
        versions = [each for each in self._models.values() if each.card.uuid == uuid]
        return max(versions, key=lambda each: (each.enabled, each.card.version), default=None)

    def state(self, model: KnownModel) -> tuple[Literal["ready", "loading", "failed", "disabled"], str | None]:
        """How a model fares, and why where it failed."""
        if not model.enabled:
            return "disabled", None
        state = self._backend.models().get(model.version, ServingState("loading"))
        return state.state, state.reason

    def _card(self, row: ModelRow) -> ModelCard | None:
        model = ModelVersion(row.uuid, row.version)
        try:
            return ModelCard.model_validate(row.card)
        except ValidationError as error:
            if model not in self._unreadable:
                self._unreadable.add(model)
                log.error("the card of %s version %d cannot be read, the model is left out: %s", row.name, row.version, error)
            return None

    def _due(self, served: Mapping[ModelVersion, ServingState]) -> set[ModelVersion]:
        # The store may have been away, or the file has been mended since.
        latest = time.monotonic() - self._seconds_to_retry
        return {model for model, state in served.items() if state.state == "failed" and self._tried.get(model, 0.0) <= latest}

    async def _load(self, card: ModelCard) -> None:
        state = await self._backend.load(card, partial(self._read, card))
        self._tried[ModelVersion(card.uuid, card.version)] = time.monotonic()
        if state.state == "ready":
            log.info("serving %s version %d", card.name, card.version)
        else:
            log.error("cannot serve %s version %d: %s", card.name, card.version, state.reason)

    def _read(self, card: ModelCard, name: str) -> bytes:
        return self._store.get(model_key(card.uuid, card.version, name))

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_ROUNDS)
            try:
                await self.round()
            except SQLAlchemyError as error:
                log.warning("the models table cannot be read: %s", error)
            except Exception:  # the loop must outlive any fault of one round
                log.exception("a round of the serving loop failed")
