"""Removes what has been kept long enough: uploaded photos, images that were deleted, sessions, the audit log.

Level-triggered and idempotent: any replica may do it, at any time, and twice.
"""

from __future__ import annotations

import logging

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.accounts.accounts import Accounts
from visionlab_api.accounts.audit import AuditLog
from visionlab_api.services.deletion import mark_old, remove_deleted
from visionlab_core.object_store import ObjectStore

log = logging.getLogger(__name__)

SECONDS_BETWEEN_ROUNDS = 60.0


class Retention:
    """Looks at the clock."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        store: ObjectStore,
        accounts: Accounts,
        audit: AuditLog,
        *,
        upload_days: float,
    ) -> None:
        self._sessions = sessions
        self._store = store
        self._accounts = accounts
        self._audit = audit
        self._upload_days = upload_days

    async def round(self) -> None:
        """Remove what is due.

        Raises:
            SQLAlchemyError, StoreError: database or store do not answer; the next round does what is left.
        """
        await self._accounts.sweep()
        await self._audit.sweep()
        if self._upload_days:
            async with self._sessions() as session:
                removed = await mark_old(session, self._upload_days)
            if removed:
                log.info("%d uploaded images were kept for %g days, and go", removed, self._upload_days)
        await remove_deleted(self._sessions, self._store)
