"""Removes the files of model versions that nobody knows any more: of removed models, and of such as were never finished."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select, union
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.database.tables import ModelRow, TrainingRow
from visionlab_core.object_store import ObjectStore

log = logging.getLogger(__name__)

SECONDS_BETWEEN_SWEEPS = 600.0
SECONDS_TO_SETTLE = 3600.0
"""Files are written before their row: those that are younger may be of a version that is just being added."""


class ModelSweep:
    """Looks through the whole store."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], store: ObjectStore) -> None:
        self._sessions = sessions
        self._store = store

    async def sweep(self, *, settled: float = SECONDS_TO_SETTLE) -> int:
        """Remove the files of versions without a row of which none is younger than so many seconds; gives how many versions."""
        before = datetime.now(UTC) - timedelta(seconds=settled)
        in_store = await asyncio.to_thread(self._in_store, before)
        async with self._sessions() as session:
            # A training puts the files of its result, which may be old by then, and then their row, in one step with its own end.
            promised = select(TrainingRow.model_uuid, TrainingRow.model_version).where(TrainingRow.status != "done")
            rows = await session.execute(union(select(ModelRow.uuid, ModelRow.version), promised))
            known = {(uuid, version) for uuid, version in rows}
        gone = [version for version in in_store if version not in known]
        for version in gone:
            await asyncio.to_thread(self._remove, in_store[version])
        if gone:
            log.info("removed the files of %d model versions that nobody knows any more", len(gone))
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
