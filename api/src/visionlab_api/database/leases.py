"""Rows that one worker at a time may work on, in whichever process.

A worker holds a row while it renews its lease. One that was killed renews no more, and after `LEASE_SECONDS` another may take the
row. Whoever works on a row writes to it only under the condition that it still holds it (`holder == ...`), so that a worker that
was stopped for long, by the system or by a debugger, cannot undo what the next has done.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, or_, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.database.clock import from_now
from visionlab_api.database.tables import ChallengeRow, DatasetRow, LeaderRow, TrainingRow, UploadRow
from visionlab_core.tasks import end

log = logging.getLogger(__name__)

LEASE_SECONDS = 5.0
_SECONDS_BETWEEN_RENEWALS = 1.0
_SECONDS_TO_GIVE_BACK = 2.0
Table = type[UploadRow] | type[DatasetRow] | type[TrainingRow] | type[ChallengeRow] | type[LeaderRow]


def is_free(table: Table) -> ColumnElement[bool]:
    """Nobody holds the row, or only somebody who renews no more. A lease of the future is none: the clock was set back."""
    lapsed, ahead = from_now(-LEASE_SECONDS), from_now(LEASE_SECONDS)
    return or_(table.holder.is_(None), table.renewed_at < lapsed, table.renewed_at > ahead)


async def take(session: AsyncSession, table: Table, *conditions: ColumnElement[bool]) -> UUID | None:
    """Take the row of these conditions, and commit. Gives the holder's name; None where the row is not free or not so."""
    holder = uuid4()
    taken = update(table).where(*conditions, is_free(table)).values(holder=holder, renewed_at=from_now()).returning(table.id)
    found = (await session.execute(taken, execution_options={"synchronize_session": False})).first()
    await session.commit()
    return None if found is None else holder


@asynccontextmanager
async def held(sessions: async_sessionmaker[AsyncSession], table: Table, holder: UUID) -> AsyncIterator[None]:
    """Renew the lease during the block, and give it back at its end."""
    renewal = asyncio.create_task(_renew(sessions, table, holder), name="lease")
    try:
        yield
    finally:
        await end(renewal)
        await give_back(sessions, table, holder)


async def _renew(sessions: async_sessionmaker[AsyncSession], table: Table, holder: UUID) -> None:
    while True:
        await asyncio.sleep(_SECONDS_BETWEEN_RENEWALS)
        try:
            await renew(sessions, table, holder)
        except SQLAlchemyError as error:
            log.warning("a lease could not be renewed: %s", error)


async def renew(sessions: async_sessionmaker[AsyncSession], table: Table, holder: UUID) -> bool:
    """Renew a lease; False where it is another's by now."""
    return await _write(sessions, table, holder, renewed_at=from_now())


async def give_back(sessions: async_sessionmaker[AsyncSession], table: Table, holder: UUID) -> None:
    """End a lease; `renewed_at` says when the row was last worked on. It lapses by itself where the database does not answer."""
    try:
        async with asyncio.timeout(_SECONDS_TO_GIVE_BACK):
            await _write(sessions, table, holder, holder=None, renewed_at=from_now())
    except (SQLAlchemyError, TimeoutError) as error:
        why = str(error) or "no answer"
        log.warning("a lease on %s could not be given back, it lapses by itself: %s", table.__tablename__, why)


async def _write(sessions: async_sessionmaker[AsyncSession], table: Table, mine: UUID, **values: Any) -> bool:
    async with sessions() as session:
        statement = update(table).where(table.holder == mine).values(**values).returning(table.id)
        found = (await session.execute(statement, execution_options={"synchronize_session": False})).first()
        await session.commit()
    return found is not None
