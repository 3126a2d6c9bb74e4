"""A backup holds one moment whole, and is restored whole or not at all."""

from __future__ import annotations

import asyncio
import io
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy import create_engine, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from support.databases import database_url
from support.tiny_models import detector_card

from visionlab_api.backup.archive import ArchiveReader, ArchiveWriter
from visionlab_api.backup.errors import BackupError, DamagedBackup, ObjectsMissing, TargetNotEmpty
from visionlab_api.backup.making import make_backup, new_file
from visionlab_api.backup.progress import Progress
from visionlab_api.backup.reading import verify
from visionlab_api.backup.restoring import MARK, restore_backup
from visionlab_api.database.account_tables import SessionRow
from visionlab_api.database.engine import migrate, open_engine, upgrade
from visionlab_api.database.tables import (
    DatasetFileRow,
    DatasetRow,
    ImageRow,
    LabelRow,
    ModelRow,
    SettingRow,
    TrainingRow,
    UploadRow,
)
from visionlab_api.services.starters import index_row
from visionlab_core.object_store import FolderObjectStore, ObjectStore, S3Settings, open_store
from visionlab_core.store_layout import dataset_image_key, dataset_manifest_key, image_key, model_key, training_key, upload_key
from visionlab_core.training_job import CHECKPOINTS, OUTCOME_FILE

NOW = datetime(2026, 3, 1, 12, 30, 1, 250_000, UTC)
MODEL = b"onnx" * 300_000  # more than is read ahead at once


