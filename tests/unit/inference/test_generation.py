"""Faces from seeds."""

from __future__ import annotations

import numpy as np
import pytest
from support.lanes import ONE_LANE
from support.tiny_models import DETECTOR, GENERATOR, SIDE, detector_card, detector_onnx, generator_card, generator_onnx

from visionlab_inference.backend import ModelNotServed, ModelVersion
from visionlab_inference.embedded import EmbeddedBackend
from visionlab_inference.generation import generate

MODEL = ModelVersion(GENERATOR, 1)


@pytest.fixture
async def backend():
    backend = EmbeddedBackend(ONE_LANE)
    onnx = generator_onnx()
    await backend.load(generator_card(onnx), lambda name: onnx)
    yield backend
    await backend.close()


async def test_one_picture_for_each_seed(backend):
    made = await generate(backend, MODEL, [1, 2, 1])
    assert made.pixels.shape == (3, SIDE, SIDE, 3)
    assert made.pixels.dtype == np.uint8
    assert np.array_equal(made.pixels[0], made.pixels[2])
    assert not np.array_equal(made.pixels[0], made.pixels[1])
    assert made.seconds > 0


async def test_truncation_draws_towards_the_average(backend):
    full = (await generate(backend, MODEL, range(8))).pixels.astype(float)
    half = (await generate(backend, MODEL, range(8), 0.5)).pixels.astype(float)
    assert half.std() < full.std()


async def test_model_that_is_not_there_or_makes_no_pictures(backend):
    with pytest.raises(ModelNotServed):
        await generate(backend, ModelVersion(GENERATOR, 2), [1])
    onnx = detector_onnx()
    await backend.load(detector_card(onnx), lambda name: onnx)
    with pytest.raises(KeyError, match="latent"):
        await generate(backend, ModelVersion(DETECTOR, 1), [1])
