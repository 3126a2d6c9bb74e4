"""Data sets are read to the same end, whatever breaks a reading off, and trainings can read what comes out."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from support.archives import encrypted, face, resaved, tar_of, zip_of
from support.databases import database_url
from support.image_files import black_png, encoded, picture, png

from visionlab_api import schemas
from visionlab_api.configuration import ApiConfiguration
from visionlab_api.database.engine import migrate, open_engine
from visionlab_api.database.tables import DatasetFileRow, DatasetRow, ImageRow, UploadRow
from visionlab_api.problems import ProblemError
from visionlab_api.reconcile import datasets as loop_module
from visionlab_api.reconcile.datasets import DatasetLoop
from visionlab_api.services import dataset_reading
from visionlab_api.services.datasets import content_digest, create_dataset, hold_dataset, let_go, remove_dataset
from visionlab_api.services.fates import Fate
from visionlab_api.services.uploads import Uploads
from visionlab_core.face_class import FaceClass
from visionlab_core.object_store import FolderObjectStore, ObjectStore, S3Settings, StoreFull, open_store
from visionlab_core.store_layout import dataset_manifest_key, image_key
from visionlab_core.training_spec import DetectorData, GeneratorData
from visionlab_training.data.index import read_manifest
from visionlab_training.data.rows import detector_rows

# The database goes away, and nothing is written any more: as near to a SIGKILL as one process can come.
BREAK = OperationalError("statement", {}, Exception("gone"))


@dataclass
class Place:
    """A database, a store, and the loop between them."""

    folder: Path
    sessions: async_sessionmaker[AsyncSession]
    store: ObjectStore
    uploads: Uploads
    configuration: ApiConfiguration

    def loop(self) -> DatasetLoop:
        return DatasetLoop(self.sessions, self.store, self.configuration)

    async def upload(self, filename: str, data: bytes) -> UUID:
        async def chunks():
            yield data

        row = await self.uploads.create(filename, "", len(data))
        await self.uploads.write(row.uuid, 0, chunks(), announced=len(data), checksum=None)
        return row.uuid

    async def wish(self, *files: tuple[str, bytes], face_class: str | None = "human", name: str | None = None) -> UUID:
        uploads = [await self.upload(*file) for file in files]
        request = schemas.DatasetRequest(name=name or f"set-{uuid4()}", type="detector", face_class=face_class, uploads=uploads)
        async with self.sessions() as session:
            return (await create_dataset(session, request)).uuid

    async def read(self, dataset: UUID) -> DatasetRow:
        await self.loop().round("pending", "reading")
        return await self.row(dataset)

    async def row(self, dataset: UUID) -> DatasetRow | None:
        async with self.sessions() as session:
            return await session.scalar(select(DatasetRow).where(DatasetRow.uuid == dataset))

    async def fates(self, dataset: UUID) -> dict[str, str]:
        async with self.sessions() as session:
            rows = await session.scalars(
                select(DatasetFileRow).join(DatasetRow).where(DatasetRow.uuid == dataset).order_by(DatasetFileRow.position)
            )
            return {row.path: row.fate for row in rows}

    async def lapse(self) -> None:
        """What a killed process held is free, as some seconds later."""
        async with self.sessions() as session:
            await session.execute(update(DatasetRow).values(holder=None))
            await session.commit()


@asynccontextmanager
async def opened(folder: Path, store: ObjectStore) -> AsyncIterator[Place]:
    url = database_url(folder)
    migrate(url)
    engine = open_engine(url)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    configuration = ApiConfiguration(max_dataset_files=200, max_dataset_bytes=200 * 2**20)
    yield Place(folder, sessions, store, Uploads(sessions, store, configuration), configuration)
    await engine.dispose()


@pytest.fixture
async def place(tmp_path):
    async with opened(tmp_path, FolderObjectStore(tmp_path / "store")) as place:
        yield place


FACES = {f"{seed}.jpg": face(seed) for seed in range(12)}
DIGEST = content_digest(("human", sha256(data).hexdigest()) for data in FACES.values())


async def test_every_file_has_its_fate(place):
    files = {
        "good.jpg": face(1),
        "also good.png": png(300, 200),
        "again.jpg": face(1),
        "resaved.jpg": resaved(1),
        "notes.txt": b"hello",
        "empty.jpg": b"",
        "moving.gif": encoded(picture(64, 64), "GIF"),
        "cut.jpg": face(2)[:600],
        "tiny.png": png(4, 4),
        "pixel bomb.png": black_png(30_000, 30_000),
        "../escape.jpg": face(3),
        "inner.zip": zip_of({"a.jpg": face(4)}),
        "inner.tar": tar_of({"a.jpg": face(4)}),
        "readme.md": b"# faces",
    }
    dataset = await place.wish(("faces.zip", zip_of(files)))
    row = await place.read(dataset)
    assert (row.state, row.reason, row.images, row.files, row.progress) == ("ready", None, 2, 14, 1.0)
    fates = await place.fates(dataset)
    assert fates == {
        "good.jpg": "kept",
        "also good.png": "kept",
        "again.jpg": "duplicate",
        "resaved.jpg": "similar",
        "notes.txt": "not_an_image",
        "empty.jpg": "not_an_image",
        "moving.gif": "not_an_image",
        "cut.jpg": "broken",
        "tiny.png": "too_small",
        "pixel bomb.png": "too_large",
        "../escape.jpg": "unsafe_name",
        "inner.zip": "nested_archive",
        "inner.tar": "nested_archive",
        "readme.md": "not_an_image",
    }
    assert row.fates == Counter(fates.values())
    assert row.classes == {"human": 2}
    assert row.sizes == {"64": 1, "128": 1}
    async with place.sessions() as session:
        refused = await session.scalars(select(DatasetFileRow).where(DatasetFileRow.fate != "kept"))
        assert all(file.reason and file.reason.endswith(".") for file in refused)


async def test_archives_and_images_make_one_dataset(place):
    dataset = await place.wish(
        ("a.zip", zip_of({"1.jpg": face(1)})),
        ("b.tar", tar_of({"1.jpg": face(2)})),
        ("c.tar.gz", tar_of({"1.jpg": face(3), "2.jpg": face(1)}, "w:gz")),
        ("d.jpg", face(4)),
        ("e.zip", encrypted(zip_of({"secret.jpg": face(5)}))),
    )
    row = await place.read(dataset)
    assert row.state == "ready"
    assert await place.fates(dataset) == {
        "a.zip/1.jpg": "kept",
        "b.tar/1.jpg": "kept",
        "c.tar.gz/1.jpg": "kept",
        "c.tar.gz/2.jpg": "duplicate",
        "d.jpg/d.jpg": "kept",
        "e.zip/secret.jpg": "encrypted",
    }
    assert not [info.key for info in place.store.list("uploads/")] or await place.uploads.sweep()
    assert [info.key for info in place.store.list("uploads/")] == [], "what was made use of takes no room"


async def test_folders_name_classes(place):
    files = {
        "set/human/1.jpg": face(1),
        "set/Anime_Gen/old/2.jpg": face(2),
        "set/cats/3.jpg": face(3),
        "anime/4.jpg": face(1),
        "human/5.jpg": face(1),
    }
    dataset = await place.wish(("faces.zip", zip_of(files)), face_class=None)
    row = await place.read(dataset)
    assert list((await place.fates(dataset)).values()) == ["kept", "kept", "no_class", "other_class", "duplicate"]
    assert row.classes == {"human": 1, "anime_gen": 1}


async def test_a_training_reads_what_comes_out(place):
    files = {f"{each}/{seed}.jpg": face(seed + 20 * each.position) for each in FaceClass for seed in range(10)}
    dataset = await place.wish(("faces.zip", zip_of(files)), face_class=None, name="mine")
    await place.read(dataset)
    async with place.sessions() as session:
        frozen = await hold_dataset(session, place.store, dataset, uuid4())
        await session.commit()
    assert frozen.classes == dict.fromkeys(FaceClass, 10)
    manifest = place.store.local_path(frozen.manifest_key)
    rows = read_manifest(manifest)
    assert {(row.source, row.split) for row in rows} == {("mine", "train")}
    learnt = detector_rows(DetectorData(manifest=manifest), place.folder / "training", seed=0)
    assert Counter(row.face_class for row in learnt) == dict.fromkeys(FaceClass, 10)
    for row in learnt:
        assert row.path.read_bytes() in files.values()
    GeneratorData(manifest=manifest, sources=("mine",))


async def test_the_digest_names_the_images_alone(place):
    shuffled = list(FACES.items())
    random.Random(1).shuffle(shuffled)
    digests = set()
    for archive in (zip_of(FACES), tar_of(dict(shuffled), "w:gz"), zip_of({**FACES, "more.txt": b"x", "again.jpg": face(3)})):
        row = await place.read(await place.wish(("faces.zip", archive)))
        digests.add(row.digest)
    assert digests == {DIGEST}
    other = await place.read(await place.wish(("faces.zip", zip_of(FACES)), face_class="anime"))
    assert other.digest != DIGEST


@pytest.mark.parametrize("pack", [zip_of, lambda files: tar_of(files, "w:gz")], ids=["zip", "tar.gz"])
async def test_a_reading_that_was_broken_off_goes_on(place, pack, monkeypatch):
    monkeypatch.setattr(dataset_reading, "MOST_IN_A_BATCH", 3)
    dataset = await place.wish(("faces.zip", pack({**FACES, "again.jpg": face(0), "text.txt": b"x"})))
    seen = []
    batch = dataset_reading.DatasetReading.batch
    for _ in range(3):

        def dies(self):
            found = batch(self)
            seen.append([file.position for file in found])
            if len(seen) % 2 == 0:
                raise BREAK  # what is read is not yet written
            return found

        monkeypatch.setattr(dataset_reading.DatasetReading, "batch", dies)
        with pytest.raises(OperationalError):
            await place.read(dataset)
        await place.lapse()
        assert (await place.row(dataset)).state == "reading"
    monkeypatch.setattr(dataset_reading.DatasetReading, "batch", batch)
    row = await place.read(dataset)
    assert (row.state, row.digest, row.images, row.files) == ("ready", DIGEST, 12, 14)
    assert row.fates == {"kept": 12, "duplicate": 1, "not_an_image": 1}
    assert len(await place.fates(dataset)) == 14
    assert len(list(place.store.list(f"datasets/{dataset}/images/"))) == 12


async def test_s3_holds_the_same_dataset(tmp_path):
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"access_key": "someone", "secret_key": "something", "create_bucket": True}
    store = open_store("s3://faces/some/prefix", S3Settings.model_validate({"endpoint": f"http://{host}:{port}", **keys}))
    try:
        async with opened(tmp_path, store) as place:
            for archive in (zip_of(FACES), tar_of(FACES, "w:gz")):
                dataset = await place.wish(("faces.zip", archive))
                row = await place.read(dataset)
                assert (row.state, row.reason, row.digest) == ("ready", None, DIGEST)
            assert store.get(dataset_manifest_key(dataset, DIGEST)).count(b"../images/human/") == len(FACES)
            async with place.sessions() as session:
                await remove_dataset(session, dataset)
            await place.loop().round("deleting")
            await place.uploads.sweep()
            assert not any(info.key.startswith((f"datasets/{dataset}", "uploads/")) for info in store.list())
    finally:
        server.stop()


async def test_one_that_breaks_its_reader_every_time_is_given_up(place, monkeypatch):
    def dies(self):
        raise BREAK

    monkeypatch.setattr(dataset_reading.DatasetReading, "batch", dies)
    dataset = await place.wish(("faces.zip", zip_of(FACES)))
    for _ in range(loop_module.MOST_ATTEMPTS):
        with pytest.raises(OperationalError):
            await place.read(dataset)
        await place.lapse()
    row = await place.read(dataset)
    assert (row.state, row.images) == ("failed", 0)
    assert "broken off 5 times" in row.reason


async def test_a_full_store_is_waited_for(place, monkeypatch):
    dataset = await place.wish(("faces.zip", zip_of(FACES)))
    put = FolderObjectStore.put

    def full(self, key, data, **options):
        raise StoreFull("no room here; make room")

    monkeypatch.setattr(FolderObjectStore, "put", full)
    loop = place.loop()
    await loop.round("pending", "reading")
    row = await place.row(dataset)
    assert row.state == "reading"
    assert "no room here" in row.reason
    await loop.round("pending", "reading")  # not at once: nothing happens
    monkeypatch.setattr(FolderObjectStore, "put", put)
    row = await place.read(dataset)
    assert (row.state, row.reason, row.digest) == ("ready", None, DIGEST)


@pytest.mark.parametrize(
    ("archive", "words"),
    [
        (zip_of({f"{i}.txt": b"x" for i in range(201)}), "more files"),
        (zip_of(FACES)[:-40], "damaged"),
        (tar_of(FACES)[:9000], "damaged"),
        (zip_of({"a.txt": b"x"}), "None of the files"),
        (zip_of({}), "None of the files"),
        (b"what is this", "None of the files"),
    ],
    ids=["too many files", "cut zip", "cut tar", "no image", "nothing", "no archive"],
)
async def test_what_cannot_be_read_fails_with_a_reason_and_its_upload_stays(place, archive, words):
    dataset = await place.wish(("faces.zip", archive), name="first")
    row = await place.read(dataset)
    assert row.state == "failed"
    assert words in row.reason
    assert row.ended_at is not None
    async with place.sessions() as session:
        [upload] = await session.scalars(select(UploadRow))
        assert (upload.claimed_by, upload.status) == (None, "done")
        await remove_dataset(session, dataset)
        again = schemas.DatasetRequest(name="first", type="detector", face_class="human", uploads=[upload.uuid])
        await create_dataset(session, again)


async def test_limits_hold_over_all_uploads_together(place):
    archives = [(f"{i}.zip", zip_of({f"{i}-{j}.txt": b"x" for j in range(80)})) for i in range(3)]
    row = await place.read(await place.wish(*archives))
    assert row.state == "failed"
    assert "more files" in row.reason


async def test_a_removed_dataset_leaves_nothing(place):
    dataset = await place.wish(("faces.zip", zip_of(FACES)), name="mine")
    other = await place.wish(("faces.zip", zip_of(FACES)))
    await place.read(dataset)
    kept = await place.read(other)
    async with place.sessions() as session:
        await remove_dataset(session, dataset)
        with pytest.raises(ProblemError, match="no data set"):
            await remove_dataset(session, dataset)
    await place.wish(("faces.zip", zip_of(FACES)), name="mine")  # the name is free at once
    await place.loop().round("deleting")
    assert await place.row(dataset) is None
    assert list(place.store.list(f"datasets/{dataset}/")) == []
    async with place.sessions() as session:
        rows = await session.scalar(select(func.count()).select_from(DatasetFileRow))
    assert rows == kept.files


async def test_a_dataset_stays_while_a_training_uses_it(place):
    dataset, training = await place.wish(("faces.zip", zip_of(FACES))), uuid4()
    async with place.sessions() as session:
        with pytest.raises(ProblemError, match="pending"):
            await hold_dataset(session, place.store, dataset, training)
    await place.read(dataset)
    async with place.sessions() as session:
        frozen = await hold_dataset(session, place.store, dataset, training)
        assert frozen.digest == DIGEST
        await session.commit()
        with pytest.raises(ProblemError, match="1 trainings"):
            await remove_dataset(session, dataset)
        await let_go(session, training)
        await session.commit()
        await remove_dataset(session, dataset)


def image(store, number: int, **columns) -> ImageRow:
    data, uuid = face(number), uuid4()
    key = image_key(uuid, ".jpg")
    store.put(key, data)
    digest = sha256(data).hexdigest()
    what = {"content_type": "image/jpeg", "size": len(data), "width": 64, "height": 64}
    return ImageRow(uuid=uuid, store_key=key, sha256=digest, visitor=uuid4(), **what, **columns)


async def test_virtual_datasets_are_what_people_labelled_and_generators_made(place):
    made = {"model_uuid": uuid4(), "model_name": "gan", "model_version": 3, "seed": 1}
    async with place.sessions() as session:
        session.add_all(
            [
                *(image(place.store, seed, image_type="uploaded", class_label="human", shared=True) for seed in (1, 2)),
                image(place.store, 3, image_type="uploaded", class_label=None, shared=True),
                # The same file, and a later word on it.
                image(place.store, 2, image_type="uploaded", class_label="anime", shared=True),
                image(place.store, 7, image_type="uploaded", class_label="anime", shared=False),
                *(image(place.store, seed, image_type="generated", class_label="human_gen", **made) for seed in (4, 5, 6)),
            ]
        )
        await session.commit()
        virtual = {row.origin: row for row in await session.scalars(select(DatasetRow).where(DatasetRow.type == "detector"))}
        labelled = await hold_dataset(session, place.store, virtual["labelled"].uuid, uuid4())
        generated = await hold_dataset(session, place.store, virtual["generated"].uuid, uuid4())
        assert labelled.classes == {"human": 1, "anime": 1}
        assert generated.classes == {"human_gen": 3}
        rows = read_manifest(place.store.local_path(labelled.manifest_key))
        assert {(row.path.read_bytes(), row.face_class, row.source) for row in rows} == {
            (face(1), FaceClass.HUMAN, "labelled"),
            (face(2), FaceClass.ANIME, "labelled"),
        }
        assert {row.source for row in read_manifest(place.store.local_path(generated.manifest_key))} == {"gan-v3"}
        # What was frozen stays as it was.
        session.add(image(place.store, 8, image_type="uploaded", class_label="human", shared=True))
        await session.commit()
        later = await hold_dataset(session, place.store, virtual["labelled"].uuid, uuid4())
        assert later.digest != labelled.digest
        assert len(read_manifest(place.store.local_path(labelled.manifest_key))) == 2


async def test_an_empty_virtual_dataset_cannot_be_used(place):
    async with place.sessions() as session:
        row = await session.scalar(select(DatasetRow).where(DatasetRow.origin == "labelled"))
        with pytest.raises(ProblemError, match="no image yet"):
            await hold_dataset(session, place.store, row.uuid, uuid4())
        with pytest.raises(ProblemError, match="goes with them"):
            await remove_dataset(session, row.uuid)


def test_fates_fit_their_column():
    assert max(len(fate) for fate in Fate) <= 16
