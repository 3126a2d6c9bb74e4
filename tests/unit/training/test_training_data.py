from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.drawn_faces import drawn_face, write_dataset, write_faces

from visionlab_core.face_class import FaceClass
from visionlab_inference.images import prepare
from visionlab_training.data import augment
from visionlab_training.data.batches import (
    DetectorBatches,
    GeneratorBatches,
    as_served,
    centre_crop,
    fit,
    prefetch,
    read_image,
    source_weights,
)
from visionlab_training.data.index import DataError, ImageRow, digest, folder_images, read_manifest


def detector_batches(rows, seed=0):
    return DetectorBatches(rows, batch_size=8, side=48, seed=seed, source_exponent=0.5, compressed_sources=["human-a"])


def test_a_manifest_is_read_row_by_row(tmp_path):
    rows = read_manifest(write_dataset(tmp_path, each=2))
    assert len(rows) == 4 * 2 * 4 * 2
    assert Counter(row.split for row in rows) == {"train": 16, "val": 16, "test": 16, "unseen": 16}
    assert all(row.path.is_file() for row in rows)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("path,class,split\na.jpg,human,train\n", "source"),
        ("path,class,source,split\na.jpg,person,s,train\n", "line 2.*'person'"),
        ("path,class,source,split\na.jpg,human,s,train\nb.jpg,human,s,later\n", "line 3.*'later'"),
    ],
)
def test_a_faulty_manifest_names_its_fault(tmp_path, text, says):
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(DataError, match=says):
        read_manifest(tmp_path / "m.csv")


def test_missing_manifest_folder_and_file_are_named(tmp_path):
    for call in (
        lambda: read_manifest(tmp_path / "none.csv"),
        lambda: folder_images(tmp_path),
        lambda: read_image(tmp_path / "n.jpg"),
    ):
        with pytest.raises(DataError, match=str(tmp_path)):
            call()


def test_a_file_that_is_no_image_is_named(tmp_path):
    (tmp_path / "x.jpg").write_text("not an image")
    with pytest.raises(DataError, match=r"x\.jpg"):
        read_image(tmp_path / "x.jpg")


def test_images_are_read_as_rgb(tmp_path):
    [path] = write_faces(tmp_path, 1)
    assert np.abs(read_image(path).astype(int) - drawn_face(0).astype(int)).mean() < 6


def test_the_digest_says_which_images_and_not_in_which_order():
    rows = [ImageRow(Path(f"{n}.jpg"), FaceClass.HUMAN, "s", "train") for n in range(3)]
    assert digest(rows) == digest(rows[::-1])
    assert digest(rows) != digest(rows[:2])


def test_classes_weigh_alike_and_sources_by_the_root_of_their_size():
    rows = [ImageRow(Path("a"), FaceClass.HUMAN, "big", "train")] * 90 + [
        ImageRow(Path("b"), FaceClass.HUMAN, "small", "train")
    ] * 10
    rows += [ImageRow(Path("c"), FaceClass.ANIME, "big", "train")] * 5
    weights = source_weights(rows, 0.5)
    assert weights[:100].sum() == pytest.approx(0.5)
    assert weights[:90].sum() / weights[90:100].sum() == pytest.approx(3)
    assert weights.sum() == pytest.approx(1)


def test_batches_are_a_function_of_seed_and_step(tmp_path):
    rows = [row for row in read_manifest(write_dataset(tmp_path)) if row.split == "train"]
    images, labels = detector_batches(rows).batch(7)
    again, labels_again = detector_batches(rows).batch(7)
    np.testing.assert_array_equal(images, again)
    np.testing.assert_array_equal(labels, labels_again)
    assert images.shape == (8, 48, 48, 3)
    assert images.dtype == np.uint8
    assert (labels.sum(axis=1) == 1).all()
    assert (detector_batches(rows).batch(8)[0] != images).any()
    assert (detector_batches(rows, seed=1).batch(7)[0] != images).any()


def test_every_image_comes_once_an_epoch(tmp_path):
    paths = write_faces(tmp_path, 6)
    batches = GeneratorBatches(paths, batch_size=3, side=32, crop=1.0, seed=0)
    assert batches.batch(0).shape == (3, 32, 32, 3)
    np.testing.assert_array_equal(batches.batch(5), batches.batch(5))
    mean = [np.concatenate([batches.batch(2 * epoch), batches.batch(2 * epoch + 1)]).mean(axis=(1, 2, 3)) for epoch in range(2)]
    # Mirroring and a slight rescaling hardly change a picture's mean: the same six pictures in another order.
    np.testing.assert_allclose(np.sort(mean[0]), np.sort(mean[1]), atol=8)


def test_fewer_images_than_a_batch_are_refused(tmp_path):
    with pytest.raises(DataError, match="fewer than one batch"):
        GeneratorBatches(write_faces(tmp_path, 2), batch_size=3, side=32, crop=1.0, seed=0)


def test_augmentation_keeps_shape_and_type_and_changes_the_picture():
    for seed in range(60):
        result = augment.augment(drawn_face(seed), np.random.default_rng(seed), lambda image: fit(image, 40))
        assert result.shape == (40, 40, 3)
        assert result.dtype == np.uint8


def test_crop_and_fit():
    image = drawn_face(1, 64)
    assert centre_crop(image, 0.5).shape == (32, 32, 3)
    np.testing.assert_array_equal(centre_crop(image, 0.5), image[16:48, 16:48])
    assert fit(image, 64) is image
    assert fit(image, 20).shape == (20, 20, 3)


def test_training_sees_images_as_they_are_served():
    image = drawn_face(3, 128)
    _, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    served = prepare(data.tobytes()).pixels
    np.testing.assert_array_equal(as_served(image, 224), served)
    np.testing.assert_array_equal(as_served(image, 96), cv2.resize(served, (96, 96), interpolation=cv2.INTER_LINEAR))


def test_prefetch_keeps_the_order_and_hands_on_errors():
    def make(step):
        if step == 7:
            raise DataError("seven")
        return step

    assert list(prefetch(make, 2, 6)) == [2, 3, 4, 5]
    with pytest.raises(DataError, match="seven"):
        list(prefetch(make, 5, 9))
