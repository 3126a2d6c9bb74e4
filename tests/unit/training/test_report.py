"""A report says what was measured, and needs nothing from anywhere."""

import dataclasses
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.tiny_models import detector_card, detector_onnx, generator_card, generator_onnx

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.model_card import CorruptionMetrics, GeneratorMetrics, Robustness
from visionlab_training.data.index import ImageRow
from visionlab_training.evaluation.report import write_pictures, write_report
from visionlab_training.evaluation.served import DetectorEvaluation, SplitEvaluation, split_metrics
from visionlab_training.evaluation.served_generator import GeneratorEvaluation

# A fetch of whatever kind needs one of these.
FETCHES = re.compile(r"""(?:src|href|action|poster|data)\s*=\s*["'](?!data:)|url\(|@import|<script|<link|<iframe|srcset""")


def evaluated(split, seed, temperature=1.0):
    rng = np.random.default_rng(seed)
    rows = [
        ImageRow(Path(f"{number}.jpg"), face_class, f"source{number % 3}", split)
        for face_class in FACE_CLASSES
        for number in range(36)
    ]
    logits = rng.normal(0, 1, (len(rows), 4))
    logits[np.arange(len(rows)), [row.face_class.position for row in rows]] += 1.5
    powers = np.exp(logits)
    probabilities = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    metrics = split_metrics(probabilities, rows, temperature=temperature)
    corruptions = {
        "unchanged": CorruptionMetrics(accuracy=0.9, source_mean=0.8, false_accusation_rate=0.1),
        "JPEG 50": CorruptionMetrics(accuracy=0.611, source_mean=0.8, false_accusation_rate=None),
    }
    robustness = Robustness(images=48, real_images=23, corruptions=corruptions)
    return SplitEvaluation(
        metrics.model_copy(update={"robustness": robustness}), tuple(rows), probabilities, ("bad.jpg: damaged",)
    )


@pytest.fixture
def card():
    onnx = detector_onnx()
    made = detector_card(onnx).provenance.model_copy(update={"spec": {"note": "<script>alert('spec')</script>"}})
    return detector_card(onnx).model_copy(
        update={
            "label": "Tiny <script>alert(1)</script>",
            "limitations": ("Weak on `unseen` & <b>studio</b> portraits.",),
            "provenance": made,
            "temperature": 1.5,
        }
    )


@pytest.fixture
def page(tmp_path, card):
    evaluation = DetectorEvaluation({"test": evaluated("test", 0, 1.5), "unseen": evaluated("unseen", 1, 1.5)}, 1.5)
    history = tmp_path / "metrics.jsonl"
    history.write_text("".join(json.dumps({"step": s, "time": s, "loss": 1 / s, "accuracy": 0.5}) + "\n" for s in range(1, 400)))
    path = write_report(tmp_path / "new" / "out", card, evaluation, history=history)
    assert path == tmp_path / "new" / "out" / "report.html"
    return path.read_text(encoding="utf-8"), evaluation


def test_the_report_of_a_detector_says_what_was_measured(page):
    text, evaluation = page
    for metrics in evaluation.metrics.values():
        for value in (
            metrics.accuracy,
            metrics.source_mean,
            metrics.false_accusation_rate,
            metrics.ece,
            metrics.ece_uncalibrated,
        ):
            assert f"{value * 100:.1f}%" in text
        assert f"{metrics.auroc:.3f}" in text
        for name in metrics.sources:
            assert name in text
    accused = evaluation.metrics["unseen"].false_accusation_rate
    assert f"Of 100 real faces from collections that it never saw, it calls {accused * 100:.0f} generated." in text
    for words in ("JPEG 50", "61.1%", "48 of test (23 real)", "bad.jpg: damaged", "loss by step", "temperature 1.5"):
        assert words in text
    # Two reliability diagrams, one plot of ROC curves, two curves of the training.
    assert text.count('<svg class="chart"') == 5
    assert text.count('<circle class="dot"') > 4


