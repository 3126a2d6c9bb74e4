"""What is decided between a look at a table and the step that follows stays as it was decided, whether a loop takes the step or a
request."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select, update
from support.tiny_models import DETECTOR, detector_card, detector_onnx

from visionlab_api.accounts.audit import AuditLog
from visionlab_api.configuration import ApiConfiguration
from visionlab_api.database.leader import FileLeader
from visionlab_api.database.tables import ChallengeRow, DatasetFileRow, DatasetRow, ModelRow, TrainingRow
from visionlab_api.problems import ProblemError
from visionlab_api.reconcile.challenges import ChallengeLoop
from visionlab_api.reconcile.datasets import DatasetLoop
from visionlab_api.reconcile.model_table import ModelTable
from visionlab_api.reconcile.trainings import TrainingLoop
from visionlab_api.schemas import TrainingRequest
from visionlab_api.services import datasets, models, trainings
from visionlab_api.services.starters import index_row
from visionlab_core.model_card import FileDigest
from visionlab_core.object_store import FolderObjectStore, StoreUnavailable
from visionlab_core.store_layout import model_key
from visionlab_training.runners.contract import Observation


class Runner:
    """One for which there is nothing to do."""

    def __init__(self) -> None:
        self.observed: list[UUID] = []

    def observe(self, training: UUID) -> Observation:
        self.observed.append(training)
        return Observation("absent")

    def place(self) -> str:
        return "here"

    def trainings(self) -> list:
        return []

    def why_unavailable(self) -> None:
        return None


async def seen_after_a_round(sessions, loop, monkeypatch, row, **decided):
    """The row once the loop has gone round, where another writes these values as the loop comes to it."""
    table = type(row)
    async with sessions() as session:
        session.add(row)
        await session.commit()
    came = []
    bring = loop._bring

    async def decided_first(uuid):
        async with sessions() as session:
            await session.execute(update(table).where(table.uuid == uuid).values(**decided))
            await session.commit()
        came.append(uuid)
        await bring(uuid)

    monkeypatch.setattr(loop, "_bring", decided_first)
    await loop.round()
    assert came == [row.uuid]
    async with sessions() as session:
        return await session.scalar(select(table).where(table.uuid == row.uuid))


def challenge(**values) -> ChallengeRow:
    known = {"model_uuid": uuid4(), "model_name": "duel", "champion_version": 1, "challenger_version": 2, "rule": {}}
    return ChallengeRow(**{"uuid": uuid4(), **known, "made_by": "demand", "new_labels": 9, **values})


def training(**values) -> TrainingRow:
    known = {"name": "faces", "label": "Faces", "type": "detector", "model_uuid": uuid4(), "model_version": 1}
    return TrainingRow(
        **{
            "uuid": uuid4(),
            **known,
            "architecture": "Linear",
            "settings": {},
            "datasets": [],
            "order": {},
            "place": "here",
            **values,
        }
    )


def dataset(**values) -> DatasetRow:
    known = {"type": "detector", "name": "faces", "label": "Faces", "origin": "uploaded", "status": "enabled", "uploads": []}
    return DatasetRow(**{"uuid": uuid4(), **known, **values})


@pytest.mark.parametrize("state", ["switched", "rejected", "cancelled"])
async def test_a_challenge(sessions, tmp_path, monkeypatch, state):
    loop = ChallengeLoop(sessions, FolderObjectStore(tmp_path / "store"), AuditLog(sessions, 0), FileLeader(None))
    row = challenge(state="proposed")
    found = await seen_after_a_round(sessions, loop, monkeypatch, row, state=state, ended_at=datetime.now(UTC))
    assert (found.state, found.reason, found.holder) == (state, None, None)


async def test_a_training_that_another_process_has_ended(sessions, tmp_path, monkeypatch):
    runner = Runner()
    loop = TrainingLoop(sessions, FolderObjectStore(tmp_path / "store"), runner, at_once=1)
    row = training(status="running")
    found = await seen_after_a_round(sessions, loop, monkeypatch, row, status="done", end_at=datetime.now(UTC), place=None)
    assert (found.status, found.reason, found.holder, found.attempts) == ("done", None, None, 0)
    assert runner.observed == []


async def test_a_challenge_whose_failed_training_is_tried_again(sessions, tmp_path, monkeypatch):
    loop = ChallengeLoop(sessions, FolderObjectStore(tmp_path / "store"), AuditLog(sessions, 0), FileLeader(None))
    failed = training(status="failed", reason="It broke.", end_at=datetime.now(UTC))
    row = challenge(state="training", training=failed.uuid)
    async with sessions() as session:
        session.add_all([failed, row])
        await session.commit()
    fail = loop._fail_with_training

    async def tried_again_first(*arguments):
        async with sessions() as session:
            await trainings.retry(session, failed.uuid)
        await fail(*arguments)

    monkeypatch.setattr(loop, "_fail_with_training", tried_again_first)
    await loop.round()
    async with sessions() as session:
        assert await session.scalar(select(ChallengeRow.state)) == "training"
        assert (await session.execute(select(TrainingRow.status, TrainingRow.wish))).one() == ("pending", "run")
    # Nothing came between this time.
    await loop.round()
    async with sessions() as session:
        assert await session.scalar(select(ChallengeRow.state)) == "queued"


async def test_a_data_set_that_another_process_has_read(sessions, tmp_path, monkeypatch):
    loop = DatasetLoop(sessions, FolderObjectStore(tmp_path / "store"), ApiConfiguration(_env_file=None))
    row = dataset(state="pending")
    async with sessions() as session:
        session.add(row)
        await session.commit()
    later = loop._later

    async def away(*_):
        raise StoreUnavailable("The store is away.")

    async def read_first(*arguments):
        async with sessions() as session:
            await session.execute(update(DatasetRow).where(DatasetRow.uuid == row.uuid).values(state="ready", digest="0" * 64))
            await session.commit()
        await later(*arguments)

    monkeypatch.setattr(loop, "_read", away)
    monkeypatch.setattr(loop, "_later", read_first)
    await loop.round("pending", "reading")
    async with sessions() as session:
        found = await session.scalar(select(DatasetRow).where(DatasetRow.uuid == row.uuid))
    assert (found.state, found.reason) == ("ready", None)


class Removing(FolderObjectStore):
    """A store that is asked for a model's file in the very moment in which the model is removed."""

    def exists(self, key: str) -> bool:
        asyncio.run_coroutine_threadsafe(self.remove(), self.loop).result()
        return True


