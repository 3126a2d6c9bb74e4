"""Figures of detectors and generators, and the served graphs that they come from."""

import itertools
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from support.drawn_faces import drawn_face, write_dataset
from support.tiny_models import detector_onnx, generator_onnx, mixing_onnx

from visionlab_core.face_class import FACE_CLASSES, FaceClass
from visionlab_inference.images import prepare
from visionlab_training.data.index import DataError, ImageRow, read_manifest
from visionlab_training.evaluation.detection import judge
from visionlab_training.evaluation.generation import frechet_distance, kernel_distance, nearest_distance
from visionlab_training.evaluation.roc import auroc, generated_score, roc_curve
from visionlab_training.evaluation.served import (
    UnusableModel,
    evaluate_detector,
    generated_pictures,
    mixed_pictures,
    split_metrics,
)
from visionlab_training.evaluation.served_generator import TRUNCATIONS, RealFaces, evaluate_generator
from visionlab_training.training.gan.loading import refresh_batch_norm

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


def test_the_figures_of_a_card():
    metrics = split_metrics(PROBABILITIES, ROWS)
    assert metrics.images == 4
    assert metrics.false_accusation_rate == pytest.approx(1 / 3)
    assert metrics.missed_rate == 0
    assert metrics.auroc == 1
    assert metrics.ece == metrics.ece_uncalibrated
    # Tops of 0.9 (twice), 0.6 (a little above, in single precision) and 0.7, of which the last is wrong.
    assert {place: count for place, count in enumerate(metrics.reliability.count) if count} == {9: 1, 10: 1, 13: 2}
    assert [metrics.reliability.accuracy[place] for place in (9, 10, 13)] == [1, 0, 1]
    assert metrics.reliability.confidence[13] == pytest.approx(0.9)
    only_real = split_metrics(PROBABILITIES[:3], ROWS[:3])
    assert only_real.auroc is None
    assert only_real.missed_rate is None


def test_auroc_is_the_share_of_pairs_in_the_right_order():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 12, 90) / 12  # with ties
    generated = rng.random(90) < 0.4
    pairs = itertools.product(scores[generated], scores[~generated])
    expected = np.mean([1.0 if g > r else 0.5 if g == r else 0.0 for g, r in pairs])
    assert auroc(scores, generated) == pytest.approx(expected)
    curve = roc_curve(scores, generated)
    assert np.trapezoid(curve.found, curve.false_accusations) == pytest.approx(expected)
    assert auroc(scores, np.zeros(90, bool)) is None
    assert roc_curve(scores, np.ones(90, bool)) is None


def test_an_roc_curve_says_what_is_found_at_a_price():
    generated = np.array([True, True, False, True, False])
    curve = roc_curve(np.array([0.9, 0.8, 0.7, 0.6, 0.5]), generated)
    assert curve.found_at(0) == pytest.approx(2 / 3)
    assert curve.found_at(0.49) == pytest.approx(2 / 3)
    assert curve.found_at(0.5) == 1


def test_the_score_adds_up_the_generated_classes():
    np.testing.assert_allclose(generated_score(PROBABILITIES), [0.1, 0.4, 0.7, 0.9], rtol=1e-6)


def test_kid_is_near_zero_for_one_distribution_and_grows_with_the_distance():
    rng = np.random.default_rng(0)
    same, other = (rng.normal(0, 1, (300, 16)).astype(np.float32) for _ in range(2))
    near = kernel_distance(same, other)
    assert abs(near.mean) < 3 * near.std
    distances = [kernel_distance(same, other + shift).mean for shift in (0.3, 0.6, 1.2)]
    assert near.mean < distances[0] < distances[1] < distances[2]
    with pytest.raises(ValueError, match="two pictures"):
        kernel_distance(same[:1], other)


def test_fid_is_zero_for_one_set_and_what_gaussians_have_in_closed_form():
    rng = np.random.default_rng(0)
    sample = rng.normal(0, 1, (4000, 3))
    assert frechet_distance(sample.astype(np.float32), sample.astype(np.float32)) == pytest.approx(0, abs=1e-4)
    # Diagonal covariances: squared distance of the means plus that of the standard deviations.
    means, deviations = np.array([1.0, -2.0, 0.5]), np.array([2.0, 1.0, 0.25])
    other = rng.normal(0, 1, (4000, 3)) * deviations + means
    expected = (means**2).sum() + ((1 - deviations) ** 2).sum()
    assert frechet_distance(sample.astype(np.float32), other.astype(np.float32)) == pytest.approx(expected, rel=0.05)
    with pytest.raises(ValueError, match="two pictures"):
        frechet_distance(sample[:1].astype(np.float32), other.astype(np.float32))


