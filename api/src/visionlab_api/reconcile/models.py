"""Removes the files of model versions that nobody knows any more: of removed models, and of such as were never finished."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.database.tables import ModelRow
from visionlab_core.object_store import ObjectStore, StoreError

log = logging.getLogger(__name__)

SECONDS_BETWEEN_SWEEPS = 600.0
SECONDS_TO_SETTLE = 3600.0
"""Files are written before their row: those that are younger may be of a version that is just being added."""


class ModelSweep:
    """Looks every ten minutes."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], store: ObjectStore) -> None:
        self._sessions = sessions
        self._store = store
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with what a former process left."""
        self._task = asyncio.create_task(self._follow(), name="model-sweep")

    async def stop(self) -> None:
        """Sweep no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def sweep(self, *, settled: float = SECONDS_TO_SETTLE) -> int:
        """Remove the files of versions without a row of which none is younger than so many seconds; gives how many versions."""
        before = datetime.now(UTC) - timedelta(seconds=settled)
        in_store = await asyncio.to_thread(self._in_store, before)
        async with self._sessions() as session:
            known = {(uuid, version) for uuid, version in await session.execute(select(ModelRow.uuid, ModelRow.version))}
        gone = [version for version in in_store if version not in known]
        for version in gone:
            await asyncio.to_thread(self._remove, in_store[version])
        return len(gone)

    def _in_store(self, before: datetime) -> dict[tuple[UUID, int], list[str]]:
        found: defaultdict[tuple[UUID, int], list[str]] = defaultdict(list)
        young = set()
        for info in self._store.list("models/"):
            try:
                _, uuid, number, _ = info.key.split("/", 3)
                version = UUID(uuid), int(number)
            except ValueError:
                continue
            found[version].append(info.key)
            if info.modified >= before:
                young.add(version)
        return {version: keys for version, keys in found.items() if version not in young}

    def _remove(self, keys: list[str]) -> None:
        for key in keys:
            self._store.delete(key)

    async def _follow(self) -> None:
        while True:
            try:
                if removed := await self.sweep():
                    log.info("removed the files of %d model versions that nobody knows any more", removed)
            except (SQLAlchemyError, StoreError) as error:
                log.warning("models cannot be swept: %s", error)
            except Exception:  # the loop must outlive any fault of one round
                log.exception("a sweep of the models failed")
            await asyncio.sleep(SECONDS_BETWEEN_SWEEPS)
