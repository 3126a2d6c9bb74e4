"""A StyleGAN2 is the same picture for picture in Keras, as a SavedModel, in ONNX Runtime, and from its weights file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from visionlab_export.card_draft import CardDraft
from visionlab_export.errors import ExportError
from visionlab_export.export import export_model
from visionlab_export.onnx_file import onnx_runner
from visionlab_export.serving import served_generator
from visionlab_export.weights import load_weights
from visionlab_inference.seeds import uniform_latents
from visionlab_training.zoo import stylegan2


def small_stylegan2() -> Any:
    return stylegan2.generator(32, latent_size=16, mapping_layers=8, mapping_learning_rate=0.01, base=256, most=16)


@pytest.fixture
def trained() -> Any:
    """One whose noise, biases and average of w are not those of a start."""
    random = np.random.default_rng(0)
    model = small_stylegan2()
    for variable in model.weights:
        if len(variable.shape) < 2:
            variable.assign(np.asarray(variable) + random.normal(0, 0.2, variable.shape))
    return model


def test_all_runtimes_and_the_weights_file_make_the_same_pictures(
    trained: Any, draft: Callable[..., CardDraft], tmp_path: Path
) -> None:
    about = draft(kind="generator", architecture="StyleGAN2", face_class="human_gen")
    export = export_model(trained, about, tmp_path)  # the parity gate is in it
    assert export.parity.worst("image").passed
    assert [spec.name for spec in export.card.inputs] == ["latent", "truncation"]

    again = small_stylegan2()
    load_weights(again, export.folder / "weights.npz")
    tensors = {"latent": uniform_latents(range(4), 16), "truncation": np.full((4, 1), 0.7, np.float32)}
    pictures = served_generator(trained).reference(tensors)["image"]
    np.testing.assert_array_equal(served_generator(again).reference(tensors)["image"], pictures)
    served = onnx_runner(export.folder / "model.onnx")(tensors)["image"]
    assert np.abs(served.astype(int) - pictures).max() <= 1
    assert len({picture.tobytes() for picture in pictures}) == 4


def test_truncation_0_is_the_mean_face(trained: Any) -> None:
    graph = served_generator(trained)
    mean = graph.function(uniform_latents(range(3), 16), np.zeros((3, 1), np.float32))["image"].numpy()
    assert np.abs(mean.astype(int) - mean[0]).max() <= 1


def test_a_second_input_that_is_no_truncation_is_refused() -> None:
    latent, other = keras.Input((8,)), keras.Input((2,))
    picture = keras.layers.Reshape((2, 2, 3))(keras.layers.Dense(12)(keras.layers.Concatenate()([latent, other])))
    with pytest.raises(ExportError, match=r"truncation, \[N, 1\]; that of this one is \['N', 2\]"):
        served_generator(keras.Model([latent, other], picture))
    third = keras.Input((1,))
    with pytest.raises(ExportError, match=r"one input .* or two"):
        served_generator(keras.Model([latent, other, third], [picture, third]))
