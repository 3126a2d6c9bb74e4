import sys
from pathlib import Path

import pytest
from support.tiny_models import detector_card, detector_onnx, generator_card, generator_onnx, write_version

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.model_card import (
    ClassMetrics,
    CorruptionMetrics,
    DetectorMetrics,
    GeneratorMetrics,
    Robustness,
    SourceMetrics,
)
from visionlab_training.card_tables import main
from visionlab_training.original import ORIGINAL, beside_the_original

TEXT = "before\n<!-- cards: overview -->\nold\n<!-- /cards -->\nbetween\n<!-- cards: details -->\n<!-- /cards -->\nafter\n"
# As a version from before AUROC, calibration and robustness were measured.
JUDGED = DetectorMetrics(
    images=8,
    data_digest="0" * 64,
    accuracy=0.75,
    source_mean=0.5,
    real_or_generated_accuracy=0.8,
    classes={c: ClassMetrics(precision=0.1, recall=0.2, f1=0.3, support=2) for c in FACE_CLASSES},
    sources={"human/a": SourceMetrics(face_class="human", accuracy=0.25, support=4)},
    confusion=[[1, 1, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 1, 1]],
)
MEASURED = JUDGED.model_copy(
    update={
        "auroc": 0.876,
        "ece": 0.041,
        "ece_uncalibrated": 0.123,
        "robustness": Robustness(
            images=600,
            real_images=300,
            corruptions={"blur 2": CorruptionMetrics(accuracy=0.61, source_mean=0.52, false_accusation_rate=0.43)},
        ),
    }
)
DISTANCE = GeneratorMetrics(
    images=9, generated=8, data_digest="0" * 64, kid=0.125, kid_std=0.01, kid_of_real=0.002, feature_network="none"
)


@pytest.fixture
def models(tmp_path):
    detector, generator = detector_onnx(), generator_onnx()
    write_version(tmp_path / "models", detector_card(detector).model_copy(update={"metrics": {"unseen": JUDGED}}), detector)
    write_version(
        tmp_path / "models", generator_card(generator).model_copy(update={"metrics": {"held-out": DISTANCE}}), generator
    )
    return tmp_path / "models"


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(TEXT)
    return path


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["card_tables", *map(str, arguments)])
    main()


def test_marked_places_say_what_the_cards_say_and_the_rest_stays(models, page, monkeypatch):
    run(monkeypatch, models, page)
    text = page.read_text()
    assert text.startswith("before\n<!-- cards: overview -->\n| model |")
    assert text.endswith("<!-- /cards -->\nafter\n")
    assert "old" not in text
    assert "`unseen`: 75.0% right (mean over sources 50.0%), 25.0% of real faces called generated" in text
    assert "| human/a | 25.0% | 4 |" in text
    assert "**25.0% of real faces are called generated**, 25.0% of generated ones real" in text
    assert "KID 0.1250 ± 0.0100 between 8 generated and 9 held-out real faces" in text
    assert "FID" not in text
    run(monkeypatch, models, page)
    assert page.read_text() == text


def test_the_newest_version_of_each_model_is_shown(models, page, monkeypatch):
    onnx = detector_onnx()
    for version in (2, 10):
        card = detector_card(onnx, version=version).model_copy(update={"metrics": {"test": JUDGED, "unseen": MEASURED}})
        folder = write_version(models, card, onnx)
    (folder / "report.html").write_text("")
    run(monkeypatch, models, page)
    text = page.read_text()
    assert "## Tiny detector, version 10" in text
    assert "version 1\n" in text  # the generator
    assert "Tiny detector, version 1\n" not in text
    assert "version 2\n" not in text
    link = f"models/{card.uuid}/10/report.html"
    assert f"| [Tiny detector]({link}) | 16 | 75.0% | 75.0% | 50.0% | 25.0% | 0.876 | 4.1% |" in text
    assert f"]({link})." in text
    assert "calibration error (ECE) 4.1% (12.3% before temperature scaling)" in text
    assert "600 images, 300 of them real" in text
    assert "| blur 2 | 61.0% | 52.0% | 43.0% |" in text


def test_a_version_without_a_report_has_no_link_and_missing_figures_are_dashes(models, page, monkeypatch):
    run(monkeypatch, models, page)
    text = page.read_text()
    assert "| Tiny detector | 16 | – | 75.0% | 50.0% | 25.0% | – | – |" in text
    assert "report.html" not in text


def test_what_is_known_of_a_generator(models, page, monkeypatch):
    onnx = generator_onnx()
    more = {"fid": 77.7, "fid_of_real": 12.3, "nearest_training": 0.91, "recognised": {"mobilenetv2/2": 0.456}}
    card = generator_card(onnx, version=2).model_copy(update={"metrics": {"held-out": DISTANCE.model_copy(update=more)}})
    write_version(models, card, onnx)
    run(monkeypatch, models, page)
    text = page.read_text()
    assert "FID 77.7, of real faces 12.3." in text
    assert "0.91 times as far from the nearest training image" in text
    assert "detectors call generated: mobilenetv2/2 45.6%." in text


def test_the_original_is_beside_ours():
    card = detector_card(detector_onnx())
    ours = card.model_copy(update={"architecture": "DenseNet121", "metrics": {"test": JUDGED, "unseen": MEASURED}})
    stack = ours.model_copy(update={"architecture": "Stacking", "ensemble": True, "metrics": {"test": JUDGED}})
    vote = stack.model_copy(update={"architecture": "Voting"})
    table = beside_the_original([ours, stack, vote])
    assert "| DenseNet121 | 94.77% | 0.895 / 0.898 | 75.00% | 0.300 / 0.300 | 75.00% | 0.300 / 0.300 |" in table
    assert "| VGG16 | 90.93% | 0.844 / 0.799 | – | – | – | – |" in table
    assert "| stacking ensemble | 99.15% | – | 75.00% | 0.300 / 0.300 | – | – |" in table
    assert table.count("stacking ensemble") == 1
    assert len(ORIGINAL) == 13


def test_a_page_that_is_out_of_date_fails_the_check_and_is_not_touched(models, page, monkeypatch):
    with pytest.raises(SystemExit, match="make generate"):
        run(monkeypatch, "--check", models, page)
    assert page.read_text() == TEXT
    run(monkeypatch, models, page)
    run(monkeypatch, "--check", models, page)


def test_the_shipped_pages_are_marked():
    root = Path(__file__).parents[3]
    assert "<!-- cards: overview -->" in (root / "README.md").read_text()
    assert "<!-- cards: details -->" in (root / "docs/models.md").read_text()
