"""A store, and model versions in it."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from support.tiny_models import DETECTOR, detector_card, detector_onnx

from visionlab_core.model_card import ModelCard
from visionlab_core.object_store import FolderObjectStore
from visionlab_core.store_layout import model_key

AddModel = Callable[..., ModelCard]


@pytest.fixture
def store(tmp_path) -> FolderObjectStore:
    return FolderObjectStore(tmp_path / "store")


@pytest.fixture
def add(store: FolderObjectStore) -> AddModel:
    """Put a detector into the store; its bytes differ by version."""

    def put(uuid: UUID = DETECTOR, name: str = "first", version: int = 1) -> ModelCard:
        onnx = detector_onnx(version)
        store.put(model_key(uuid, version, "model.onnx"), onnx)
        return detector_card(onnx, uuid, name, version)

    return put
