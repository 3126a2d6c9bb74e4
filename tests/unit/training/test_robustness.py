"""Corruptions do what their names say, to the same images each time."""

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.drawn_faces import drawn_face

from visionlab_core.face_class import FaceClass
from visionlab_training.data.index import ImageRow
from visionlab_training.evaluation.robustness import CORRUPTIONS, balanced_subset, corrupted

FACE = drawn_face(1, 128)


def decoded(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def difference(name, image=FACE):
    return np.abs(decoded(corrupted(image, name)).astype(float) - image).mean()


def sharpness(image):
    return np.diff(image.astype(float), axis=1).std()


def test_unchanged_is_unchanged():
    np.testing.assert_array_equal(decoded(corrupted(FACE, "unchanged")), FACE)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_images_keep_their_size_and_shape(name):
    assert decoded(corrupted(FACE, name)).shape == (128, 128, 3)
    assert decoded(corrupted(drawn_face(1, 300)[:, :200], name)).shape == (192, 128, 3)


def test_jpeg_is_jpeg_of_falling_quality():
    sizes = []
    for quality in (90, 75, 50):
        data = corrupted(FACE, f"JPEG {quality}")
        assert data[:2] == b"\xff\xd8"
        sizes.append(len(data))
    assert sizes == sorted(sizes, reverse=True)
    assert 0 < difference("JPEG 90") < difference("JPEG 50")


@pytest.mark.parametrize(("weak", "strong"), [("resize 96", "resize 64"), ("blur 1", "blur 2")])
def test_the_stronger_one_takes_more_away(weak, strong):
    assert 0 < difference(weak) < difference(strong)
    assert sharpness(FACE) > sharpness(decoded(corrupted(FACE, weak))) > sharpness(decoded(corrupted(FACE, strong)))


def test_resizing_leaves_no_more_detail_than_the_small_image_had():
    stripes = np.zeros((128, 128, 3), np.uint8)
    stripes[:, ::2] = 255
    assert decoded(corrupted(stripes, "resize 64")).std() < 3


def test_a_blur_has_its_sigma():
    point = np.zeros((129, 129, 3), np.uint8)[:128, :128]
    point[64, 64] = 255
    spread = decoded(corrupted(point, "blur 2"))[..., 0].astype(float)
    places = np.arange(128) - 64
    assert np.sqrt((spread.sum(axis=0) * places**2).sum() / spread.sum()) == pytest.approx(2, abs=0.25)


def rows(**sizes):
    return [
        ImageRow(Path(f"{name}-{number}.jpg"), FaceClass.HUMAN_GEN if "gan" in name else FaceClass.HUMAN, name, "test")
        for name, size in sizes.items()
        for number in range(size)
    ]


def test_a_subset_is_half_real_with_sources_in_turn():
    subset = balanced_subset(rows(large=500, small=10, gan_a=300, gan_b=300, gan_c=3), 80)
    assert Counter(row.source for row in subset) == {"large": 30, "small": 10, "gan_a": 19, "gan_b": 18, "gan_c": 3}


def test_a_subset_is_the_same_whatever_the_order_of_the_rows():
    all_rows = rows(a=50, gan=50)
    assert balanced_subset(all_rows, 20) == balanced_subset(all_rows[::-1], 20)
    assert {row.path for row in balanced_subset(all_rows, 20)} < {row.path for row in balanced_subset(all_rows, 30)}


def test_a_subset_of_few_rows_is_all_of_them():
    few = rows(a=3, gan=2)
    assert set(balanced_subset(few, 100)) == set(few)
