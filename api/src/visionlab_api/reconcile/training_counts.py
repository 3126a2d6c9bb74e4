"""How trainings fare, for those who watch."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.database.tables import TrainingRow
from visionlab_core.telemetry import Metrics

SECONDS_BETWEEN_COUNTS = 15.0
_STATUSES = ("pending", "running", "paused", "done", "failed")


class TrainingCounts:
    """Counts trainings into the metrics.

    Args:
        sessions: to the database.
        metrics: of this process.
    """

    def __init__(self, sessions: async_sessionmaker[AsyncSession], metrics: Metrics) -> None:
        self._sessions = sessions
        self._metrics = metrics

    async def count(self) -> None:
        """Count now.

        Raises:
            SQLAlchemyError: the database does not answer.
        """
        running = select(TrainingRow.begin_at, TrainingRow.progress).where(TrainingRow.status == "running")
        async with self._sessions() as session:
            counts = dict(
                (await session.execute(select(TrainingRow.status, func.count()).group_by(TrainingRow.status))).tuples().all()
            )
            heard = [_heard_at(begin, progress) for begin, progress in (await session.execute(running)).tuples()]
        for status in _STATUSES:
            self._metrics.trainings.labels(status).set(counts.get(status, 0))
        now = datetime.now(UTC)
        silent = [(now - at).total_seconds() for at in heard if at is not None]
        self._metrics.training_silent_seconds.set(max(silent, default=0.0))


def _heard_at(begin: datetime | None, progress: dict[str, object] | None) -> datetime | None:
    """When it last said something, or began where it said nothing since."""
    told = None if progress is None else datetime.fromisoformat(str(progress["time"]))
    return max((_utc(at) for at in (begin, told) if at is not None), default=None)


def _utc(at: datetime) -> datetime:
    # SQLite keeps no zone.
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
