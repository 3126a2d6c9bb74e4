"""Whether the clocks can be believed by those who remove what is old: a clock that is wrong makes everything old.

The server's clock, the database's and one that counts since the machine was started, and cannot be set, are compared. After a
start the last moment that was believed, which is in the database, takes the place of the latter. What is held back is done
later: nothing is lost by waiting.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.database.clock import from_now
from visionlab_api.database.tables import LeaderRow

log = logging.getLogger(__name__)

MOST_APART = 300.0
"""Seconds that clocks may differ, or be put right by, as is usual."""
SECONDS_TO_SETTLE = 3600.0
"""After a jump: so long somebody can put a wrong clock right. Then it is taken for right, as it is where the jump made it so."""
MOST_AWAY = 7 * 86400.0
"""Seconds for which nobody may have looked at the clock: after more, it may just as well be wrong. Shorter pauses are usual, and
a server that runs for minutes a day has to come to removing something too."""
SECONDS_BETWEEN_NOTES = 60.0

_ROW = "sweeps by age"
"""Of the leaders' rows, the one whose `renewed_at` says when the clock was last believed. It is in no backup, as is right."""


def _since_boot() -> float:
    # Suspended time counts, where the system knows such a clock.
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Clocks:
    """Of this server and its database.

    Args:
        sessions: to the database.
        own: the server's clock, in seconds since 1970.
        steady: one that never jumps, in seconds.
    """

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        *,
        own: Callable[[], float] = time.time,
        steady: Callable[[], float] = _since_boot,
    ) -> None:
        self._sessions = sessions
        self._own = own
        self._steady = steady
        self._ahead: float | None = None
        self._settled_at = 0.0
        self._noted_at: float | None = None
        self._told = False

    async def agree(self) -> bool:
        """Whether what is old by the server's clock is old; logs why not, once until they agree again.

        Raises:
            SQLAlchemyError: the database does not answer.
        """
        async with self._sessions() as session:
            moment = await session.scalar(select(from_now()))
            believed = await session.scalar(select(LeaderRow.renewed_at).where(LeaderRow.name == _ROW))
        assert moment is not None
        database, own, steady = moment.timestamp(), self._own(), self._steady()
        ahead, self._ahead = self._ahead, database - steady
        if self._has_jumped(database, ahead, None if believed is None else believed.timestamp()):
            self._settled_at = steady + SECONDS_TO_SETTLE
        why = None
        if abs(own - database) > MOST_APART:
            why = f"the server's clock says {_shown(own)}, the database's {_shown(database)}. Set them right"
        elif steady < self._settled_at:
            since = "" if believed is None else f", and was last believed at {_shown(believed.timestamp())}"
            why = f"the clock has jumped to {_shown(database)}{since}. Set it right within the hour if that is wrong"
        if why is not None and not self._told:
            log.error("nothing is removed for its age, as %s", why)
        self._told = why is not None
        if why is None and (self._noted_at is None or steady - self._noted_at >= SECONDS_BETWEEN_NOTES):
            await self._note()
            self._noted_at = steady
        return why is None

    def _has_jumped(self, database: float, ahead: float | None, believed: float | None) -> bool:
        if ahead is not None:
            assert self._ahead is not None
            return abs(self._ahead - ahead) > MOST_APART
        # The first look of this process.
        return believed is not None and not -MOST_APART <= database - believed <= MOST_AWAY

    async def _note(self) -> None:
        async with self._sessions() as session:
            noted = update(LeaderRow).where(LeaderRow.name == _ROW).values(renewed_at=from_now()).returning(LeaderRow.id)
            if (await session.execute(noted, execution_options={"synchronize_session": False})).first() is None:
                session.add(LeaderRow(name=_ROW, renewed_at=from_now()))
            try:
                await session.commit()
            except IntegrityError:  # another was quicker
                await session.rollback()


def _shown(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(sep=" ", timespec="seconds")
