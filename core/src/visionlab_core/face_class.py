"""The four face classes, in the one order used by tensors, database rows, model cards and pages."""

from __future__ import annotations

from enum import StrEnum


class FaceClass(StrEnum):
    """What a face image is. The definition order is the index order of every probability vector."""

    HUMAN = "human"
    HUMAN_GEN = "human_gen"
    ANIME = "anime"
    ANIME_GEN = "anime_gen"

    @property
    def position(self) -> int:
        """Position of this class in a probability vector, 0 to 3."""
        return FACE_CLASSES.index(self)

    @property
    def is_generated(self) -> bool:
        """True where an AI model made the face."""
        return self in (FaceClass.HUMAN_GEN, FaceClass.ANIME_GEN)

    @property
    def is_human(self) -> bool:
        """True for photographs of people and imitations of them, False for cartoon faces."""
        return self in (FaceClass.HUMAN, FaceClass.HUMAN_GEN)

    @property
    def generated(self) -> FaceClass:
        """The class of generated imitations of this one."""
        return FaceClass.HUMAN_GEN if self.is_human else FaceClass.ANIME_GEN


FACE_CLASSES: tuple[FaceClass, ...] = tuple(FaceClass)
