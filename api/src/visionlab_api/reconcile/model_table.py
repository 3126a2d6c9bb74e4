"""The models table, as the loops that serve models see it."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.database.tables import ModelRow, RemovedModelRow
from visionlab_core.model_card import ModelCard, ModelKind
from visionlab_inference.backend import ModelVersion
from visionlab_inference.releases import POOLS

log = logging.getLogger(__name__)

_CARDS_AT_ONCE = 200

KeyT = TypeVar("KeyT")


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model of the table, as the last round saw it."""

    card: ModelCard
    enabled: bool
    id: int = 0
    """Of its row: models that were added later have larger ones."""

    @property
    def version(self) -> ModelVersion:
        """What backends call it."""
        return ModelVersion(self.card.uuid, self.card.version)


class _Seen(NamedTuple):
    """Differs once a row came or went: rows never change but in their status, and each that goes leaves a row of `removed`."""

    rows: int
    newest: int | None
    removed: int | None


class ModelTable:
    """What the table had at the last look. Cards never change, so each is read once."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions
        # One look after the other: else one that began before a change could be taken over after one that saw it.
        self._turn = asyncio.Lock()
        self._models: dict[ModelVersion, KnownModel] = {}
        self._versions: dict[UUID, list[KnownModel]] = {}
        self._enabled: dict[ModelKind, list[KnownModel]] = {}
        # The cards of all rows that can be read, by row, in their order; and what they were read from.
        self._cards: dict[int, ModelCard] = {}
        self._seen: _Seen | None = None
        self._enabled_rows: frozenset[int] = frozenset()
        self._unreadable: set[ModelVersion] = set()

    def find(self, uuid: UUID, version: int) -> KnownModel | None:
        """A version of a model."""
        return self._models.get(ModelVersion(uuid, version))

    def models(self, *kinds: ModelKind) -> list[KnownModel]:
        """All models, or those of these kinds, in the order in which they were added."""
        return [each for each in self._models.values() if not kinds or each.card.kind in kinds]

    def enabled(self, *kinds: ModelKind) -> list[KnownModel]:
        """Those that are enabled, of these kinds or of all; asked with each request, and few even where there are many models."""
        return [each for kind in kinds or POOLS for each in self._enabled.get(kind, ())]

    def newest(self, uuid: UUID) -> KnownModel | None:
        """The newest version of a model: of the enabled ones where there are such."""
        return max(self._versions.get(uuid, ()), key=lambda each: (each.enabled, each.card.version), default=None)

    def wanted(self) -> list[ModelCard]:
        """The cards of the models that are to be served."""
        return [each.card for each in self.enabled()]

    async def read(self) -> None:
        """Take over what changed. It is done each second, so where nothing did, it costs next to nothing.

        Raises:
            SQLAlchemyError: the database does not answer.
        """
        async with self._turn:
            await self._read()

    async def _read(self) -> None:
        async with self._sessions() as session:
            [overview] = await session.execute(_OVERVIEW)
            seen = _Seen(*overview)
            enabled = frozenset(await session.scalars(select(ModelRow.id).where(ModelRow.status == "enabled")))
            changed = seen != self._seen
            cards = await self._read_cards(session) if changed else self._cards
        if changed or enabled != self._enabled_rows:
            self._seen, self._cards, self._enabled_rows = seen, cards, enabled
            self._take_over()

    async def _read_cards(self, session: AsyncSession) -> dict[int, ModelCard]:
        rows = (await session.execute(select(ModelRow.id, ModelRow.uuid, ModelRow.version).order_by(ModelRow.id))).all()
        # SQLite gives the number of a row that went to a new one.
        known = {row.id: self._cards[row.id] for row in rows if _is_of(self._cards.get(row.id), row.uuid, row.version)}
        unknown = [row.id for row in rows if row.id not in known]
        for begin in range(0, len(unknown), _CARDS_AT_ONCE):
            columns = (ModelRow.id, ModelRow.uuid, ModelRow.name, ModelRow.version, ModelRow.card)
            for new in await session.execute(select(*columns).where(ModelRow.id.in_(unknown[begin : begin + _CARDS_AT_ONCE]))):
                card = self._card(new.card, ModelVersion(new.uuid, new.version), new.name)
                if card is not None:
                    known[new.id] = card
        return {row.id: known[row.id] for row in rows if row.id in known}

    def _take_over(self) -> None:
        before = {each.id: each for each in self._models.values()}
        models = []
        for identity, card in self._cards.items():
            known, enabled = before.get(identity), identity in self._enabled_rows
            same = known is not None and known.card is card and known.enabled == enabled
            models.append(known if same and known is not None else KnownModel(card, enabled, identity))
        self._models = {each.version: each for each in models}
        self._versions = _grouped((each.card.uuid, each) for each in models)
        self._enabled = _grouped((each.card.kind, each) for each in models if each.enabled)

    def _card(self, card: object, model: ModelVersion, name: str) -> ModelCard | None:
        try:
            return ModelCard.model_validate(card)
        except ValidationError as error:
            if model not in self._unreadable:
                self._unreadable.add(model)
                log.error("the card of %s version %d cannot be read, the model is left out: %s", name, model.version, error)
            return None


_OVERVIEW = select(func.count(), func.max(ModelRow.id), select(func.max(RemovedModelRow.id)).scalar_subquery())


def _is_of(card: ModelCard | None, uuid: UUID, version: int) -> bool:
    return card is not None and (card.uuid, card.version) == (uuid, version)


def _grouped(models: Iterable[tuple[KeyT, KnownModel]]) -> dict[KeyT, list[KnownModel]]:
    found: defaultdict[KeyT, list[KnownModel]] = defaultdict(list)
    for key, model in models:
        found[key].append(model)
    return dict(found)
