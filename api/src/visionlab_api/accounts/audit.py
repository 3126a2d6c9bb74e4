"""The audit log: every act of an admin is a row before it is done, and gets its outcome afterwards.

So a server that is killed in between leaves a row without an outcome, and never an act without a row. Bodies are not kept, as
they may hold secrets: a route notes what is worth keeping.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.accounts.principal import Principal
from visionlab_api.database.account_tables import AuditRow
from visionlab_core.telemetry import request_id

log = logging.getLogger(__name__)

_LONGEST_TARGET = 512


class AuditLog:
    """Writes rows; nothing changes or removes one but time."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], days: float) -> None:
        self._sessions = sessions
        self._days = days

    async def begin(
        self, principal: Principal, action: str, target: str, *, status: int | None = None, detail: dict[str, Any] | None = None
    ) -> int:
        """Write down what somebody is about to do, or did where `status` is given. Gives the row's id.

        Raises:
            SQLAlchemyError: it cannot be written down, so it must not be done.
        """
        row = AuditRow(
            actor_kind=principal.kind,
            actor_id=principal.id,
            actor_name=principal.name,
            action=action,
            target=target[:_LONGEST_TARGET],
            request_id=request_id.get(),
            status=status,
            detail=detail or {},
        )
        async with self._sessions() as session:
            session.add(row)
            await session.commit()
        return row.id

    async def end(self, row: int, status: int, detail: dict[str, Any]) -> None:
        """Write down how it went."""
        try:
            async with self._sessions() as session:
                await session.execute(update(AuditRow).where(AuditRow.id == row).values(status=status, detail=detail))
                await session.commit()
        except SQLAlchemyError as error:  # the act is done, and its answer is on its way
            log.error("the outcome %d of audit row %d could not be written: %s", status, row, error)

    async def sweep(self) -> None:
        """Remove what is older than it is kept."""
        if self._days:
            async with self._sessions() as session:
                await session.execute(delete(AuditRow).where(AuditRow.at < datetime.now(UTC) - timedelta(days=self._days)))
                await session.commit()