class Place:
    """A database and a store."""

    def __init__(self, folder: Path, store: ObjectStore | None = None, kind: str = "sqlite") -> None:
        self.folder = folder
        self.url = database_url(folder, kind)
        self.store = store or FolderObjectStore(folder / "store")

    def in_session(self, work: Callable[[AsyncSession], object]) -> object:
        async def run() -> object:
            engine = open_engine(self.url)
            try:
                async with async_sessionmaker(engine, expire_on_commit=False)() as session:
                    result = await work(session)
                    await session.commit()
                    return result
            finally:
                await engine.dispose()

        return asyncio.run(run())

    def add(self, *rows: object) -> None:
        async def add(session: AsyncSession) -> None:
            session.add_all(rows)

        self.in_session(add)

    def rows(self) -> dict[str, list[tuple]]:
        """All rows of all tables, as they lie in the database."""
        with closing(sqlite3.connect(self.url.database)) as database:
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {table: sorted(database.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}

    def objects(self) -> dict[str, bytes]:
        return {info.key: self.store.get(info.key) for info in self.store.list()}

    def backup(self, *, store: ObjectStore | None = None, allow_missing: bool = False) -> bytes:
        sink = io.BytesIO()
        with Progress("backup") as progress:
            store = store or self.store
            make_backup(self.url, store, sink, folder=None, allow_missing=allow_missing, progress=progress)
        return sink.getvalue()

    def restore(self, backup: bytes) -> None:
        with Progress("restore") as progress:
            restore_backup(self.url, self.store, io.BytesIO(backup), folder=None, progress=progress)

    def assert_empty(self) -> None:
        assert self.objects() == {}
        assert not list(self.folder.glob("visionlab.db*"))


def image_of(place: Place, data: bytes, **values: object) -> ImageRow:
    uuid = uuid4()
    key = image_key(uuid, ".png")
    place.store.put(key, data, content_type="image/png")
    return ImageRow(
        uuid=uuid, image_type="uploaded", store_key=key, content_type="image/png", size=len(data), width=1, height=1,
        sha256=sha256(data).hexdigest(), visitor=uuid4(), created_at=NOW, **values,
    )  # fmt: skip


def training_of(dataset: UUID, digest: str, **values: object) -> TrainingRow:
    return TrainingRow(
        uuid=uuid4(), type="detector", name="mine", label="Mine ü", model_uuid=uuid4(), model_version=1, architecture="Tiny",
        settings={"epochs": 1}, datasets=[{"uuid": str(dataset), "digest": digest}], order={}, **values,
    )  # fmt: skip


def fill(place: Place) -> None:
    """Something of everything."""
    migrate(place.url)
    card = detector_card(MODEL)
    for name, data in (("model.onnx", MODEL), ("card.json", b"{}")):
        place.store.put(model_key(card.uuid, 1, name), data)
    seen, unseen = image_of(place, b"face"), image_of(place, b"gone", deleted_at=NOW)
    done, begun = (UploadRow(uuid=uuid4(), filename="a.zip", upload_metadata="", length=4, expires_at=NOW) for _ in range(2))
    done.status, done.received, done.claimed_by = "done", 4, uuid4()
    begun.received, begun.holder, begun.renewed_at = 2, uuid4(), NOW
    place.store.put(upload_key(done.uuid), b"PK\3\4")
    place.store.append(begun.uuid, b"PK", at=0)
    dataset = DatasetRow(
        id=7, uuid=uuid4(), type="detector", name="faces", label="Faces", origin="uploaded", status="enabled", state="ready",
        fates={"kept": 1}, digest=sha256(b"all").hexdigest(), created_at=NOW,
    )  # fmt: skip
    digest = sha256(b"one").hexdigest()
    file = DatasetFileRow(
        dataset_id=7, position=0, path="ü.jpg", fate="kept", size=3, face_class="anime", sha256=digest, suffix=".jpg"
    )
    place.store.put(dataset_image_key(dataset.uuid, "anime", digest, ".jpg"), b"one")
    place.store.put(dataset_manifest_key(dataset.uuid, dataset.digest), b"path\n")
    training = training_of(dataset.uuid, dataset.digest, status="running", holder=uuid4(), renewed_at=NOW, begin_at=NOW)
    place.store.put(training_key(training.uuid, CHECKPOINTS + "checkpoint.npz"), b"weights")
    place.store.put(training_key(training.uuid, "progress.json"), b"{}", content_type="application/json")
    place.store.put("releases/detectors/state.json", b"{}")
    session = SessionRow(digest="0" * 64, key_digest="1" * 64, name="admin", expires_at=NOW)
    place.add(index_row(card, status="enabled"), seen, unseen, done, begun, dataset, training, session)
    place.add(file, LabelRow(image_id=seen.id, label="human", visitor=seen.visitor), SettingRow(key="images_per_batch", value=13))


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place that no test changes."""
    place = Place(tmp_path_factory.mktemp("origin"))
    fill(place)
    return place


@pytest.fixture(scope="module")
def backup(origin: Place) -> bytes:
    return origin.backup()


@pytest.fixture
def target(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture(scope="module")
def s3() -> Iterator[ObjectStore]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"access_key": "someone", "secret_key": "something", "create_bucket": True}
    yield open_store("s3://faces/some/prefix", S3Settings.model_validate({"endpoint": f"http://{host}:{port}", **keys}))
    server.stop()


def at_rest(origin: Place) -> dict[str, list[tuple]]:
    """The rows of the origin as they are where nobody works on them."""
    with closing(sqlite3.connect(":memory:")) as copy:
        with closing(sqlite3.connect(origin.url.database)) as database:
            database.backup(copy)
        for table in ("uploads", "datasets", "trainings"):
            copy.execute(f"UPDATE {table} SET holder = NULL, renewed_at = NULL")
        copy.execute("UPDATE uploads SET received = 0 WHERE status = 'receiving'")
        copy.execute("DELETE FROM sessions")
        tables = [name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: sorted(copy.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}


def backed_up(origin: Place) -> dict[str, bytes]:
    """The objects that belong into a backup of it: no releases, no image that was deleted."""
    objects = origin.objects().items()
    return {key: data for key, data in objects if not key.startswith("releases/") and data != b"gone"}


def test_what_is_restored_is_what_was_backed_up(origin, backup, target):
    target.restore(backup)
    assert target.rows() == at_rest(origin)
    assert target.objects() == backed_up(origin)
    head, manifest = verify(io.BytesIO(backup))
    assert head.revision == target.rows()["alembic_version"][0][0]
    assert (manifest.objects, manifest.missing) == (len(backed_up(origin)), [])


def test_from_a_folder_to_s3_and_back(origin, backup, tmp_path, s3):
    there = Place(tmp_path / "there", s3)
    there.restore(backup)
    assert there.objects() == backed_up(origin)
    back = Place(tmp_path / "back")
    back.restore(there.backup())
    assert (back.rows(), back.objects()) == (at_rest(origin), backed_up(origin))


def test_from_sqlite_to_postgresql_and_back(origin, backup, tmp_path, target):
    there = Place(tmp_path / "there", kind="postgresql")
    there.restore(backup)
    there.add(image_of(there, b"new"))  # numbered after those that came with the backup

    async def forget_it(session: AsyncSession) -> None:
        there.store.delete(await session.scalar(select(ImageRow.store_key).order_by(ImageRow.id.desc()).limit(1)))
        await session.execute(delete(ImageRow).where(ImageRow.id == select(func.max(ImageRow.id)).scalar_subquery()))

    there.in_session(forget_it)
    with pytest.raises(TargetNotEmpty):
        there.restore(backup)
    back = Place(tmp_path / "back")
    back.restore(there.backup())
    assert (back.rows(), back.objects()) == (at_rest(origin), backed_up(origin))


def test_a_spoilt_backup_leaves_nothing_in_postgresql(backup, tmp_path):
    there = Place(tmp_path / "there", kind="postgresql")
    with pytest.raises(BackupError):
        there.restore(backup[:-20])
    assert there.objects() == {}
    there.restore(backup)


def test_a_backup_of_an_older_version_is_brought_to_this_one(tmp_path, target):
    old = Place(tmp_path / "old")
    engine = create_engine(old.url.set(drivername="sqlite"))
    with engine.begin() as connection:
        upgrade(connection, "0004_accounts")
    engine.dispose()
    old.store.put("images/aa/x.png", b"face")
    columns = "uuid, image_type, likes, downloads, store_key, content_type, size, sha256, width, height, visitor, created_at"
    values = f"'{uuid4().hex}', 'uploaded', 3, 0, 'images/aa/x.png', 'image/png', 4, '{sha256(b'face').hexdigest()}', 1, 1, "
    with closing(sqlite3.connect(old.url.database)) as database, database:
        database.execute(f"INSERT INTO images ({columns}) VALUES ({values} '{uuid4().hex}', '2026-01-01 00:00:00.000000')")
    target.restore(old.backup())

    async def images(session: AsyncSession) -> list[ImageRow]:
        return list(await session.scalars(select(ImageRow)))

    [image] = target.in_session(images)
    assert (image.likes, image.deleted_at, image.created_at) == (3, None, datetime(2026, 1, 1, tzinfo=UTC))
    assert target.objects() == {"images/aa/x.png": b"face"}
    fresh = Place(target.folder / "fresh")
    migrate(fresh.url)
    assert target.rows().keys() == fresh.rows().keys()


def members(backup: bytes) -> dict[str, bytes]:
    return {member.name: member.small(1 << 30) for member in ArchiveReader(io.BytesIO(backup))}


def archive(files: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    writer = ArchiveWriter(sink)
    for name, data in files.items():
        writer.add(name, data)
    writer.close()
    return sink.getvalue()


def other(backup: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    files = members(backup)
    [found] = [each for each in files if each.startswith(name)]
    return archive({each: change(data) if each == found else data for each, data in files.items()})


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda backup: b"",
    "only its beginning": lambda backup: backup[:100],
    "half of it": lambda backup: backup[: len(backup) // 2],
    "all but the last byte": lambda backup: backup[:-1],
    "all but its manifest": lambda backup: archive({k: v for k, v in members(backup).items() if k != "manifest.json"}),
    "something else": lambda backup: b"PK\3\4" * 1000,
    "a byte that was changed": lambda backup: backup[:200] + bytes([backup[200] ^ 1]) + backup[201:],
    "an object that was changed": lambda backup: other(backup, "objects/uploads/", lambda data: data[::-1]),
    "an object that is not there": lambda backup: archive({k: v for k, v in members(backup).items() if "/images/" not in k}),
    "a row that was changed": lambda backup: other(backup, "tables/settings", lambda data: data.replace(b"13", b"14")),
    "a table that is not there": lambda backup: archive({k: v for k, v in members(backup).items() if "labels" not in k}),
    "a format of tomorrow": lambda backup: other(backup, "backup.json", lambda data: data.replace(b'"format":1', b'"format":2')),
    "a key that leaves the store": lambda backup: archive({"backup.json": members(backup)["backup.json"], "objects/../x": b""}),
    "a key of the store's own": lambda backup: archive(
        {"backup.json": members(backup)["backup.json"], "objects/.growing/x": b""}
    ),
    "a table with a path": lambda backup: archive({"backup.json": members(backup)["backup.json"], "tables/../x.jsonl": b""}),
    "more behind it": lambda backup: backup + b"x",
    "another behind it": lambda backup: backup + backup,
    "a name without end": lambda backup: archive({"backup.json": members(backup)["backup.json"], "x" * 10_000: b""}),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_spoilt_backup_is_refused_and_leaves_nothing(backup, target, what):
    spoilt = SPOILT[what](backup)
    with pytest.raises(DamagedBackup):
        target.restore(spoilt)
    target.assert_empty()
    with pytest.raises(DamagedBackup):
        verify(io.BytesIO(spoilt))


def test_after_a_spoilt_one_a_sound_one_is_restored_to_the_same_place(origin, backup, target):
    with pytest.raises(DamagedBackup):
        target.restore(backup[:-20])
    target.restore(backup)
    assert target.objects() == backed_up(origin)


def test_a_backup_of_a_newer_version_is_refused(backup, target):
    newer = other(backup, "backup.json", lambda data: data.replace(b'"revision":"', b'"revision":"9'))
    with pytest.raises(BackupError, match="newer version"):
        target.restore(newer)
    target.assert_empty()


def test_rows_that_the_tables_do_not_take_are_refused(backup, target):
    files = members(backup)
    bad = files["tables/settings.jsonl"].replace(b'"key":"images_per_batch"', b'"key":null')
    manifest = files["manifest.json"].decode()
    manifest = manifest.replace(sha256(files["tables/settings.jsonl"]).hexdigest(), sha256(bad).hexdigest())
    manifest = manifest.replace(f'"size":{len(files["tables/settings.jsonl"])},', f'"size":{len(bad)},')
    with pytest.raises(DamagedBackup, match="Rows of settings"):
        target.restore(archive({**files, "tables/settings.jsonl": bad, "manifest.json": manifest.encode()}))
    target.assert_empty()


def test_a_place_that_is_not_empty_stays_as_it_is(backup, target):
    target.store.put("images/aa/mine.png", b"mine")
    with pytest.raises(TargetNotEmpty, match="store is not empty"):
        target.restore(backup)
    assert target.objects() == {"images/aa/mine.png": b"mine"}
    target.store.delete("images/aa/mine.png")
    migrate(target.url)
    before = target.rows()
    with pytest.raises(TargetNotEmpty, match="is not empty"):
        target.restore(backup)
    assert (target.objects(), target.rows()) == ({}, before)


def test_where_a_restore_was_broken_off_another_begins_anew(origin, backup, target):
    target.store.put(MARK, b"of the one before")
    target.store.put("images/aa/half.png", b"half")
    (target.folder / "visionlab.db.restoring").write_bytes(b"half")
    target.restore(backup)
    assert target.objects() == backed_up(origin)
    assert [path.name for path in target.folder.glob("visionlab.db*")] == ["visionlab.db"]


class Meddled(FolderObjectStore):
    """A store in which something happens once, when the first object is read."""

    def __init__(self, place: Place, happens: Callable[[], None]) -> None:
        super().__init__(place.folder / "store")
        self._happens: Callable[[], None] | None = happens

    def open(self, key: str, **options: int) -> Iterator[bytes]:
        happens, self._happens = self._happens, None
        if happens is not None:
            happens()
        return super().open(key, **options)


def test_what_is_deleted_meanwhile_is_in_no_half(tmp_path, target):
    place = Place(tmp_path / "origin")
    fill(place)
    images = [image_of(place, bytes([number]) * 10) for number in range(30)]
    place.add(*images)

    def happens() -> None:
        async def remove(session: AsyncSession) -> None:
            await session.execute(delete(ImageRow).where(ImageRow.uuid.in_([image.uuid for image in images[::2]])))

        place.in_session(remove)
        for image in images[::2]:
            place.store.delete(image.store_key)
        place.add(image_of(place, b"new"))

    target.restore(place.backup(store=Meddled(place, happens)))
    assert target.rows() == at_rest(place)
    assert target.objects() == backed_up(place)


def test_a_training_that_ends_meanwhile_is_in_no_half(tmp_path, target):
    place = Place(tmp_path / "origin")
    fill(place)
    card = detector_card(b"made", uuid=uuid4(), name="made")

    def happens() -> None:
        async def end(session: AsyncSession) -> UUID:
            await session.execute(update(TrainingRow).values(status="done", end_at=NOW))
            session.add(index_row(card, status="disabled"))
            return await session.scalar(select(TrainingRow.uuid))

        for name, data in (("model.onnx", b"made"), ("card.json", b"{}")):
            place.store.put(model_key(card.uuid, 1, name), data)
        uuid = place.in_session(end)
        place.store.put(training_key(uuid, OUTCOME_FILE), b"done")
        place.store.delete(training_key(uuid, CHECKPOINTS + "checkpoint.npz"))

    target.restore(place.backup(store=Meddled(place, happens)))
    assert target.rows() == at_rest(place)
    assert target.objects() == backed_up(place)


def test_objects_that_are_lost_or_damaged_are_named(tmp_path, target):
    place = Place(tmp_path / "origin")
    fill(place)
    lost, damaged = image_of(place, b"lost"), image_of(place, b"damaged")
    place.add(lost, damaged)
    place.store.delete(lost.store_key)
    place.store.put(damaged.store_key, b"DAMAGED")
    with pytest.raises(ObjectsMissing) as error:
        place.backup()
    assert error.value.keys == sorted([lost.store_key, damaged.store_key])
    assert lost.store_key in str(error.value)
    backup = place.backup(allow_missing=True)
    assert verify(io.BytesIO(backup))[1].missing == error.value.keys
    target.restore(backup)
    assert target.objects() == {key: data for key, data in backed_up(place).items() if data != b"DAMAGED"}


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path):
    path = tmp_path / "a.backup"

    def write_half() -> None:
        with new_file(path) as file:
            file.write(b"half")
            assert not path.exists()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert not list(tmp_path.iterdir())
    with new_file(path) as file:
        file.write(b"whole")
    assert path.read_bytes() == b"whole"
    assert path.stat().st_mode & 0o77 == 0
    with pytest.raises(BackupError, match="there already"), new_file(path):
        pass
    assert path.read_bytes() == b"whole"


def test_where_there_is_no_database_none_is_made(tmp_path):
    place = Place(tmp_path)
    with pytest.raises(BackupError, match="no database"):
        place.backup()
    assert not list(tmp_path.glob("visionlab.db*"))


def test_models_come_with_their_row(origin, backup, target):
    target.restore(backup)

    async def models(session: AsyncSession) -> list[ModelRow]:
        return list(await session.scalars(select(ModelRow)))

    [model] = target.in_session(models)
    assert target.store.get(model_key(model.uuid, 1, "model.onnx")) == MODEL
