"""Files of model versions go once nobody knows the version any more, and not before."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import async_sessionmaker
from support.databases import database_url
from support.tiny_models import detector_card

from visionlab_api.database.engine import migrate, open_engine
from visionlab_api.database.tables import TrainingRow
from visionlab_api.reconcile.models import ModelSweep
from visionlab_api.services.starters import index_row
from visionlab_core.object_store import FolderObjectStore


def training(model: UUID) -> TrainingRow:
    return TrainingRow(
        type="detector", name="mine", label="Mine", status="running", model_uuid=model, model_version=1, architecture="Tiny",
        settings={}, datasets=[], order={},
    )  # fmt: skip


async def test_files_without_a_row_are_removed_when_they_have_settled(tmp_path):
    url = database_url(tmp_path)
    migrate(url)
    engine = open_engine(url)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    store = FolderObjectStore(tmp_path / "store")
    card, promised = detector_card(b"onnx"), uuid4()
    async with sessions() as session:
        session.add(index_row(card, status="disabled"))
        session.add(training(promised))
        await session.commit()
    kept = [f"models/{card.uuid}/1/{name}" for name in ("card.json", "model.onnx")]
    kept.append(f"models/{promised}/1/model.onnx")  # which a training that has ended is just registering
    kept.sort()
    gone = [f"models/{card.uuid}/2/model.onnx", f"models/{uuid4()}/1/card.json"]
    for key in (*kept, *gone, "releases/detectors/x/model.onnx"):
        store.put(key, b"x")
    sweep = ModelSweep(sessions, store)
    assert await sweep.sweep() == 0, "a version that is just being added has no row yet"
    assert await sweep.sweep(settled=-1) == 2
    assert [info.key for info in store.list("models/")] == kept
    assert store.exists("releases/detectors/x/model.onnx")
    await engine.dispose()
