"""The order of the face classes is a contract: tensors, rows and cards count on it."""

from __future__ import annotations

import pytest

from visionlab_core.face_class import FACE_CLASSES, FaceClass


def test_the_order() -> None:
    assert FACE_CLASSES == ("human", "human_gen", "anime", "anime_gen")
    assert [FACE_CLASSES.index(face) for face in FaceClass] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("face", "is_generated", "is_human", "generated"),
    [
        (FaceClass.HUMAN, False, True, FaceClass.HUMAN_GEN),
        (FaceClass.HUMAN_GEN, True, True, FaceClass.HUMAN_GEN),
        (FaceClass.ANIME, False, False, FaceClass.ANIME_GEN),
        (FaceClass.ANIME_GEN, True, False, FaceClass.ANIME_GEN),
    ],
)
def test_what_a_class_is(face: FaceClass, is_generated: bool, is_human: bool, generated: FaceClass) -> None:
    assert (face.is_generated, face.is_human, face.generated) == (is_generated, is_human, generated)


@pytest.mark.parametrize("name", ["Human", "human-gen", "", "cat"])
def test_other_names_are_none(name: str) -> None:
    with pytest.raises(ValueError, match="FaceClass"):
        FaceClass(name)