async def removed_model(sessions, uuid) -> None:
    async with sessions() as session:
        await session.execute(delete(ModelRow).where(ModelRow.uuid == uuid))
        await session.commit()


async def test_a_model_that_is_removed_while_it_is_enabled(sessions, tmp_path):
    uuid = uuid4()
    store = Removing(tmp_path / "store")
    store.loop, store.remove = asyncio.get_running_loop(), lambda: removed_model(sessions, uuid)
    async with sessions() as session:
        session.add(ModelRow(uuid=uuid, type="detector", name="x", version=1, label="X", status="disabled", ensemble=False,
                             base_models=[], card={}))  # fmt: skip
        await session.commit()
    async with sessions() as session:
        with pytest.raises(ProblemError) as refused:
            await models.change_status(session, store, uuid, "enabled", version=None, replace=False)
    assert refused.value.status == 404


@pytest.mark.parametrize(
    "what", [lambda session, uuid: datasets.change_status(session, uuid, "disabled"), datasets.remove_dataset]
)
async def test_a_data_set_that_is_gone_by_the_time_it_is_changed(sessions, monkeypatch, what):
    row = dataset(state="ready", digest="0" * 64)
    async with sessions() as session:
        session.add(row)
        await session.commit()
    find = datasets.find_dataset

    async def found_and_removed(session, uuid):
        found = await find(session, uuid)
        async with sessions() as other:
            await other.execute(delete(DatasetRow).where(DatasetRow.uuid == uuid))
            await other.commit()
        return found

    monkeypatch.setattr(datasets, "find_dataset", found_and_removed)
    async with sessions() as session:
        with pytest.raises(ProblemError) as refused:
            await what(session, row.uuid)
    assert refused.value.status == 404


@pytest.mark.parametrize("what", [trainings.retry, lambda session, uuid: trainings.change_wish(session, uuid, "pause")])
async def test_a_training_that_ends_by_the_time_it_is_changed(sessions, monkeypatch, what):
    failed = {"status": "failed", "reason": "It broke.", "end_at": datetime.now(UTC)}
    row = training(**(failed if what is trainings.retry else {"status": "running"}))
    async with sessions() as session:
        session.add(row)
        await session.commit()
    find, ends = trainings.find_training, iter([True, False])

    async def found_and_done(session, uuid):
        found = await find(session, uuid)
        if next(ends):
            async with sessions() as other:
                await other.execute(
                    update(TrainingRow).where(TrainingRow.uuid == uuid).values(status="done", end_at=datetime.now(UTC))
                )
                await other.commit()
        return found

    monkeypatch.setattr(trainings, "find_training", found_and_done)
    async with sessions() as session:
        with pytest.raises(ProblemError, match="is done") as refused:
            await what(session, row.uuid)
    assert refused.value.status == 409


