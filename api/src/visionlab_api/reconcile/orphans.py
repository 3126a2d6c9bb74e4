"""Removes objects that no row refers to: their bytes were put, and the process was killed before their row was written.

Level-triggered: each round goes through the store and asks of every object that is old enough. Bytes come before their row, but
never long before: what is young is left alone. What has no row is asked of twice, with a pause between, and removed only then: so
a clock that jumps makes no orphan of an image whose row is just being written. Uploads and models have sweeps of their own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.database.tables import DatasetRow, ImageRow, TrainingRow
from visionlab_core.object_store import ObjectInfo, ObjectStore

log = logging.getLogger(__name__)

SECONDS_BETWEEN_STORE_SWEEPS = 6 * 3600.0
SECONDS_BETWEEN_LOOKS = 5.0
"""Between the two questions about an object: longer than it takes from an image's bytes to its row."""
SECONDS_BETWEEN_PAGES = 0.1
_ON_A_PAGE = 500
_PREFIXES = ("images/", "datasets/", "trainings/")


class OrphanSweep:
    """Goes through the store, a page at a time.

    Args:
        sessions: to the database.
        store: the store.
        hours: age of an object from which on it may be one that was forgotten.
        seconds_between_looks: see SECONDS_BETWEEN_LOOKS.
    """

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        store: ObjectStore,
        *,
        hours: float,
        seconds_between_looks: float = SECONDS_BETWEEN_LOOKS,
    ) -> None:
        self._sessions = sessions
        self._store = store
        self._age = timedelta(hours=hours)
        self._seconds_between_looks = seconds_between_looks

    async def sweep(self) -> int:
        """Go through the store once; gives how many objects were removed. Where the age is 0: none, ever.

        Raises:
            SQLAlchemyError, StoreError: database or store do not answer; the next round does what is left.
        """
        if not self._age:
            return 0
        removed = 0
        for prefix in _PREFIXES:
            listed = await asyncio.to_thread(self._store.list, prefix)
            while page := await asyncio.to_thread(self._page, listed):
                removed += await self._sweep_page(prefix, page)
                await asyncio.sleep(SECONDS_BETWEEN_PAGES)
        if removed:
            log.info("removed %d objects that nothing refers to", removed)
        return removed

    def _page(self, listed: Iterator[ObjectInfo]) -> list[ObjectInfo]:
        return list(islice(listed, _ON_A_PAGE))

    async def _sweep_page(self, prefix: str, page: Sequence[ObjectInfo]) -> int:
        before = datetime.now(UTC) - self._age
        found = {info.key: owner for info in page if info.modified < before and (owner := _owner(info.key)) is not None}
        orphans = await self._without_row(prefix, found)
        if not orphans:
            return 0
        await asyncio.sleep(self._seconds_between_looks)
        orphans = await self._without_row(prefix, orphans)
        for key in orphans:
            await asyncio.to_thread(self._store.delete, key)
        return len(orphans)

    async def _without_row(self, prefix: str, found: dict[str, UUID]) -> dict[str, UUID]:
        owners = set(found.values())
        async with self._sessions() as session:
            if prefix == "images/":
                # By id, which has an index; an object of the same id under another key is an orphan too.
                keys = set(await session.scalars(select(ImageRow.store_key).where(ImageRow.uuid.in_(owners))))
                return {key: owner for key, owner in found.items() if key not in keys}
            table = DatasetRow if prefix == "datasets/" else TrainingRow
            known = set(await session.scalars(select(table.uuid).where(table.uuid.in_(owners))))
            return {key: owner for key, owner in found.items() if owner not in known}


def _owner(key: str) -> UUID | None:
    """The image, data set or training that an object belongs to by its key; None: it is no key of ours, and left alone."""
    folder, *parts = key.split("/")
    try:
        return UUID(parts[-1].partition(".")[0] if folder == "images" else parts[0])
    except (ValueError, IndexError):
        return None
