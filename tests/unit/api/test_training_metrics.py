"""The figures of finished trainings: right, and read once."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlalchemy.orm import defer
from support.databases import database_url

from visionlab_api.database.engine import migrate, open_engine
from visionlab_api.database.tables import TrainingRow
from visionlab_api.services.training_metrics import TrainingMetrics


@pytest.fixture
async def engine(tmp_path):
    url = database_url(tmp_path)
    migrate(url)
    engine = open_engine(url)
    yield engine
    await engine.dispose()


def judged(accuracy: float) -> dict:
    figures = {"images": 10, "data_digest": "0", "source_mean": accuracy, "real_or_generated_accuracy": accuracy}
    return {"val": {"kind": "detector", "accuracy": accuracy, **figures, "classes": {}, "sources": {}, "confusion": [[10]]}}


def training(status: str, metrics: dict) -> TrainingRow:
    known = {"type": "detector", "label": "X", "model_version": 1, "architecture": "Tiny", "settings": {}, "datasets": []}
    return TrainingRow(
        **{"uuid": uuid4(), "name": uuid4().hex, "model_uuid": uuid4(), "order": {}, **known},
        status=status,
        metrics=metrics,
        end_at=datetime.now(UTC) if status == "done" else None,
    )


async def test_each_is_read_once_and_those_shown_longest_ago_make_room(engine):
    sessions, statements = async_sessionmaker(engine, expire_on_commit=False), []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *of: statements.append(of[2]))
    async with sessions() as session:
        rows = [training("done", judged(place / 10)) for place in range(3)]
        session.add_all([*rows, training("pending", {})])
        await session.commit()
    kept = TrainingMetrics(most=2)

    async def accuracies(*places: int) -> dict[int, float]:
        """What is shown of these, and of the one that waits."""
        async with sessions() as session:
            wanted = [rows[place].uuid for place in places]
            query = select(TrainingRow).where(TrainingRow.uuid.in_(wanted) | (TrainingRow.status == "pending"))
            found = list(await session.scalars(query.options(defer(TrainingRow.metrics))))
            statements.clear()
            figures = await kept.of(session, found)
        return {place: figures[rows[place].uuid]["val"].accuracy for place in places if len(figures) == len(places)}

    assert await accuracies(0, 1) == {0: 0.0, 1: 0.1}
    assert len(statements) == 1
    assert await accuracies(1, 0) == {0: 0.0, 1: 0.1}
    assert statements == []
    # A third makes room for itself; of more than there is room for, each is still told.
    assert await accuracies(2, 0) == {0: 0.0, 2: 0.2}
    assert await accuracies(0, 1, 2) == {0: 0.0, 1: 0.1, 2: 0.2}
    assert len(statements) == 1
    assert await accuracies() == {}
