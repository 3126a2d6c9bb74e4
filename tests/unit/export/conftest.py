"""Small real networks and pictures drawn in code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from visionlab_export.card_draft import CardDraft

SIDE = 32


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    keras.utils.set_random_seed(1)
    yield
    keras.utils.clear_session(free_memory=False)


@pytest.fixture(scope="session")
def pictures() -> NDArray[np.uint8]:
    """Eight pictures of shapes, uint8 [8, 224, 224, 3]."""
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(8):
        image = Image.new("RGB", (224, 224), tuple(random.integers(0, 256, 3).tolist()))
        draw = ImageDraw.Draw(image)
        for _ in range(12):
            x, y, r = random.integers(0, 224, 3).tolist()
            draw.ellipse((x - r / 3, y - r / 3, x + r / 3, y + r / 3), fill=tuple(random.integers(0, 256, 3).tolist()))
        drawn.append(np.asarray(image))
    return np.stack(drawn)


@pytest.fixture
def tiny_detector() -> Any:
    return build_tiny_detector()


def build_tiny_detector(side: int = SIDE) -> Any:
    """A convolution with BatchNorm, global average pooling and one Dense layer; weights that make its answers differ."""
    pixels = keras.Input((side, side, 3), name="pixels")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(pixels)
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="conv")(x)
    x = keras.layers.BatchNormalization(name="bn")(x)
    x = keras.layers.ReLU(6.0, name="relu")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.layers.Dropout(0.2, name="dropout")(x)
    probabilities = keras.layers.Dense(4, activation="softmax", name="probabilities")(x)
    return disturb(keras.Model(pixels, probabilities, name="tiny"))


def disturb(model: Any) -> Any:
    """Give every BatchNorm and bias values that a trained network could have, so that no part of the graph is the identity."""
    random = np.random.default_rng(2)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.gamma.shape
            layer.gamma.assign(random.uniform(0.5, 1.5, shape))
            layer.beta.assign(random.normal(0, 0.3, shape))
            layer.moving_mean.assign(random.normal(0, 0.3, shape))
            layer.moving_variance.assign(random.uniform(0.5, 1.5, shape))
        elif isinstance(layer, keras.layers.Dense) and layer.use_bias:
            layer.kernel.assign(np.asarray(layer.kernel) * 3)
            layer.bias.assign(random.normal(0, 0.3, layer.bias.shape))
    return model


@pytest.fixture
def build_tiny() -> Callable[[], Any]:
    return build_tiny_detector


@pytest.fixture
def disturbed() -> Callable[[Any], Any]:
    return disturb


@pytest.fixture
def draft() -> Callable[..., CardDraft]:
    def make(**fields: Any) -> CardDraft:
        return CardDraft.model_validate({**DRAFT, **fields})

    return make


@pytest.fixture
def draft_fields() -> dict[str, Any]:
    return dict(DRAFT)


DRAFT: dict[str, Any] = {
    "uuid": UUID(int=11),
    "name": "tiny",
    "label": "Tiny",
    "version": 1,
    "kind": "detector",
    "architecture": "Tiny",
    "description": "A network for tests.",
    "licence": "Apache-2.0",
    "provenance": {
        "spec": {},
        "seed": 1,
        "steps": 0,
        "images_seen": 0,
        "device": "CPU",
        "code_version": "0",
        "started_from": "random",
        "data": "nothing",
        "trained_at": datetime(2026, 1, 1, tzinfo=UTC),
    },
}
