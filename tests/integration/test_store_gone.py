"""The store is gone for a while, or full: 503 or 507, nothing is half-stored, and all goes on by itself afterwards."""

from __future__ import annotations

import resource
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr
from support.archives import face, zip_of
from support.databases import database_url
from support.image_files import noise_png, png
from support.problem_details import problem_of
from support.tiny_models import DETECTOR, GENERATOR
from support.tus import begin, offset_of, send, upload_file
from support.waiting import block_until

from visionlab_core.object_store import S3Settings, open_store

pytestmark = pytest.mark.slow

FACES = zip_of({f"human/{seed}.jpg": face(seed) for seed in range(3)})


class FolderStore:
    """Another disk, which can be taken out."""

    def __init__(self, folder: Path) -> None:
        self._root = folder / "store"
        self.environment = {"VISIONLAB_STORE_URL": self._root.as_uri()}

    def leave(self) -> None:
        self._root.rename(self._root.with_name("away"))

    def come_back(self) -> None:
        self._root.with_name("away").rename(self._root)

    def close(self) -> None:
        pass


class S3Store:
    """A server of its own; what it holds outlives it."""

    def __init__(self, port: int) -> None:
        self._port = port
        endpoint = f"http://127.0.0.1:{port}"
        self.environment = {
            "VISIONLAB_STORE_URL": "s3://bucket-that-leaves",
            "VISIONLAB_S3_ENDPOINT": endpoint,
            "VISIONLAB_S3_ACCESS_KEY": "someone",
            "VISIONLAB_S3_SECRET_KEY": "something",
        }
        self.come_back()
        keys = {"access_key": "someone", "secret_key": SecretStr("something")}
        open_store("s3://bucket-that-leaves", S3Settings(endpoint=endpoint, create_bucket=True, **keys))

    def come_back(self) -> None:
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self._port, verbose=False)
        self._server.start()

    def leave(self) -> None:
        self._server.stop()

    close = leave


@pytest.fixture(params=["folder", "s3"])
def store(request, tmp_path, free_port):
    store = FolderStore(tmp_path) if request.param == "folder" else S3Store(free_port())
    yield store
    store.close()


def generate(server):
    return server.client.post("/backend/image/generate", json={"models": [str(GENERATOR)], "count": 2})


def listed(server) -> set[str]:
    return {image["uuid"] for image in server.client.get("/backend/image").json()["images"]}


def test_a_store_that_is_gone_is_503_and_nothing_is_listed_that_it_lacks(start_server, tiny_models, store):
    server = start_server(tiny_models, **store.environment)
    [made, _] = generate(server).json()["images"]
    photo = server.client.post("/backend/image", files={"file": ("a.png", png())}).json()
    before = listed(server)
    address = begin(server.admin, len(FACES))
    assert send(server.admin, address, 0, FACES[:2000]).status_code == 204
    uploads = [upload_file(server.admin, "faces.zip", FACES)]

    store.leave()
    problem_of(generate(server), 503, "store-unavailable")
    problem_of(server.client.post("/backend/image", files={"file": ("a.png", png())}), 503, "store-unavailable")
    problem_of(server.client.get(made["url"]), 503, "store-unavailable")
    problem_of(send(server.admin, address, 2000, FACES[2000:]), 503, "store-unavailable")
    dataset = server.admin.post("/backend/dataset", json={"name": "faces", "type": "detector", "uploads": uploads}).json()
    report = f"/backend/dataset/{dataset['uuid']}/report"
    block_until(lambda: "tried again by itself" in (server.admin.get(report).json()["reason"] or ""))
    # Gone at once, though its bytes cannot go yet.
    assert server.client.delete(f"/backend/image/{photo['uuid']}").status_code == 204
    posted = {"files": {"images": ("a.png", png())}, "data": {"models": str(DETECTOR)}}
    assert server.client.post("/backend/image/classify", **posted).status_code == 200
    assert listed(server) == before - {photo["uuid"]}
    block_until(lambda: "visionlab_store_unusable 1.0\n" in server.client.get("/metrics").text)

    store.come_back()
    block_until(lambda: server.client.get(made["url"]).status_code == 200)
    assert generate(server).status_code == 201
    assert offset_of(server.admin, address) == 2000
    assert send(server.admin, address, 2000, FACES[2000:]).status_code == 204
    block_until(lambda: server.admin.get(report).json()["state"] == "ready")
    assert server.admin.get(report).json()["images"] == 3
    block_until(lambda: "visionlab_store_unusable 0.0\n" in server.client.get("/metrics").text)


@contextmanager
def no_file_beyond(server, size: int):
    """As where the disk is full: no file of the server grows beyond so many bytes."""
    before = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_and_leaves_nothing_half_done(start_server, tiny_models, tmp_path):
    server = start_server(tiny_models, database=database_url(tmp_path / "data", "sqlite"))
    made = generate(server).json()["images"]
    address = begin(server.admin, len(FACES))
    assert send(server.admin, address, 0, FACES[:1000]).status_code == 204
    wal = Path(f"{server.database_url.database}-wal")

    # The store is full, the database is not.
    with no_file_beyond(server, wal.stat().st_size + (1 << 20)):
        large = noise_png(800)
        assert len(large) > wal.stat().st_size + (1 << 20)
        # Where forms are received there is no room either.
        problem_of(server.client.post("/backend/image", files={"file": ("a.png", large)}), 507, "disk-full")
        assert generate(server).status_code == 201
    # Both are.
    before = listed(server)
    with no_file_beyond(server, 1500):
        problem_of(server.client.post("/backend/image", files={"file": ("a.png", noise_png(40))}), 507, "store-full")
        answer = generate(server)
        assert answer.status_code in (503, 507), answer.text
        assert int(answer.headers["retry-after"]) >= 1
        answer = send(server.admin, address, 1000, FACES[1000:])
        assert answer.status_code in (503, 507), answer.text
        assert server.client.get(made[0]["url"]).status_code == 200

    assert listed(server) == before
    assert offset_of(server.admin, address) == 1000
    assert send(server.admin, address, 1000, FACES[1000:]).status_code == 204
    assert generate(server).status_code == 201
    assert not list((server.folder / "store" / ".incoming").iterdir())
    with closing(sqlite3.connect(server.database_url.database)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