def test_fid_of_fewer_images_than_features_is_a_number():
    rng = np.random.default_rng(0)
    left, right = rng.normal(0, 1, (10, 40)).astype(np.float32), rng.normal(0, 1, (10, 40)).astype(np.float32)
    assert frechet_distance(left, left) == pytest.approx(0, abs=1e-3)
    assert frechet_distance(left, right) > 1


def test_the_nearest_distance_is_the_median_of_the_nearest():
    rng = np.random.default_rng(0)
    queries, known = rng.normal(0, 1, (600, 5)).astype(np.float32), rng.normal(0, 1, (70, 5)).astype(np.float32)
    expected = np.median([np.linalg.norm(known - query, axis=1).min() for query in queries])
    assert nearest_distance(queries, known) == pytest.approx(expected, rel=1e-5)
    assert nearest_distance(known, known) == pytest.approx(0, abs=1e-3)


@pytest.fixture
def detector(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(detector_onnx(1))
    return path


def test_a_detector_is_judged_on_each_split(tmp_path, detector, capfd):
    rows = read_manifest(write_dataset(tmp_path / "data", each=3))
    evaluation = evaluate_detector(detector, rows, robustness=8)
    assert list(evaluation.metrics) == ["test", "unseen"]
    assert "judging test" in capfd.readouterr().err  # a progress bar
    for split, evaluated in evaluation.splits.items():
        assert evaluated.metrics.images == 24
        assert {row.split for row in evaluated.rows} == {split}
        assert evaluated.probabilities.shape == (24, 4)
        called = evaluated.probabilities.argmax(axis=1)
        truth = [row.face_class.position for row in evaluated.rows]
        assert evaluated.metrics.accuracy == pytest.approx((called == truth).mean(), abs=1e-4)
        robustness = evaluated.metrics.robustness
        assert (robustness.images, robustness.real_images) == (8, 4)
        assert next(iter(robustness.corruptions)) == "unchanged"
        assert {"JPEG 50", "resize 64", "blur 2"} < set(robustness.corruptions)
    assert evaluate_detector(detector, rows, splits=["val"], robustness=0).metrics["val"].robustness is None


def test_damaged_images_are_left_out_and_named(tmp_path, detector):
    manifest = write_dataset(tmp_path / "data", each=2)
    rows = read_manifest(manifest)
    first, second = [row.path for row in rows if row.split == "test"][:2]
    first.write_bytes(first.read_bytes()[:400])
    second.unlink()
    evaluated = evaluate_detector(detector, rows, splits=["test"], robustness=0).splits["test"]
    assert evaluated.metrics.images == 14
    assert [line.split(":")[0] for line in evaluated.unreadable] == [first.name, second.name]
    for row in rows:
        row.path.unlink(missing_ok=True)
    with pytest.raises(DataError, match="No image of the split test can be decoded"):
        evaluate_detector(detector, rows, splits=["test"])


def test_a_split_without_images_is_refused(tmp_path, detector):
    with pytest.raises(DataError, match="no image of the split unseen; it has test"):
        evaluate_detector(detector, ROWS)


@pytest.mark.parametrize(("onnx", "words"), [(b"rubbish", "cannot be loaded"), (detector_onnx(bias=float("nan")), "not finite")])
def test_a_graph_that_cannot_answer_is_refused(tmp_path, onnx, words):
    (tmp_path / "model.onnx").write_bytes(onnx)
    rows = read_manifest(write_dataset(tmp_path / "data", each=1))
    with pytest.raises(UnusableModel, match=words):
        evaluate_detector(tmp_path / "model.onnx", rows)


@pytest.mark.parametrize("onnx", [generator_onnx, mixing_onnx])
def test_pictures_of_a_served_generator_follow_their_seeds(tmp_path, onnx):
    (tmp_path / "model.onnx").write_bytes(onnx())
    whole = generated_pictures(tmp_path / "model.onnx", 20, first_seed=5)
    assert whole.shape == (20, 16, 16, 3)
    np.testing.assert_array_equal(whole[3:5], generated_pictures(tmp_path / "model.onnx", 2, first_seed=8))


def test_mixed_pictures_stand_between_those_that_they_are_mixed_of(tmp_path):
    (tmp_path / "mixing.onnx").write_bytes(mixing_onnx())
    sheet = mixed_pictures(tmp_path / "mixing.onnx", 2, 3)
    assert sheet.shape == (3, 4, 16, 16, 3)
    assert not sheet[0, 0].any()
    own = generated_pictures(tmp_path / "mixing.onnx", 5)
    np.testing.assert_array_equal(sheet[1:, 0], own[:2])
    np.testing.assert_array_equal(sheet[0, 1:], own[2:])
    assert len({picture.tobytes() for line in sheet for picture in line}) == 12, "all differ"
    (tmp_path / "plain.onnx").write_bytes(generator_onnx())
    assert mixed_pictures(tmp_path / "plain.onnx", 2, 3) is None


def test_a_generator_is_shown_to_detectors(tmp_path, detector):
    (tmp_path / "generator.onnx").write_bytes(generator_onnx())
    evaluation = evaluate_generator(tmp_path / "generator.onnx", detectors={"tiny/1": detector}, generated=40)
    assert evaluation.samples.shape == (40, 16, 16, 3)
    assert evaluation.sweep.shape == (len(TRUNCATIONS), 8, 16, 16, 3)
    np.testing.assert_array_equal(evaluation.sweep[-1], evaluation.samples[:8])
    assert evaluation.metrics is None
    assert "left out" in evaluation.incomplete
    assert 0 <= evaluation.recognised["tiny/1"] <= 1
    called = evaluate_rows(detector, evaluation.samples)
    assert evaluation.recognised["tiny/1"] == pytest.approx(called, abs=1e-4)


def evaluate_rows(detector, pictures):
    """The share called generated, the long way round: through PNG files."""
    import onnxruntime as ort

    session = ort.InferenceSession(str(detector))
    files = [cv2.imencode(".png", picture[..., ::-1])[1].tobytes() for picture in pictures]
    [answers] = session.run(["probabilities"], {"image": np.stack([prepare(file).pixels for file in files])})
    return np.mean([FACE_CLASSES[answer.argmax()].is_generated for answer in answers])


@pytest.fixture(scope="module")
def feature_weights(tmp_path_factory):
    """Random weights, normalised to drawn faces so that the features differ at all."""
    path = tmp_path_factory.mktemp("weights") / "mobilenetv2.npz"
    keras.utils.set_random_seed(0)
    network = keras.applications.MobileNetV2(input_shape=(128, 128, 3), include_top=False, weights=None, pooling="avg")
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    network(np.stack([drawn_face(seed, 128) for seed in range(8)]) / np.float32(127.5) - 1, training=True)
    np.savez(path, **{f"{layer.name}/{v.name}": np.asarray(v) for layer in network.layers for v in layer.variables})
    return path


def test_a_generator_is_measured_against_real_faces(tmp_path, feature_weights):
    (tmp_path / "generator.onnx").write_bytes(generator_onnx())
    rows = []
    for number in range(24):
        path = tmp_path / f"{number}.png"
        cv2.imwrite(str(path), drawn_face(number, 128))
        rows.append(ImageRow(path, FaceClass.HUMAN, "drawn", "train" if number < 12 else "test"))
    real = RealFaces(rows[:12], rows[12:])
    metrics = evaluate_generator(tmp_path / "generator.onnx", real, feature_weights=feature_weights, generated=16).metrics
    assert (metrics.images, metrics.generated, metrics.training_images) == (12, 16, 12)
    assert metrics.fid > metrics.fid_of_real > 0
    assert metrics.kid > metrics.kid_of_real
    assert metrics.nearest_training > 0
    assert "MobileNetV2" in metrics.feature_network


def test_refreshed_batch_norm_has_the_statistics_of_the_weights():
    noise = keras.Input((2,))
    layer = keras.layers.BatchNormalization(momentum=0.9)
    model = keras.Model(noise, layer(keras.layers.Rescaling(3.0, offset=5.0)(noise)))
    refresh_batch_norm(model, seed=0)
    np.testing.assert_allclose(np.asarray(layer.moving_mean), [5, 5], atol=0.15)
    np.testing.assert_allclose(np.asarray(layer.moving_variance), [3, 3], atol=0.15)  # 9 * 1/3, uniform on -1 ... 1
    assert layer.momentum == 0.9
