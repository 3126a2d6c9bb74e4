"""Long lists are read by their indexes, never as a whole."""

from __future__ import annotations

import pytest
from sqlalchemy import URL, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from visionlab_api.database.engine import migrate, open_engine
from visionlab_api.database.leases import is_free
from visionlab_api.database.tables import DatasetFileRow, DatasetRow, ImageRow, TrainingRow, UploadRow
from visionlab_api.services.datasets import files_of
from visionlab_api.services.fates import Fate

DATASET = DatasetRow(id=1)
QUERIES: dict[str, tuple[Select, str]] = {
    "data sets, newest first": (
        select(DatasetRow).where(DatasetRow.type == "detector", DatasetRow.state != "deleting").order_by(DatasetRow.id.desc()),
        "ix_datasets_type_id",
    ),
    "data sets by name": (
        select(DatasetRow).where(DatasetRow.type == "detector").order_by(DatasetRow.name, DatasetRow.id),
        "ix_datasets_type_name",
    ),
    "data sets to read": (
        select(DatasetRow.uuid).where(DatasetRow.state.in_(["pending", "reading"]), is_free(DatasetRow)).order_by(DatasetRow.id),
        "ix_datasets_state",
    ),
    "files of a data set": (
        files_of(DATASET, None).where(DatasetFileRow.position > 9).order_by(DatasetFileRow.position),
        "sqlite_autoindex_dataset_files_1",
    ),
    "files of a fate": (
        files_of(DATASET, [Fate.KEPT]).where(DatasetFileRow.position > 9).order_by(DatasetFileRow.position),
        "ix_dataset_files_fate",
    ),
    "images by class": (
        select(ImageRow.class_label, func.count()).where(ImageRow.image_type == "generated").group_by(ImageRow.class_label),
        "ix_images_class",
    ),
    "trainings, newest first": (
        select(TrainingRow).where(TrainingRow.type == "detector", TrainingRow.wish != "removed").order_by(TrainingRow.id.desc()),
        "ix_trainings_type_id",
    ),
    "trainings by name": (
        select(TrainingRow).where(TrainingRow.type == "detector").order_by(TrainingRow.name, TrainingRow.id),
        "ix_trainings_type_name",
    ),
    "the queue": (
        select(TrainingRow.id).where(TrainingRow.status == "pending", TrainingRow.wish == "run").order_by(TrainingRow.id),
        "ix_trainings_status",
    ),
    "uploads of a data set": (select(UploadRow).where(UploadRow.claimed_by == DATASET.uuid), "ix_uploads_claimed_by"),
}


@pytest.mark.parametrize("name", QUERIES)
async def test_the_index_is_used(tmp_path, name):
    query, index = QUERIES[name]
    url = URL.create("sqlite+aiosqlite", database=str(tmp_path / "visionlab.db"))
    migrate(url)
    engine = open_engine(url)
    async with AsyncSession(engine) as session:
        compiled = query.compile(engine, compile_kwargs={"render_postcompile": True})
        connection = await session.connection()
        rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", tuple(compiled.params.values()))
        plan = " / ".join(row[-1] for row in rows)
    await engine.dispose()
    assert index in plan, plan
    assert "SCAN" not in plan, plan