async def test_a_training_that_is_removed_twice(sessions):
    row = training()
    async with sessions() as session:
        session.add(row)
        await session.commit()
    async with sessions() as session:
        await trainings.remove_training(session, row.uuid)
        with pytest.raises(ProblemError) as refused:
            await trainings.remove_training(session, row.uuid)
    assert refused.value.status == 404


@pytest.mark.parametrize("role", ["base_models", "model"])
async def test_a_model_that_is_removed_while_a_training_with_it_is_queued(sessions, tmp_path, monkeypatch, role):
    faces = dataset(state="ready", digest="0" * 64)
    cards = [detector_card(b"", uuid4(), f"tiny-{number}") for number in range(2)]
    weights = {"weights.npz": FileDigest(sha256="0" * 64, size=1)}
    cards = [card.model_copy(update={"architecture": "Tiny", "files": {**card.files, **weights}}) for card in cards]
    async with sessions() as session:
        session.add(faces)
        session.add_all(index_row(card, status="disabled") for card in cards)
        await session.flush()
        kept = {"dataset_id": faces.id, "fate": "kept", "size": 1, "suffix": ".jpg"}
        session.add_all(
            DatasetFileRow(
                **kept, position=place, path=f"{place}.jpg", face_class=("human", "anime")[place % 2], sha256=f"{place:064x}"
            )
            for place in range(12)
        )
        await session.commit()
    look = trainings.base_cards

    async def seen_and_removed(session, *arguments):
        found = await look(session, *arguments)
        async with sessions() as other:
            await models.remove(other, cards[1].uuid, None)
        return found

    monkeypatch.setattr(trainings, "base_cards", seen_and_removed)
    wanted = {
        "base_models": {"name": "stack", "ensemble": "stacking", "base_models": [card.uuid for card in cards]},
        "model": {"name": "tiny-1", "model": cards[1].uuid, "architecture": "Tiny"},
    }
    request = TrainingRequest(type="detector", datasets=[faces.uuid], **wanted[role])
    store = FolderObjectStore(tmp_path / "store")
    async with sessions() as session:
        with pytest.raises(ProblemError) as refused:
            await trainings.create_training(session, store, request, ["Tiny"])
    assert (refused.value.status, refused.value.field) == (404, role)
    async with sessions() as session:
        assert list(await session.scalars(select(TrainingRow.id))) == []
    monkeypatch.setattr(trainings, "base_cards", look)
    # One that is there is not removed under a training.
    async with sessions() as session:
        await trainings.create_training(
            session,
            store,
            TrainingRequest(type="detector", datasets=[faces.uuid], name="x", model=cards[0].uuid, architecture="Tiny"),
            ["Tiny"],
        )
        with pytest.raises(ProblemError, match="next version"):
            await models.remove(session, cards[0].uuid, None)


async def test_of_two_versions_that_are_to_replace_each_other_at_once_one_serves(sessions, tmp_path):
    onnx = detector_onnx()
    cards = [detector_card(onnx, DETECTOR, "tiny", version) for version in (1, 2)]
    store = FolderObjectStore(tmp_path / "store")
    async with sessions() as session:
        for card in cards:
            store.put(model_key(card.uuid, card.version, "model.onnx"), onnx)
            session.add(index_row(card, status="disabled"))
        await session.commit()

    async def serve(version: int) -> None:
        async with sessions() as session:
            await models.change_status(session, store, DETECTOR, "enabled", version=version, replace=True)

    for _ in range(10):
        await asyncio.gather(*(serve(version) for version in (1, 2, 1, 2)))
        async with sessions() as session:
            serving = list(await session.scalars(select(ModelRow.version).where(ModelRow.status == "enabled")))
        assert len(serving) == 1


async def test_a_look_that_began_before_a_change_does_not_hide_it(sessions):
    card = detector_card(b"")
    async with sessions() as session:
        session.add(index_row(card, status="disabled"))
        await session.commit()
    looked, goes_on = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def slow():
        async with sessions() as session:
            yield session
        if not looked.is_set():
            looked.set()
            await goes_on.wait()

    table = ModelTable(slow)
    first = asyncio.create_task(table.read())
    await looked.wait()
    async with sessions() as session:
        await session.execute(update(ModelRow).values(status="enabled"))
        await session.commit()
    second = asyncio.create_task(table.read())
    await asyncio.wait([second], timeout=1)
    goes_on.set()
    await asyncio.gather(first, second)
    assert table.find(card.uuid, card.version).enabled
