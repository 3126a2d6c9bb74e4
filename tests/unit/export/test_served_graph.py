"""The graph around the Keras model: preprocessing, calibration, class activation maps, pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from visionlab_export.errors import ExportError
from visionlab_export.serving import served_detector, served_generator


def run(graph: Any, *inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
    return {name: tensor.numpy() for name, tensor in graph.function(*inputs).items()}


def test_the_mean_of_the_activation_map_and_the_bias_are_the_logits(tiny_detector: Any, pictures: NDArray[np.uint8]) -> None:
    answer = run(served_detector(tiny_detector), pictures)
    head = tiny_detector.get_layer("probabilities")
    logits = answer["activation_map"].mean(axis=(1, 2)) + np.asarray(head.bias)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(powers / powers.sum(axis=1, keepdims=True), answer["probabilities"], atol=1e-6)
    assert answer["activation_map"].shape == (8, 16, 16, 4)


def test_images_are_resized_inside(tiny_detector: Any, pictures: NDArray[np.uint8]) -> None:
    small = keras.ops.image.resize(pictures.astype(np.float32), (32, 32), interpolation="bilinear", antialias=False)
    expected = np.asarray(tiny_detector(small, training=False))
    np.testing.assert_allclose(run(served_detector(tiny_detector), pictures)["probabilities"], expected, atol=1e-6)


def test_the_logits_are_divided_by_the_temperature(tiny_detector: Any, pictures: NDArray[np.uint8]) -> None:
    plain = run(served_detector(tiny_detector), pictures)
    warm = run(served_detector(tiny_detector, temperature=2.5), pictures)
    expected = plain["probabilities"] ** (1 / 2.5)
    np.testing.assert_allclose(warm["probabilities"], expected / expected.sum(axis=1, keepdims=True), atol=1e-6)
    np.testing.assert_array_equal(warm["activation_map"], plain["activation_map"])


def test_there_is_no_map_without_global_average_pooling(pictures: NDArray[np.uint8]) -> None:
    pixels = keras.Input((16, 16, 3))
    model = keras.Model(pixels, keras.layers.Dense(4, activation="softmax")(keras.layers.Flatten()(pixels)))
    graph = served_detector(model)
    assert [spec.name for spec in graph.outputs] == ["probabilities"]
    assert set(run(graph, pictures)) == {"probabilities"}


def test_truncation_draws_pictures_towards_the_mean() -> None:
    graph = served_generator(small_generator())
    latent = np.random.default_rng(0).uniform(-1, 1, (4, 10)).astype(np.float32)
    flat = run(graph, latent, np.zeros((4, 1), np.float32))["image"]
    full = run(graph, latent, np.ones((4, 1), np.float32))["image"]
    assert full.dtype == np.uint8
    assert (flat == flat[0]).all()
    assert not (full == full[0]).all()


def test_pixels_are_rounded_and_clipped() -> None:
    wanted = np.array([-7.0, 0.0, 0.4, 0.6, 127.5, 254.4, 255.0, 300.0, 77.4, 77.6, 100.0, 200.0], np.float32)
    latent = keras.Input((12,))
    graph = served_generator(keras.Model(latent, keras.layers.Reshape((2, 2, 3))(latent)))
    pixels = run(graph, (wanted / np.float32(127.5) - 1)[None], np.ones((1, 1), np.float32))["image"].ravel()
    assert pixels.tolist() == [0, 0, 0, 1, 128, 254, 255, 255, 77, 78, 100, 200]


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: network((32, 32, 3), keras.layers.Dense(5, activation="softmax")), "one probability a face class"),
        (lambda: network((32, 32, 3), keras.layers.Dense(4)), "softmax"),
        (lambda: network((32, 32, 3), keras.layers.Softmax(), dense=4), "this one ends in Softmax"),
        (lambda: network((32, 48, 3), keras.layers.Dense(4, activation="softmax")), r"\[N, S, S, 3\]"),
        (lambda: network((None, None, 3), keras.layers.Dense(4, activation="softmax")), "fixed side"),
    ],
)
def test_what_is_no_detector_is_refused(build: Callable[[], Any], says: str) -> None:
    with pytest.raises(ExportError, match=says):
        served_detector(build())


def test_what_is_no_generator_is_refused(tiny_detector: Any) -> None:
    with pytest.raises(ExportError, match="A generator goes from"):
        served_generator(tiny_detector)


def network(shape: tuple[int | None, ...], last: Any, dense: int | None = None) -> Any:
    pixels = keras.Input(shape)
    x = keras.layers.GlobalAveragePooling2D()(pixels)
    x = keras.layers.Dense(dense)(x) if dense else x
    return keras.Model(pixels, last(x))


def small_generator() -> Any:
    latent = keras.Input((10,), name="latent")
    x = keras.layers.Dense(4 * 4 * 8)(latent)
    x = keras.layers.Reshape((4, 4, 8))(x)
    return keras.Model(latent, keras.layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="tanh")(x))
