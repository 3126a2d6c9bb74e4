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
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, or_, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.database.tables import DatasetRow, TrainingRow, UploadRow

log = logging.getLogger(__name__)

LEASE_SECONDS = 5.0
_SECONDS_BETWEEN_RENEWALS = 1.0
Table = type[UploadRow] | type[DatasetRow] | type[TrainingRow]


def is_free(table: Table) -> ColumnElement[bool]:
    """Nobody holds the row, or only somebody who renews no more. A lease of the future is none: the clock was set back."""
    now, length = datetime.now(UTC), timedelta(seconds=LEASE_SECONDS)
    return or_(table.holder.is_(None), table.renewed_at < now - length, table.renewed_at > now + length)


async def take(session: AsyncSession, table: Table, *conditions: ColumnElement[bool]) -> UUID | None:
    """Take the row of these conditions, and commit. Gives the holder's name; None where the row is not free or not so."""
    holder = uuid4()
    taken = (
        update(table).where(*conditions, is_free(table)).values(holder=holder, renewed_at=datetime.now(UTC)).returning(table.id)
    )
    found = (await session.execute(taken)).first()
    await session.commit()
    return None if found is None else holder


@asynccontextmanager
async def held(sessions: async_sessionmaker[AsyncSession], table: Table, holder: UUID) -> AsyncIterator[None]:
    """Renew the lease during the block, and give it back at its end."""
    renewal = asyncio.create_task(_renew(sessions, table, holder), name="lease")
    try:
        yield
    finally:
        renewal.cancel()
        await asyncio.gather(renewal, return_exceptions=True)
        try:
            await _write(sessions, table, holder, None)
        except SQLAlchemyError as error:
            log.warning("a lease could not be given back, it lapses by itself: %s", error)


async def _renew(sessions: async_sessionmaker[AsyncSession], table: Table, holder: UUID) -> None:
    while True:
        await asyncio.sleep(_SECONDS_BETWEEN_RENEWALS)
        try:
            await _write(sessions, table, holder, holder)
        except SQLAlchemyError as error:
            log.warning("a lease could not be renewed: %s", error)


async def _write(sessions: async_sessionmaker[AsyncSession], table: Table, holder: UUID, following: UUID | None) -> None:
    async with sessions() as session:
        statement = update(table).where(table.holder == holder).values(holder=following, renewed_at=datetime.now(UTC))
        await session.execute(statement, execution_options={"synchronize_session": False})
        await session.commit()
