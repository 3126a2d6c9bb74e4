"""A store, and model versions in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import pytest
from moto.server import ThreadedMotoServer
from support.tiny_models import DETECTOR, detector_card, detector_onnx

from visionlab_core.model_card import ModelCard
from visionlab_core.object_store import FolderObjectStore, ObjectStore, S3Settings, open_store
from visionlab_core.store_layout import model_key

AddModel = Callable[..., ModelCard]


@pytest.fixture
def store(tmp_path) -> FolderObjectStore:
    return FolderObjectStore(tmp_path / "store")


@pytest.fixture
def bucket() -> Iterator[ObjectStore]:
    """A store in an S3 of this process."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {"endpoint": f"http://{host}:{port}", "access_key": "a", "secret_key": "b", "create_bucket": True}
    yield open_store(f"s3://bucket-{uuid4().hex}", S3Settings.model_validate(settings))
    server.stop()


@pytest.fixture
def add(store: FolderObjectStore) -> AddModel:
    """Put a detector into the store; its bytes differ by version."""

    def put(uuid: UUID = DETECTOR, name: str = "first", version: int = 1) -> ModelCard:
        onnx = detector_onnx(version)
        store.put(model_key(uuid, version, "model.onnx"), onnx)
        return detector_card(onnx, uuid, name, version)

    return put