def test_what_a_card_says_is_text_and_not_html(page):
    text, _ = page
    assert "<script" not in text
    assert "Tiny &lt;script&gt;" in text
    assert "Weak on <code>unseen</code> &amp; &lt;b&gt;studio&lt;/b&gt; portraits." in text


def test_a_report_fetches_nothing(page):
    text, _ = page
    assert not FETCHES.search(text)
    assert "http://" not in text
    assert "https://" not in text
    assert "default-src 'none'" in text


def test_a_detector_with_one_split_of_real_faces_only_has_a_report(tmp_path, card):
    whole = evaluated("test", 0)
    rows = [row for row in whole.rows if not row.face_class.is_generated]
    probabilities = whole.probabilities[[not row.face_class.is_generated for row in whole.rows]]
    evaluation = DetectorEvaluation(
        {"test": SplitEvaluation(split_metrics(probabilities, rows), tuple(rows), probabilities, ())}, 1
    )
    text = write_report(tmp_path, card.model_copy(update={"temperature": 1.0}), evaluation).read_text(encoding="utf-8")
    assert "Real against generated" not in text
    assert "Of 100 real faces" not in text
    assert "After compression" not in text
    write_pictures(tmp_path, evaluation)


def test_pictures_of_a_detector_are_written(tmp_path):
    write_pictures(tmp_path / "out", DetectorEvaluation({"test": evaluated("test", 0)}, 1.0))
    for name in ("confusion.png", "sources.png"):
        assert (tmp_path / "out" / name).read_bytes()[:4] == b"\x89PNG"


@pytest.fixture
def generator_evaluation():
    rng = np.random.default_rng(0)
    metrics = GeneratorMetrics(
        images=9,
        generated=64,
        data_digest="0" * 64,
        kid=0.125,
        kid_std=0.01,
        kid_of_real=0.002,
        feature_network="A network",
        fid=77.7,
        fid_of_real=11.1,
        nearest_training=0.93,
        recognised={"mobilenetv2/1": 0.432},
    )
    samples = rng.integers(0, 256, (64, 16, 16, 3), np.uint8)
    sweep = rng.integers(0, 256, (5, 8, 16, 16, 3), np.uint8)
    return GeneratorEvaluation(metrics, samples, sweep, metrics.recognised)


def test_the_report_of_a_generator_says_what_was_measured(tmp_path, generator_evaluation):
    text = write_report(tmp_path, generator_card(generator_onnx()), generator_evaluation).read_text(encoding="utf-8")
    for words in ("0.125", "77.7", "11.1", "0.93", "mobilenetv2/1", "43.2%", "A network"):
        assert words in text
    assert text.count('src="data:image/jpeg;base64,') == 2
    assert "Styles mixed" not in text
    assert not FETCHES.search(text)


def test_the_report_of_a_generator_with_styles_shows_them_mixed(tmp_path, generator_evaluation):
    mixed = dataclasses.replace(generator_evaluation, mixed=generator_evaluation.sweep)
    text = write_report(tmp_path, generator_card(generator_onnx()), mixed).read_text(encoding="utf-8")
    assert "Styles mixed" in text
    assert text.count('src="data:image/jpeg;base64,') == 3


def test_a_generator_without_feature_weights_says_so(tmp_path, generator_evaluation):
    bare = GeneratorEvaluation(None, generator_evaluation.samples, generator_evaluation.sweep, {}, "FID and KID are left out.")
    text = write_report(tmp_path, generator_card(generator_onnx()), bare).read_text(encoding="utf-8")
    assert "FID and KID are left out." in text


def test_pictures_of_a_generator_are_written(tmp_path, generator_evaluation):
    write_pictures(tmp_path, generator_evaluation)
    assert cv2.imread(str(tmp_path / "samples.jpg")).shape == (128, 128, 3)
