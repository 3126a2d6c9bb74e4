"""One process leads among those that share a database: it does what need not be done twice.

Nothing breaks where two lead for a moment, as what a leader does is level-triggered and idempotent; it only would be done twice.
SQLite, on one machine, has a locked file, which the kernel lets go with its process. Elsewhere it is a lease: a leader that
cannot renew it in time, because it hangs or the database does, stops to lead before another may begin, by a clock that never
jumps.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import time
from typing import Protocol
from uuid import UUID

from sqlalchemy import URL, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.database.leases import LEASE_SECONDS, give_back, renew, take
from visionlab_api.database.tables import LeaderRow
from visionlab_core.tasks import end

log = logging.getLogger(__name__)

SECONDS_BETWEEN_ROUNDS = 1.0
_MARGIN = 1.0
"""So long before its lease lapses a leader stops to be one."""
_NAME = "control loops"


class Leader(Protocol):
    """Whether this process leads."""

    @property
    def leads(self) -> bool:
        """It does, now."""

    async def start(self) -> None:
        """Stand for it; leads at once where nobody else does."""

    async def stop(self) -> None:
        """Step back, so that another can lead at once."""


def leader_of(url: URL, sessions: async_sessionmaker[AsyncSession]) -> Leader:
    """The leader for a database."""
    if url.get_backend_name() == "sqlite":
        return FileLeader(f"{url.database}.leader" if url.database else None)
    return LeaseLeader(sessions)


class FileLeader:
    """Leads as long as it holds the lock of a file; `path` None: always."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._file: int | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def leads(self) -> bool:
        """See `Leader`."""
        return self._path is None or self._file is not None

    async def start(self) -> None:
        """See `Leader`."""
        if self._path is not None and not self._take(self._path):
            self._task = asyncio.create_task(self._follow(self._path), name="leader")

    async def stop(self) -> None:
        """See `Leader`."""
        await end(self._task)
        if self._file is not None:
            os.close(self._file)
            self._file = None

    async def _follow(self, path: str) -> None:
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_ROUNDS)
            if self._take(path):
                return

    def _take(self, path: str) -> bool:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True


class LeaseLeader:
    """Leads as long as it renews a lease in time."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions
        self._holder: UUID | None = None
        self._until = -1.0
        self._failing = False
        self._task: asyncio.Task[None] | None = None

    @property
    def leads(self) -> bool:
        """See `Leader`."""
        return time.monotonic() < self._until

    async def start(self) -> None:
        """See `Leader`."""
        await self._round()
        self._task = asyncio.create_task(self._follow(), name="leader")

    async def stop(self) -> None:
        """See `Leader`."""
        await end(self._task)
        self._until = -1.0
        if self._holder is not None:
            await give_back(self._sessions, LeaderRow, self._holder)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_ROUNDS)
            await self._round()

    async def _round(self) -> None:
        began, led = time.monotonic(), self.leads
        try:
            if self._holder is None or not await renew(self._sessions, LeaderRow, self._holder):
                self._holder = await self._take()
        except SQLAlchemyError as error:
            if not self._failing:
                log.warning("it cannot be told who leads: %s", error)
            self._failing = True
            return
        self._failing = False
        if self._holder is not None:
            # From before it was asked for: the database's moment is later than that.
            self._until = began + LEASE_SECONDS - _MARGIN
            if not led:
                log.info("this process leads now")

    async def _take(self) -> UUID | None:
        async with self._sessions() as session:
            if await session.scalar(select(LeaderRow.id).where(LeaderRow.name == _NAME)) is None:
                session.add(LeaderRow(name=_NAME))
                try:
                    await session.commit()
                except IntegrityError:  # another was quicker
                    await session.rollback()
            return await take(session, LeaderRow, LeaderRow.name == _NAME)
