"""The real server on tiny models, shared by all tests that do not stop or starve it. They share its data too: no test may count
on being alone."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import URL
from support.image_files import png
from support.server import ADMIN_TOKEN, Server
from support.tiny_models import GENERATOR, write_bad_models, write_tiny_models

StartServer = Callable[..., Server]


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_tiny_models(folder)
    return folder


@pytest.fixture(scope="session")
def web_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built web interface, as small as can be."""
    folder = tmp_path_factory.mktemp("web")
    (folder / "index.html").write_text("<!doctype html><title>VisionLab</title>")
    for name in ("home", "home.zh", "detector"):
        (folder / f"{name}.html").write_text(f"<!doctype html><title>VisionLab: {name}</title>")
    (folder / "assets").mkdir()
    (folder / "assets" / "index-abc123.js").write_text("console.log('hello')")
    for ending, data in {"": b"not packed", ".br": b"packed by brotli", ".gz": b"packed by gzip"}.items():
        (folder / "assets" / f"large-abc123.js{ending}").write_bytes(data)
    return folder


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_models: Path, web_folder: Path) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("data"), tiny_models, VISIONLAB_UI_FOLDER=str(web_folder)).start()
    yield server
    server.close()


@pytest.fixture(scope="session")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own for what would disturb the others: bad models beside good ones, models that are disabled, settings that
    are changed. Its folder has a name that is hard on URLs."""
    folder = tmp_path_factory.mktemp("hospital")
    write_tiny_models(folder / "models")
    write_bad_models(folder / "models")
    server = Server(folder / "data of 100 % ?#é", folder / "models").start()
    yield server
    server.close()


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """A browser of its own: with its own cookie, so with a visitor of its own."""
    with httpx.Client(base_url=server.url, timeout=180) as client:
        yield client


@pytest.fixture
def admin(server: Server) -> Iterator[httpx.Client]:
    """A program with the admin token."""
    with httpx.Client(base_url=server.url, timeout=180, headers={"Authorization": f"Bearer {ADMIN_TOKEN}"}) as client:
        yield client


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Start servers of one's own; they end with the test."""
    started = []

    def start(starter_models: Path, folder: Path | None = None, database: URL | None = None, **environment: str | None) -> Server:
        nowhere = str(tmp_path / "none")
        server = Server(folder or tmp_path / "data", starter_models, database, VISIONLAB_UI_FOLDER=nowhere, **environment)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.close()


@pytest.fixture
def faces(client: httpx.Client) -> Callable[..., list[dict[str, Any]]]:
    """Make new faces."""

    def make(count: int = 1, **options: Any) -> list[dict[str, Any]]:
        answer = client.post("/backend/image/generate", json={"models": [str(GENERATOR)], "count": count, **options})
        assert answer.status_code == 201, answer.text
        return answer.json()["images"]

    return make


@pytest.fixture
def upload(client: httpx.Client) -> Callable[..., dict[str, Any]]:
    """Upload an image."""

    def post(data: bytes | None = None, filename: str = "face.png") -> dict[str, Any]:
        answer = client.post("/backend/image", files={"file": (filename, png() if data is None else data)})
        assert answer.status_code == 201, answer.text
        return answer.json()

    return post


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A port at which nobody listens now."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    return find


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port at which connections are taken and never answered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]
