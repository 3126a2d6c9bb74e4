"""How trainings fare is counted for those who watch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import async_sessionmaker
from support.databases import database_url

from visionlab_api.database.engine import migrate, open_engine
from visionlab_api.database.tables import TrainingRow
from visionlab_api.reconcile.training_counts import TrainingCounts
from visionlab_core.telemetry import Metrics


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def training(status: str, *, begin: float | None = None, told: float | None = None) -> TrainingRow:
    return TrainingRow(
        type="detector",
        name=f"of-{uuid4().hex}",
        label="Mine",
        status=status,
        reason="It diverged." if status == "failed" else None,
        end_at=ago(1) if status in ("failed", "done") else None,
        begin_at=None if begin is None else ago(begin),
        progress=None if told is None else {"phase": "training", "step": 3, "time": ago(told).isoformat()},
        model_uuid=uuid4(),
        model_version=1,
        architecture="Tiny",
        settings={},
        datasets=[],
        order={},
    )


async def test_each_status_is_counted_and_the_quietest_found(tmp_path):
    url = database_url(tmp_path)
    migrate(url)
    engine = open_engine(url)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    metrics = Metrics()
    counts = TrainingCounts(sessions, metrics)

    def told(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(name, labels)

    await counts.count()
    assert told("visionlab_trainings", status="running") == 0
    assert told("visionlab_training_silent_seconds") == 0
    async with sessions() as session:
        session.add_all([training("pending"), training("pending"), training("failed", begin=9000, told=9000)])
        session.add_all([training("running", begin=500, told=20), training("running", begin=300), training("running")])
        await session.commit()
    await counts.count()
    found = {status: told("visionlab_trainings", status=status) for status in ("pending", "running", "paused", "done", "failed")}
    assert found == {"pending": 2, "running": 3, "paused": 0, "done": 0, "failed": 1}
    assert told("visionlab_training_silent_seconds") == pytest.approx(300, abs=60)
    async with sessions() as session:
        await session.execute(delete(TrainingRow))
        await session.commit()
    await counts.count()
    assert told("visionlab_trainings", status="failed") == told("visionlab_training_silent_seconds") == 0
    await engine.dispose()
