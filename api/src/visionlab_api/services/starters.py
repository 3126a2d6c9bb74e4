"""Installing model versions from a folder: those that ship with the project, at the first start."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.database.tables import ModelRow, RemovedModelRow
from visionlab_core.model_card import ModelCard
from visionlab_core.object_store import ObjectStore
from visionlab_core.store_layout import model_key

log = logging.getLogger(__name__)


async def install_starters(folder: Path, store: ObjectStore, sessions: async_sessionmaker[AsyncSession]) -> None:
    """Put every `folder/NAME/VERSION/card.json` and its files into the store, and index the new ones.

    They are enabled where their card does not say otherwise. A version that is known already stays as it is, whatever its
    status; one that somebody removed does not come back. A newer version takes the place of an older one.
    """
    for path in await asyncio.to_thread(_cards, folder):
        try:
            card = ModelCard.model_validate_json(await asyncio.to_thread(path.read_bytes))
        except (OSError, ValidationError) as error:
            log.error("the model card %s cannot be used: %s", path, error)
            continue
        await _install(path.parent, card, store, sessions)


async def _install(folder: Path, card: ModelCard, store: ObjectStore, sessions: async_sessionmaker[AsyncSession]) -> None:
    async with sessions() as session:
        known = select(ModelRow.id).where(ModelRow.uuid == card.uuid, ModelRow.version == card.version)
        removed = select(RemovedModelRow.id).where(RemovedModelRow.uuid == card.uuid, RemovedModelRow.version == card.version)
        if (await session.scalar(known)) is not None or (await session.scalar(removed)) is not None:
            return
    await asyncio.to_thread(_copy, folder, card, store)
    async with sessions() as session:
        newer = select(ModelRow.id).where(ModelRow.uuid == card.uuid, ModelRow.version > card.version).limit(1)
        status = "enabled" if card.enabled_by_default and await session.scalar(newer) is None else "disabled"
        older = update(ModelRow).where(ModelRow.uuid == card.uuid, ModelRow.version < card.version)
        try:
            session.add(index_row(card, status=status))
            await session.execute(older.values(status="disabled"))
            await session.commit()
        except IntegrityError:
            log.warning("%s version %d is there already: of another process, or a model of that name", card.name, card.version)
        else:
            log.info("installed %s version %d", card.name, card.version)


def index_row(card: ModelCard, *, status: str) -> ModelRow:
    """The row that indexes a card."""
    return ModelRow(
        uuid=card.uuid,
        type=card.kind,
        name=card.name,
        version=card.version,
        label=card.label,
        status=status,
        ensemble=card.ensemble,
        base_models=[str(base) for base in card.base_models],
        card=card.model_dump(mode="json"),
    )


def _cards(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*/card.json"))


def _copy(folder: Path, card: ModelCard, store: ObjectStore) -> None:
    # The card comes last: a version without one is an unfinished copy, and is copied again.
    for name in [*card.files, "card.json"]:
        path = folder / name
        if not path.is_file():
            log.error("%s of %s is missing; the model cannot be served", name, card.name)
            continue
        with path.open("rb") as handle:
            store.put(model_key(card.uuid, card.version, name), handle)
