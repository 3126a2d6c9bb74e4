"""Starter models are installed once, and exactly the enabled ones are served, whatever is damaged."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from support.lanes import ONE_LANE
from support.tiny_models import DETECTOR, SECOND_DETECTOR, detector_card, detector_onnx, write_version

from visionlab_api.database.tables import ModelRow
from visionlab_api.problems import ProblemError
from visionlab_api.reconcile import serving
from visionlab_api.reconcile.pool import pool_loops
from visionlab_api.reconcile.serving import ServingLoop
from visionlab_api.services.choosing import choose_models, chosen_models
from visionlab_api.services.starters import install_starters
from visionlab_core.object_store import FolderObjectStore, StoreFull
from visionlab_core.store_layout import model_key
from visionlab_inference.backend import ModelVersion
from visionlab_inference.embedded import EmbeddedBackend
from visionlab_inference.releases import EmbeddedDeployer, PoolState, read_pool, read_release


@pytest.fixture
def store(tmp_path):
    return FolderObjectStore(tmp_path / "store")


@pytest.fixture
async def backend():
    backend = EmbeddedBackend(ONE_LANE)
    yield backend
    await backend.close()


@pytest.fixture
async def deployer(backend, store):
    deployer = EmbeddedDeployer(backend, store, seconds_to_linger=0)
    yield deployer
    await deployer.close()


@pytest.fixture
def starters(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def loop(sessions, store, backend, deployer):
    """A loop whose rounds the test does, and which tries failed models again in every one."""
    return ServingLoop(sessions, store, backend, pool_loops(store, deployer, seconds_to_retry=0))


def add(folder, uuid=DETECTOR, name="first", version=1):
    onnx = detector_onnx(version)
    return write_version(folder, detector_card(onnx, uuid, name, version), onnx)


async def statuses(sessions) -> dict[tuple[str, int], str]:
    async with sessions() as session:
        return {(row.name, row.version): row.status for row in await session.scalars(select(ModelRow))}


async def set_row(sessions, name, **values) -> None:
    async with sessions() as session:
        await session.execute(update(ModelRow).where(ModelRow.name == name).values(**values))
        await session.commit()


async def test_starters_are_installed_once_and_a_persons_choice_stays(sessions, store, starters):
    add(starters)
    await install_starters(starters, store, sessions)
    assert await statuses(sessions) == {("first", 1): "enabled"}
    assert store.get(model_key(DETECTOR, 1, "model.onnx")) == detector_onnx(1)
    assert store.exists(model_key(DETECTOR, 1, "card.json"))
    await set_row(sessions, "first", status="disabled")
    await install_starters(starters, store, sessions)
    assert await statuses(sessions) == {("first", 1): "disabled"}


@pytest.mark.parametrize("order", [(2, 10), (10, 2)])
async def test_newest_version_is_the_one_that_serves(sessions, store, starters, order):
    for version in order:
        add(starters, version=version)
        await install_starters(starters, store, sessions)
    assert await statuses(sessions) == {("first", 2): "disabled", ("first", 10): "enabled"}


async def test_versions_that_come_together_end_with_the_newest(sessions, store, starters):
    for version in (2, 9, 10):
        add(starters, version=version)
    await install_starters(starters, store, sessions)
    assert {version for (_, version), status in (await statuses(sessions)).items() if status == "enabled"} == {10}


async def test_card_that_cannot_be_read_stops_no_other(sessions, store, starters):
    (add(starters) / "card.json").write_text("{")
    add(starters, SECOND_DETECTOR, "second")
    await install_starters(starters, store, sessions)
    assert await statuses(sessions) == {("second", 1): "enabled"}


async def test_two_models_of_one_name_and_no_folder_are_survived(sessions, store, starters):
    await install_starters(starters / "none", store, sessions)
    add(starters)
    add(starters, SECOND_DETECTOR)
    await install_starters(starters, store, sessions)
    assert await statuses(sessions) == {("first", 1): "enabled"}


async def test_loop_serves_what_is_enabled(sessions, store, starters, backend, loop):
    add(starters)
    add(starters, SECOND_DETECTOR, "second")
    await install_starters(starters, store, sessions)
    await loop.round()
    assert {each.card.name for each in chosen_models(loop, "detector", None)} == {"first", "second"}

    await set_row(sessions, "first", status="disabled")
    await loop.round()
    assert [each.card.name for each in chosen_models(loop, "detector", None)] == ["second"]
    assert list(backend.models()) == [ModelVersion(SECOND_DETECTOR, 1)]
    with pytest.raises(ProblemError) as refusal:
        chosen_models(loop, "detector", [DETECTOR])
    assert refusal.value.status == 409

    await set_row(sessions, "first", status="enabled")
    await loop.round()
    assert [each.card.name for each in chosen_models(loop, "detector", [DETECTOR])] == ["first"]


async def test_what_another_process_has_just_put_into_service_is_known_when_it_is_asked_for(sessions, store, starters, loop):
    """Two facades: the one that is asked has done its last round before the change."""
    await loop.round()
    add(starters)
    add(starters, SECOND_DETECTOR, "second")
    await install_starters(starters, store, sessions)
    await set_row(sessions, "second", status="disabled")
    asked = await asyncio.gather(*(choose_models(loop, "detector", [DETECTOR]) for _ in range(3)))
    assert [[each.card.name for each in models] for models in asked] == [["first"]] * 3

    await set_row(sessions, "second", status="enabled")
    assert len(await choose_models(loop, "detector", [DETECTOR, SECOND_DETECTOR])) == 2
    with pytest.raises(ProblemError) as refusal:
        await choose_models(loop, "detector", [uuid4()])
    assert refusal.value.status == 404


async def test_a_roll_out_that_takes_long_and_a_database_that_is_away_hold_up_no_answer(
    sessions, store, backend, loop, monkeypatch
):
    class Slow:
        may_end = asyncio.Event()
        ended = 0

        async def bring(self, cards):
            await self.may_end.wait()
            self.ended += 1

        def state(self, model):
            return None

    monkeypatch.setattr(serving, "SECONDS_TO_CATCH_UP", 0.1)
    slow = Slow()
    slowly = ServingLoop(sessions, store, backend, {"detectors": slow})
    await slowly.catch_up()
    assert slow.ended == 0
    slow.may_end.set()
    await slowly._arrival()
    assert slow.ended == 1  # it was not broken off

    async def away():
        raise OperationalError("SELECT", {}, OSError("no database"))

    monkeypatch.setattr(loop, "_read", away)
    with pytest.raises(ProblemError, match="No detector is in service"):
        await choose_models(loop, "detector", None)


async def test_no_model_in_service_is_said_so(loop):
    await loop.round()
    with pytest.raises(ProblemError) as refusal:
        chosen_models(loop, "detector", None)
    assert (refusal.value.status, refusal.value.kind) == (503, "no-model")


async def test_damaged_model_fails_alone_and_serves_once_it_is_mended(sessions, store, starters, loop):
    folder = add(starters)
    add(starters, SECOND_DETECTOR, "second")
    whole = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(whole[:-1] + b"\0")
    await install_starters(starters, store, sessions)
    await loop.round()
    assert [each.card.name for each in chosen_models(loop, "detector", None)] == ["second"]
    [first] = [each for each in loop.models() if each.card.name == "first"]
    state, reason = loop.state(first)
    assert state == "failed"
    assert "sha256" in reason
    with pytest.raises(ProblemError, match="sha256") as refusal:
        chosen_models(loop, "detector", [DETECTOR])
    assert refusal.value.status == 503

    store.put(model_key(DETECTOR, 1, "model.onnx"), whole)
    await loop.round()
    assert loop.state(first) == ("ready", None)


async def test_missing_file_fails_with_its_name(sessions, store, starters, loop):
    (add(starters) / "model.onnx").unlink()
    await install_starters(starters, store, sessions)
    await loop.round()
    [model] = loop.models()
    state, reason = loop.state(model)
    assert state == "failed"
    assert "model.onnx" in reason


async def test_row_whose_card_cannot_be_read_stops_no_other(sessions, store, starters, loop):
    add(starters)
    add(starters, SECOND_DETECTOR, "second")
    await install_starters(starters, store, sessions)
    await set_row(sessions, "first", card=json.loads("{}"))
    await loop.round()
    assert [each.card.name for each in chosen_models(loop, "detector", None)] == ["second"]


async def test_failed_model_is_left_alone_until_it_is_due(sessions, store, starters, backend, deployer):
    (add(starters) / "model.onnx").write_bytes(b"x")
    await install_starters(starters, store, sessions)
    loop = ServingLoop(sessions, store, backend, pool_loops(store, deployer, seconds_to_retry=3600))
    await loop.round()
    store.put(model_key(DETECTOR, 1, "model.onnx"), detector_onnx(1))
    await loop.round()
    assert loop.state(loop.models()[0])[0] == "failed"


async def test_what_a_pool_is_at_is_kept_and_going_back_is_the_same_release(sessions, store, starters, loop):
    add(starters)
    add(starters, SECOND_DETECTOR, "second")
    await install_starters(starters, store, sessions)
    await loop.round()
    both = read_pool(store, "detectors")
    assert both.current == both.wanted
    assert set(read_release(store, "detectors", both.current).models) == {"first", "second"}
    await set_row(sessions, "second", status="disabled")
    await loop.round()
    one = read_pool(store, "detectors")
    assert one.current not in (None, both.current)
    assert one.previous == both.current
    await set_row(sessions, "second", status="enabled")
    await loop.round()
    assert read_pool(store, "detectors") == PoolState(wanted=both.current, current=both.current, previous=one.current)


async def test_restart_goes_on_with_the_release_and_writes_nothing(sessions, store, starters, loop):
    add(starters)
    await install_starters(starters, store, sessions)
    await loop.round()
    before = {info.key: info.modified for info in store.list("releases/")}
    # The model itself is gone: the release has all that serving needs.
    store.delete(model_key(DETECTOR, 1, "model.onnx"))
    backend = EmbeddedBackend(ONE_LANE)
    deployer = EmbeddedDeployer(backend, store, seconds_to_linger=0)
    again = ServingLoop(sessions, store, backend, pool_loops(store, deployer))
    await again.round()
    assert [again.state(model) for model in again.models()] == [("ready", None)]
    assert {info.key: info.modified for info in store.list("releases/")} == before
    await deployer.close()
    await backend.close()


async def test_release_that_was_damaged_is_mended_from_the_models(sessions, store, starters, loop):
    add(starters)
    await install_starters(starters, store, sessions)
    await loop.round()
    [key] = [info.key for info in store.list("releases/detectors/") if info.key.endswith("model.onnx")]
    store.put(key, b"rot")
    backend = EmbeddedBackend(ONE_LANE)
    deployer = EmbeddedDeployer(backend, store, seconds_to_linger=0)
    again = ServingLoop(sessions, store, backend, pool_loops(store, deployer, seconds_to_retry=0))
    await again.round()
    [first] = again.models()
    state, reason = again.state(first)
    assert state == "failed"
    assert "sha256" in reason
    await again.round()
    assert again.state(first) == ("ready", None)
    await deployer.close()
    await backend.close()


async def test_model_that_no_backend_can_load_is_left_out_by_its_reason(sessions, store, starters, loop):
    card = detector_card(b"not a model", DETECTOR, "first")
    write_version(starters, card, b"not a model")
    add(starters, SECOND_DETECTOR, "second")
    await install_starters(starters, store, sessions)
    await loop.round()
    states = {model.card.name: loop.state(model) for model in loop.models()}
    assert states["second"] == ("ready", None)
    assert states["first"][0] == "failed"
    assert "ONNX Runtime cannot load" in states["first"][1]


async def test_store_that_cannot_be_written_is_said_and_tried_again(sessions, store, starters, loop, monkeypatch):
    add(starters)
    await install_starters(starters, store, sessions)

    def full(*_, **__):
        raise StoreFull("no room left")

    with monkeypatch.context() as patch:
        patch.setattr(store, "put", full)
        await loop.round()
        [first] = loop.models()
        assert loop.state(first) == ("failed", "no room left")
    await loop.round()
    assert loop.state(first) == ("ready", None)
