"""Data sets that are not what they say they are."""

import csv
import logging
import shutil

import cv2
import numpy as np
import pytest
from support.drawn_faces import drawn_face, write_dataset

from visionlab_core.face_class import FaceClass
from visionlab_core.training_spec import DataSource, DetectorData
from visionlab_training.data.check import require_enough, sound
from visionlab_training.data.index import DataError, ImageRow, read_manifest
from visionlab_training.data.rows import detector_rows, with_validation


@pytest.fixture
def manifest(tmp_path):
    return write_dataset(tmp_path / "data", each=4)


def first(rows, split, face_class="human"):
    return next(row for row in rows if row.split == split and row.face_class == face_class)


def test_damaged_files_and_copies_are_left_out_and_named(manifest, tmp_path, caplog):
    rows = read_manifest(manifest)
    truncated = first(rows, "train", "anime").path
    truncated.write_bytes(truncated.read_bytes()[:-300])
    original = first(rows, "train")
    copy = original.path.with_name("again.jpg")
    shutil.copy(original.path, copy)
    rows.append(ImageRow(copy, original.face_class, original.source, "train"))
    with caplog.at_level(logging.WARNING):
        kept = sound(rows, tmp_path / "data.json")
    assert len(kept) == len(rows) - 2
    assert not {truncated, copy} & {row.path for row in kept}
    assert truncated.name in caplog.text
    assert copy.name in caplog.text


def test_a_checked_data_set_is_not_decoded_again_until_a_file_changes(manifest, tmp_path, monkeypatch):
    rows = read_manifest(manifest)
    assert sound(rows, tmp_path / "data.json") == rows
    with monkeypatch.context() as patch:
        patch.setattr("visionlab_training.data.check.inspect", lambda _: pytest.fail("decoded again"))
        assert sound(rows, tmp_path / "data.json") == rows
    changed = first(rows, "test").path
    changed.write_bytes(b"no longer an image")
    assert changed not in {row.path for row in sound(rows, tmp_path / "data.json")}


@pytest.mark.parametrize(
    ("split", "face_class", "says"), [("test", "human", "two splits"), ("train", "human_gen", "two classes")]
)
def test_an_image_in_two_splits_or_classes_is_refused_and_both_are_named(manifest, tmp_path, split, face_class, says):
    rows = read_manifest(manifest)
    original, other = first(rows, "train"), first(rows, split, face_class)
    shutil.copy(original.path, other.path)
    with pytest.raises(DataError, match=says) as caught:
        sound(rows, tmp_path / "data.json")
    assert str(original.path) in str(caught.value)
    assert str(other.path) in str(caught.value)


def test_a_data_set_that_is_mostly_damaged_is_refused(manifest, tmp_path):
    rows = read_manifest(manifest)
    for row in rows[::3]:
        row.path.unlink()
    with pytest.raises(DataError, match="missing or damaged"):
        sound(rows, tmp_path / "data.json")


def rows_of(train, val=0, face_classes=tuple(FaceClass)):
    return [
        ImageRow(__file__, face_class, "s", split)
        for face_class in face_classes
        for split, count in (("train", train), ("val", val))
        for _ in range(count)
    ]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (rows_of(3, 1, [FaceClass.HUMAN]), "3 images.*at least 8"),
        (rows_of(30, 3, [FaceClass.HUMAN]), "class human"),
        ([row for row in rows_of(10, 2) if (row.face_class, row.split) != ("anime", "val")], "No image of anime"),
        ([], "0 images"),
    ],
)
def test_too_little_to_learn_from_is_refused(rows, says):
    with pytest.raises(DataError, match=says):
        require_enough(rows)


def test_a_fifth_of_each_class_validates_where_no_split_does_and_groups_stay_together(tmp_path):
    rows = [ImageRow(tmp_path / f"{c}{i}", c, "s", "train", group=f"{c}{i // 5}") for c in FaceClass for i in range(100)]
    divided = with_validation(rows, 0.2, seed=1)
    for face_class in FaceClass:
        validation = [row for row in divided if row.face_class == face_class and row.split == "val"]
        assert len(validation) == 20
        groups = {row.group for row in validation}
        assert not groups & {row.group for row in divided if row.face_class == face_class and row.split == "train"}
    assert with_validation(rows, 0.2, seed=1) == divided != with_validation(rows, 0.2, seed=2)
    assert with_validation(divided, 0.2, seed=7) == divided


def test_extra_folders_join_the_training_split(manifest, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    for seed in range(5):
        cv2.imwrite(str(folder / f"{seed}.jpg"), drawn_face(9000 + seed))
    data = DetectorData(manifest=manifest, extra=(DataSource(path=folder, face_class=FaceClass.ANIME_GEN, source="own"),))
    rows = detector_rows(data, tmp_path / "run", seed=0)
    assert sum(row.source == "own" and row.split == "train" for row in rows) == 5


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("class", "humn", "'humn'; did you mean human"),
        ("class", "cat", "'cat'; it has to be one of human, human_gen"),
        ("split", "Test", "'Test'; did you mean test"),
    ],
)
def test_labels_that_do_not_exist_are_named_with_the_nearest(manifest, column, value, says):
    with manifest.open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    rows[3][column] = value
    with manifest.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(DataError, match=f"line 5.*{says}"):
        read_manifest(manifest)


def test_shuffled_epochs_hold_each_image_once():
    from visionlab_training.data.batches import DetectorBatches

    rows = rows_of(7)
    batches = DetectorBatches(rows, batch_size=4, side=32, seed=0, sampling="epochs", augmentation="none")
    rng = np.random.default_rng(0)
    picks = np.concatenate([batches._picks(step, rng) for step in range(14)])
    assert sorted(picks[:28]) == sorted(picks[28:]) == list(range(28))
    assert list(picks[:28]) != list(picks[28:])
