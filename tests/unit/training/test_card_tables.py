import sys
from pathlib import Path

import pytest
from support.tiny_models import detector_card, detector_onnx, generator_card, generator_onnx, write_version

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.model_card import ClassMetrics, DetectorMetrics, GeneratorMetrics, SourceMetrics
from visionlab_training.card_tables import main

TEXT = "before\n<!-- cards: overview -->\nold\n<!-- /cards -->\nbetween\n<!-- cards: details -->\n<!-- /cards -->\nafter\n"


@pytest.fixture
def models(tmp_path):
    judged = DetectorMetrics(
        images=4,
        data_digest="0" * 64,
        accuracy=0.75,
        source_mean=0.5,
        real_or_generated_accuracy=0.8,
        classes={c: ClassMetrics(precision=0.1, recall=0.2, f1=0.3, support=1) for c in FACE_CLASSES},
        sources={"human/a": SourceMetrics(face_class="human", accuracy=0.25, support=4)},
        confusion=[[1, 0, 0, 0]] * 4,
    )
    distance = GeneratorMetrics(
        images=9, generated=8, data_digest="0" * 64, kid=0.125, kid_std=0.01, kid_of_real=0.002, feature_network="none"
    )
    detector, generator = detector_onnx(), generator_onnx()
    write_version(tmp_path / "models", detector_card(detector).model_copy(update={"metrics": {"unseen": judged}}), detector)
    write_version(
        tmp_path / "models", generator_card(generator).model_copy(update={"metrics": {"held-out": distance}}), generator
    )
    return tmp_path / "models"


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["card_tables", *map(str, arguments)])
    main()


def test_marked_places_say_what_the_cards_say_and_the_rest_stays(models, tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text(TEXT)
    run(monkeypatch, models, page)
    text = page.read_text()
    assert text.startswith("before\n<!-- cards: overview -->\n| model |")
    assert text.endswith("<!-- /cards -->\nafter\n")
    assert "old" not in text
    assert "`unseen`: 75.0% right (mean over sources 50.0%)" in text
    assert "| human/a | 25.0% | 4 |" in text
    assert "KID 0.1250 ± 0.0100 between 8 generated and 9 held-out real faces" in text
    run(monkeypatch, models, page)
    assert page.read_text() == text


def test_a_page_that_is_out_of_date_fails_the_check_and_is_not_touched(models, tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text(TEXT)
    with pytest.raises(SystemExit, match="make generate"):
        run(monkeypatch, "--check", models, page)
    assert page.read_text() == TEXT
    run(monkeypatch, models, page)
    run(monkeypatch, "--check", models, page)


def test_the_shipped_pages_are_marked():
    root = Path(__file__).parents[3]
    assert "<!-- cards: overview -->" in (root / "README.md").read_text()
    assert "<!-- cards: details -->" in (root / "docs/models.md").read_text()
