"""Faces from seeds."""

from __future__ import annotations

import numpy as np
import pytest
from support.lanes import ONE_LANE
from support.tiny_models import (
    DETECTOR,
    GENERATOR,
    MIXER,
    SIDE,
    detector_card,
    detector_onnx,
    generator_card,
    generator_onnx,
    mixing_card,
    mixing_onnx,
)

from visionlab_inference.backend import ModelNotServed, ModelVersion
from visionlab_inference.embedded import EmbeddedBackend
from visionlab_inference.generation import generate
from visionlab_inference.seeds import Latent, Step, Style

MODEL = ModelVersion(GENERATOR, 1)


@pytest.fixture
async def backend():
    backend = EmbeddedBackend(ONE_LANE)
    onnx = generator_onnx()
    await backend.load(generator_card(onnx), lambda name: onnx)
    yield backend
    await backend.close()


async def test_one_picture_for_each_seed(backend):
    made = await generate(backend, MODEL, [Latent(1), Latent(2), Latent(1)])
    assert made.pixels.shape == (3, SIDE, SIDE, 3)
    assert made.pixels.dtype == np.uint8
    assert np.array_equal(made.pixels[0], made.pixels[2])
    assert not np.array_equal(made.pixels[0], made.pixels[1])
    assert made.seconds > 0


async def test_truncation_draws_towards_the_average(backend):
    full = (await generate(backend, MODEL, [Latent(seed) for seed in range(8)])).pixels.astype(float)
    half = (await generate(backend, MODEL, [Latent(seed) for seed in range(8)], 0.5)).pixels.astype(float)
    assert half.std() < full.std()


async def test_model_that_is_not_there_or_makes_no_pictures(backend):
    with pytest.raises(ModelNotServed):
        await generate(backend, ModelVersion(GENERATOR, 2), [Latent(1)])
    onnx = detector_onnx()
    await backend.load(detector_card(onnx), lambda name: onnx)
    with pytest.raises(KeyError, match="latent"):
        await generate(backend, ModelVersion(DETECTOR, 1), [Latent(1)])


async def test_neighbour_is_like_its_face_and_not_the_same(backend):
    pictures = (await generate(backend, MODEL, [Latent(1), Latent(1, (Step(9, 0.2),)), Latent(2)])).pixels.astype(float)
    own, neighbour, stranger = pictures
    assert 0 < np.abs(own - neighbour).mean() < 0.5 * np.abs(own - stranger).mean()


async def test_styles_of_two_faces_are_mixed(backend):
    onnx = mixing_onnx()
    await backend.load(mixing_card(onnx), lambda name: onnx)
    model = ModelVersion(MIXER, 1)
    pair = [Latent(1), Latent(2)]
    own = (await generate(backend, model, pair)).pixels
    assert np.array_equal(own, (await generate(backend, MODEL, pair)).pixels), "its own styles are those of one that has none"
    all_of_3, half, none_of_3 = [
        (await generate(backend, model, pair, style=Style(Latent(3), crossover))).pixels for crossover in (0.0, 0.5, 1.0)
    ]
    [third] = (await generate(backend, model, [Latent(3)])).pixels
    assert np.array_equal(all_of_3, [third, third])
    assert np.array_equal(none_of_3, own)
    assert not np.array_equal(half[0], half[1])
    assert not np.array_equal(half, own)


async def test_model_without_styles_mixes_none(backend):
    with pytest.raises(ValueError, match="Tiny generator has no styles"):
        await generate(backend, MODEL, [Latent(1)], style=Style(Latent(2), 0.5))
