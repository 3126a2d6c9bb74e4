"""Two versions on the same images, through the graphs that are served."""

from __future__ import annotations

import csv
import json

import pytest
from support.brightness_detector import brightness_detector, grey

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.training_job import Comparison
from visionlab_training.comparison import compare, write_comparison
from visionlab_training.data.index import DataError


@pytest.fixture
def versions(tmp_path):
    folders = []
    for name, right in (("champion", False), ("challenger", True)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "model.onnx").write_bytes(brightness_detector(right=right))
        folders.append(folder)
    return folders


@pytest.fixture
def manifest(tmp_path):
    rows = [("path", "class", "source", "split")]
    for face_class in FACE_CLASSES[:3]:
        for seed in range(5):
            name = f"{face_class}-{seed}.jpg"
            (tmp_path / name).write_bytes(grey(face_class, seed))
            rows.append((name, face_class, "greys", "test"))
    path = tmp_path / "judged.csv"
    with path.open("w", newline="") as handle:
        csv.writer(handle).writerows(rows)
    return path


def test_both_are_judged_on_the_same_images(versions, manifest, tmp_path):
    found = write_comparison(*versions, manifest, tmp_path)
    assert (found.images, found.left_out) == (15, 0)
    assert found.champion.data_digest == found.challenger.data_digest
    assert (found.champion.accuracy, found.challenger.accuracy) == (0, 1)
    assert (found.agreement.only_challenger, found.p_value) == (15, 2 / 2**15)
    assert set(found.class_gains) == set(FACE_CLASSES[:3]), "classes without an image are not judged"
    assert Comparison.model_validate(json.loads((tmp_path / "comparison.json").read_text())) == found


def test_images_that_are_gone_or_damaged_are_left_out_for_both_and_counted(versions, manifest):
    (manifest.parent / "human-0.jpg").unlink()
    (manifest.parent / "anime-1.jpg").write_bytes(b"no image")
    found = compare(*versions, manifest)
    assert (found.images, found.left_out) == (13, 2)
    assert found.champion.images == found.challenger.images == 13


def test_with_no_image_left_it_says_so(versions, manifest):
    for path in manifest.parent.glob("*.jpg"):
        path.unlink()
    with pytest.raises(DataError, match="None of the 15 images"):
        compare(*versions, manifest)
