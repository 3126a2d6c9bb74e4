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
from visionlab_inference.generation import generator_inputs
from visionlab_inference.seeds import Latent, Style
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
    assert [spec.name for spec in export.card.inputs] == ["latent", "truncation", "style", "crossover"]

    again = small_stylegan2()
    load_weights(again, export.folder / "weights.npz")
    style = Style(Latent(9), 0.5)
    tensors = generator_inputs([Latent(seed) for seed in range(4)], 16, 0.7, style, mixing=True)
    pictures = served_generator(trained).reference(tensors)["image"]
    np.testing.assert_array_equal(served_generator(again).reference(tensors)["image"], pictures)
    served = onnx_runner(export.folder / "model.onnx")(tensors)["image"]
    assert np.abs(served.astype(int) - pictures).max() <= 1
    assert len({picture.tobytes() for picture in pictures}) == 4


def test_truncation_0_is_the_mean_face(trained: Any) -> None:
    graph = served_generator(trained)
    tensors = generator_inputs([Latent(seed) for seed in range(3)], 16, 0.0, mixing=True)
    mean = graph.function(*(tensors[spec.name] for spec in graph.inputs))["image"].numpy()
    assert np.abs(mean.astype(int) - mean[0]).max() <= 1


def test_other_inputs_than_those_of_a_stylegan2_are_refused() -> None:
    latent, other, style, crossover = (keras.Input((size,)) for size in (8, 2, 8, 1))
    picture = keras.layers.Reshape((2, 2, 3))(
        keras.layers.Dense(12)(keras.layers.Concatenate()([latent, other, style, crossover]))
    )
    with pytest.raises(ExportError, match=r"those of this one are \['N', 2\], \['N', 8\], \['N', 1\]"):
        served_generator(keras.Model([latent, other, style, crossover], picture))
    with pytest.raises(ExportError, match=r"one input .* or four"):
        served_generator(keras.Model([latent, other], keras.layers.Reshape((1, 2, 1))(other)))
