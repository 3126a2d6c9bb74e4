import os
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
from support.tiny_models import generator_onnx

from visionlab_core.face_class import FaceClass
from visionlab_training.data.index import ImageRow
from visionlab_training.evaluation.detection import judge
from visionlab_training.evaluation.generation import kernel_distance
from visionlab_training.evaluation.pictures import confusion_matrices, source_bars
from visionlab_training.evaluation.served import as_metrics, generated_pictures
from visionlab_training.publishing import refresh_batch_norm

ROWS = [
    ImageRow(Path("1"), FaceClass.HUMAN, "big", "test"),
    ImageRow(Path("2"), FaceClass.HUMAN, "big", "test"),
    ImageRow(Path("3"), FaceClass.HUMAN, "small", "test"),
    ImageRow(Path("4"), FaceClass.ANIME_GEN, "gan", "test"),
]
# Right, right, called human_gen, right.
PROBABILITIES = np.array([[0.9, 0.1, 0, 0], [0.6, 0.4, 0, 0], [0.3, 0.7, 0, 0], [0, 0, 0.1, 0.9]], np.float32)


def test_a_judgement_counts_by_class_and_by_source():
    judged = judge(PROBABILITIES, ROWS)
    assert judged.accuracy == 0.75
    assert judged.confusion == [[2, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    assert judged.classes["human"].recall == pytest.approx(2 / 3)
    assert judged.classes["human"].precision == 1
    assert judged.classes["human"].f1 == pytest.approx(0.8)
    assert judged.classes["human_gen"].precision == 0
    assert judged.sources["human/small"].accuracy == 0
    # Three sources, 1, 0 and 1: the big one does not hide the small one.
    assert judged.source_mean == pytest.approx(2 / 3)
    assert judged.real_or_generated_accuracy == 0.75


def test_pictures_of_a_judgement_are_written(tmp_path):
    metrics = {"test": as_metrics(judge(PROBABILITIES, ROWS), "0" * 64)}
    confusion_matrices(tmp_path / "confusion.png", metrics)
    source_bars(tmp_path / "sources.png", metrics)
    for name in ("confusion.png", "sources.png"):
        assert (tmp_path / name).read_bytes()[:4] == b"\x89PNG"


def test_kid_is_near_zero_for_one_distribution_and_grows_with_the_distance():
    rng = np.random.default_rng(0)
    same, other = (rng.normal(0, 1, (300, 16)).astype(np.float32) for _ in range(2))
    near = kernel_distance(same, other)
    assert abs(near.mean) < 3 * near.std
    distances = [kernel_distance(same, other + shift).mean for shift in (0.3, 0.6, 1.2)]
    assert near.mean < distances[0] < distances[1] < distances[2]
    with pytest.raises(ValueError, match="two pictures"):
        kernel_distance(same[:1], other)


def test_refreshed_batch_norm_has_the_statistics_of_the_weights():
    noise = keras.Input((2,))
    layer = keras.layers.BatchNormalization(momentum=0.9)
    model = keras.Model(noise, layer(keras.layers.Rescaling(3.0, offset=5.0)(noise)))
    refresh_batch_norm(model, seed=0)
    np.testing.assert_allclose(np.asarray(layer.moving_mean), [5, 5], atol=0.15)
    np.testing.assert_allclose(np.asarray(layer.moving_variance), [3, 3], atol=0.15)  # 9 * 1/3, uniform on -1 ... 1
    assert layer.momentum == 0.9


def test_pictures_of_a_served_generator_follow_their_seeds(tmp_path):
    (tmp_path / "model.onnx").write_bytes(generator_onnx())
    whole = generated_pictures(tmp_path / "model.onnx", 20, first_seed=5)
    assert whole.shape == (20, 16, 16, 3)
    np.testing.assert_array_equal(whole[3:5], generated_pictures(tmp_path / "model.onnx", 2, first_seed=8))
