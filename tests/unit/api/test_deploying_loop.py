"""Who leads deploys, and tells in the store what is not served and why; who only follows reads it there."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import async_sessionmaker
from support.databases import database_url
from support.lanes import ONE_LANE
from support.tiny_models import DETECTOR, SECOND_DETECTOR, detector_card, detector_onnx, write_version
from support.waiting import until

from visionlab_api.database.engine import migrate, open_engine
from visionlab_api.database.leader import FileLeader
from visionlab_api.database.tables import ModelRow
from visionlab_api.reconcile import deploying
from visionlab_api.reconcile.deploying import DeployingLoop
from visionlab_api.reconcile.following import PoolFollower
from visionlab_api.reconcile.pool import pool_loops
from visionlab_api.services.starters import install_starters
from visionlab_core.object_store import FolderObjectStore, StoreUnavailable
from visionlab_inference.backend import ModelVersion
from visionlab_inference.embedded import EmbeddedBackend
from visionlab_inference.releases import (
    BY_KIND,
    EmbeddedDeployer,
    ModelStatus,
    PoolPlan,
    PoolStatus,
    read_pool,
    read_release,
    read_status,
    write_status,
)
from visionlab_inference.triton.backend import TritonBackend
from visionlab_inference.triton.replicas import Replicas

POOL = "detectors"
GOOD, BAD = ModelVersion(DETECTOR, 1), ModelVersion(SECOND_DETECTOR, 1)


@pytest.fixture
def store(tmp_path):
    return FolderObjectStore(tmp_path / "store")


@pytest.fixture
async def sessions(tmp_path, store):
    """A model that can be served, and one that no backend can load; both are enabled."""
    url = database_url(tmp_path)
    migrate(url)
    engine = open_engine(url)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    onnx = detector_onnx(1)
    write_version(tmp_path / "models", detector_card(onnx, DETECTOR, "good"), onnx)
    write_version(tmp_path / "models", detector_card(b"not a model", SECOND_DETECTOR, "bad"), b"not a model")
    await install_starters(tmp_path / "models", store, sessions)
    yield sessions
    await engine.dispose()


class Process:
    """One of the processes that might deploy."""

    def __init__(self, tmp_path, sessions, store, plan=BY_KIND) -> None:
        self.leader = FileLeader(str(tmp_path / "leader"))
        self.opened = 0
        self._store = store
        self._plan = plan
        self._loop = DeployingLoop(sessions, store, self.leader, self._pools, plan)

    @asynccontextmanager
    async def _pools(self):
        backend = EmbeddedBackend(ONE_LANE)
        deployer = EmbeddedDeployer(backend, self._store, seconds_to_linger=0)
        self.opened += 1
        try:
            yield pool_loops(self._store, deployer, plan=self._plan)
        finally:
            await deployer.close()
            await backend.close()

    async def start(self) -> None:
        await self.leader.start()
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()
        await self.leader.stop()


@pytest.fixture
async def processes(tmp_path, sessions, store):
    processes = [Process(tmp_path, sessions, store) for _ in range(2)]
    yield processes
    for each in processes:
        await each.stop()


async def test_one_deploys_and_another_goes_on_when_it_ends(processes, sessions, store):
    first, second = processes
    await first.start()
    await second.start()
    await until(lambda: read_pool(store, POOL).current)
    assert set(read_release(store, POOL, read_pool(store, POOL).current).models) == {"good"}
    assert second.opened == 0
    await first.stop()
    async with sessions() as session:
        await session.execute(update(ModelRow).where(ModelRow.name == "good").values(status="disabled"))
        await session.commit()
    await until(lambda: read_release(store, POOL, read_pool(store, POOL).current).models == {})
    assert (first.opened, second.opened) == (1, 1)


async def test_why_a_model_is_not_served_is_told_to_those_who_follow(processes, store):
    await processes[0].start()
    await until(lambda: str(BAD) in read_status(store, POOL).models)
    replicas = Replicas(TritonBackend(ONE_LANE), POOL, "localhost", 9)
    follower = PoolFollower(POOL, store, replicas)
    await until(lambda: read_pool(store, POOL).current)
    await follower.bring([])
    state = follower.state(BAD)
    assert state is not None
    assert state.state == "failed"
    assert "ONNX Runtime cannot load" in state.reason
    assert follower.state(GOOD) is None
    await replicas.close()


async def test_what_another_told_last_is_told_anew(processes, store, monkeypatch):
    monkeypatch.setattr(deploying, "SECONDS_BETWEEN_TELLS", 0.1)
    await processes[0].start()
    await until(lambda: str(BAD) in read_status(store, POOL).models)
    stale = PoolStatus(models={str(GOOD): ModelStatus(state="failed", reason="Long ago.")})
    write_status(store, POOL, stale)
    await until(lambda: set(read_status(store, POOL).models) == {str(BAD)})


async def test_who_follows_survives_a_store_that_is_away(processes, store, monkeypatch):
    await processes[0].start()
    await until(lambda: read_pool(store, POOL).current)
    backend = TritonBackend(ONE_LANE)
    replicas = Replicas(backend, POOL, "localhost", 9)
    follower = PoolFollower(POOL, store, replicas)
    await follower.bring([])
    assert backend.models()[GOOD].state == "loading"

    def away(key):
        raise StoreUnavailable("the disk is away")

    with monkeypatch.context() as patch:
        patch.setattr(store, "get", away)
        await follower.bring([])
        assert list(backend.models()) == [GOOD]
        assert "the disk is away" in follower.state(BAD).reason
    await replicas.close()


async def test_a_model_apart_is_deployed_apart(tmp_path, sessions, store):
    process = Process(tmp_path, sessions, store, PoolPlan({"apart": [DETECTOR]}))
    await process.start()
    try:
        await until(lambda: read_pool(store, "apart").current)
        assert set(read_release(store, "apart", read_pool(store, "apart").current).models) == {"good"}
        await until(lambda: str(BAD) in read_status(store, POOL).models)
        assert read_status(store, "apart").models == {}
        current = read_pool(store, POOL).current
        assert current is None or read_release(store, POOL, current).models == {}
    finally:
        await process.stop()
