"""Copies of a picture are found, other pictures are not taken for it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from support.drawn_faces import drawn_face, portrait
from support.image_files import encoded

from visionlab_inference.images import look
from visionlab_inference.perceptual_hash import HASH_BYTES, SIDE, Alike, perceptual_hash

FACES = 300


@pytest.fixture(scope="module")
def known() -> Alike:
    alike = Alike()
    for seed in range(FACES):
        alike.add(perceptual_hash(portrait(seed)))
    return alike


@pytest.mark.parametrize("quality", [60, 90])
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.5])
def test_copies_are_found(known, quality, scale):
    for seed in range(0, FACES, 30):
        copy = cv2.resize(portrait(seed), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        _, pixels = look(encoded(np.asarray(copy, np.uint8), "JPEG", quality=quality), SIDE)
        assert known.find(perceptual_hash(pixels)) == seed


def test_other_pictures_are_not_taken_for_known_ones(known):
    assert [seed for seed in range(FACES, 2 * FACES) if known.find(perceptual_hash(portrait(seed))) is not None] == []


def test_nothing_is_like_a_picture_where_there_is_none():
    assert Alike().find(perceptual_hash(drawn_face(1))) is None


def test_many_pictures_are_remembered():
    alike = Alike()
    hashes = np.random.default_rng(1).integers(0, 256, (3000, HASH_BYTES), dtype=np.uint8)
    for hash in hashes:
        alike.add(hash.tobytes())
    for number in (0, 7, 8, 1500, 2999):
        assert alike.find(hashes[number].tobytes()) == number


@pytest.mark.parametrize("grey", [0, 255])
def test_a_flat_picture_has_a_hash(grey):
    assert len(perceptual_hash(np.full((64, 64, 3), grey, np.uint8))) == HASH_BYTES
