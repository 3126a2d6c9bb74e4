"""Deleting images for good. A deleted image is not there once its row says so; then its bytes go, then its row.

So what has been acknowledged as deleted is never seen again, and bytes whose deletion was interrupted are still known.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.database.tables import ImageRow, LabelRow
from visionlab_api.services.popularity import Changes
from visionlab_core.object_store import ObjectStore, StoreError

log = logging.getLogger(__name__)

_AT_ONCE = 100


async def mark_deleted(session: AsyncSession, *which: ColumnElement[bool]) -> int:
    """Let images be there no more; gives how many there were."""
    marked = update(ImageRow).where(*which, ImageRow.deleted_at.is_(None)).values(deleted_at=datetime.now(UTC))
    columns = (ImageRow.model_uuid, ImageRow.model_version, ImageRow.likes, ImageRow.downloads)
    found = (await session.execute(marked.returning(*columns), execution_options={"synchronize_session": False})).all()
    changes = Changes()
    for model, version, likes, downloads in found:
        change = changes.of(model, version)
        change.images -= 1
        change.likes -= likes
        change.downloads -= downloads
    await changes.write(session)
    await session.commit()
    return len(found)


async def mark_old(session: AsyncSession, days: float) -> int:
    """The same for uploads that are older, and whose people did not agree to training."""
    before = datetime.now(UTC) - timedelta(days=days)
    return await mark_deleted(
        session, ImageRow.image_type == "uploaded", ImageRow.shared.is_(False), ImageRow.created_at < before
    )


async def remove_deleted(sessions: async_sessionmaker[AsyncSession], store: ObjectStore) -> None:
    """Remove the bytes and rows of deleted images. What the store does not remove now stays known, for the next time.

    Raises:
        StoreError: the store does not answer.
    """
    while True:
        async with sessions() as session:
            query = select(ImageRow.id, ImageRow.store_key).where(ImageRow.deleted_at.is_not(None)).limit(_AT_ONCE)
            rows = (await session.execute(query)).all()
        if not rows:
            return
        await asyncio.gather(*(asyncio.to_thread(store.delete, key) for _, key in rows))
        await _remove_rows(sessions, [identity for identity, _ in rows])


async def remove_soon(sessions: async_sessionmaker[AsyncSession], store: ObjectStore) -> None:
    """`remove_deleted`, where the answer does not depend on it: the sweep does what is left."""
    try:
        await remove_deleted(sessions, store)
    except (StoreError, SQLAlchemyError) as error:
        log.warning("the bytes of deleted images are not removed yet: %s", error)


async def _remove_rows(sessions: async_sessionmaker[AsyncSession], identities: Sequence[int]) -> None:
    async with sessions() as session:
        await session.execute(delete(LabelRow).where(LabelRow.image_id.in_(identities)))
        await session.execute(delete(ImageRow).where(ImageRow.id.in_(identities)))
        await session.commit()
