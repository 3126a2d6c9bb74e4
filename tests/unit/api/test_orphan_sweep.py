"""Objects that no row refers to go once they are old, and no others."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from support.databases import database_url

from visionlab_api.database.engine import migrate, open_engine
from visionlab_api.database.tables import DatasetRow, ImageRow
from visionlab_api.reconcile.orphans import OrphanSweep
from visionlab_core.object_store import FolderObjectStore, ObjectStore, S3Settings, open_store
from visionlab_core.store_layout import image_key

HOURS = 24.0
Sessions = async_sessionmaker[AsyncSession]


@pytest.fixture
async def sessions(tmp_path: Path) -> AsyncIterator[Sessions]:
    url = database_url(tmp_path)
    migrate(url)
    engine = open_engine(url)
    yield async_sessionmaker(engine, expire_on_commit=False)
    await engine.dispose()


@pytest.fixture(scope="module")
def s3() -> Iterator[ObjectStore]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"access_key": "someone", "secret_key": "something", "create_bucket": True}
    yield open_store("s3://orphans/some/prefix", S3Settings.model_validate({"endpoint": f"http://{host}:{port}", **keys}))
    server.stop()


def image(key: str, uuid: UUID) -> ImageRow:
    return ImageRow(
        uuid=uuid, image_type="uploaded", store_key=key, content_type="image/png", size=1, sha256="0" * 64, width=1, height=1,
        visitor=uuid4(),
    )  # fmt: skip


async def fill(sessions: Sessions, store: ObjectStore) -> tuple[set[str], set[str]]:
    """Objects with a row, and such without one."""
    uuid, dataset = uuid4(), uuid4()
    kept = {image_key(uuid, ".png"), f"datasets/{dataset}/images/human/a.png", "images/aa/notes.txt", f"uploads/{uuid4()}"}
    orphans = {
        image_key(uuid4(), ".jpg"),
        image_key(uuid, ".jpg"),
        f"datasets/{uuid4()}/x/manifest.csv",
        f"trainings/{uuid4()}/a",
    }
    for key in kept | orphans:
        store.put(key, b"x")
    async with sessions() as session:
        session.add(image(image_key(uuid, ".png"), uuid))
        session.add(
            DatasetRow(uuid=dataset, type="detector", name="a", label="A", origin="uploaded", status="enabled", state="reading")
        )
        await session.commit()
    return kept, orphans


def age(store: FolderObjectStore, keys: set[str]) -> None:
    old = time.time() - HOURS * 3600 - 60
    for key in keys:
        os.utime(store.local_path(key), (old, old))


async def test_old_objects_without_a_row_go(sessions: Sessions, tmp_path: Path) -> None:
    store = FolderObjectStore(tmp_path / "store")
    kept, orphans = await fill(sessions, store)
    sweep = OrphanSweep(sessions, store, hours=HOURS, seconds_between_looks=0)
    assert await sweep.sweep() == 0, "their rows may just be being written"
    age(store, kept | orphans)
    assert await sweep.sweep() == len(orphans)
    assert {info.key for info in store.list()} == kept
    assert await sweep.sweep() == 0


async def test_the_same_on_s3(sessions: Sessions, s3: ObjectStore) -> None:
    kept, orphans = await fill(sessions, s3)
    assert await OrphanSweep(sessions, s3, hours=HOURS, seconds_between_looks=0).sweep() == 0
    assert await OrphanSweep(sessions, s3, hours=-1, seconds_between_looks=0).sweep() == len(orphans)
    assert {info.key for info in s3.list()} == kept


@pytest.mark.parametrize("look", [1, 2])
async def test_an_image_whose_row_is_written_while_it_is_swept_stays(
    sessions: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, look: int
) -> None:
    store = FolderObjectStore(tmp_path / "store")
    uuid = uuid4()
    key = image_key(uuid, ".png")
    store.put(key, b"x")
    age(store, {key})
    ask, looks = OrphanSweep._without_row, []

    async def written_before(self: OrphanSweep, prefix: str, found: dict[str, UUID]) -> dict[str, UUID]:
        looks.append(found)
        if len(looks) == look:
            async with sessions() as session:
                session.add(image(key, uuid))
                await session.commit()
        return await ask(self, prefix, found)

    monkeypatch.setattr(OrphanSweep, "_without_row", written_before)
    assert await OrphanSweep(sessions, store, hours=HOURS, seconds_between_looks=0).sweep() == 0
    assert store.exists(key)
