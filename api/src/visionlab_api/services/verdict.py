"""A vote in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visionlab_api import schemas
from visionlab_core.face_class import FACE_CLASSES, FaceClass
from visionlab_inference.detection import Vote

_LOOKS_LIKE = {
    FaceClass.HUMAN: "This looks like a real photo of a person.",
    FaceClass.HUMAN_GEN: "This looks like a generated photo of a person.",
    FaceClass.ANIME: "This looks like a cartoon face that an artist drew.",
    FaceClass.ANIME_GEN: "This looks like a generated cartoon face.",
}
_HOW_SURE = ((0.95, "I am very sure"), (0.8, "I am fairly sure"), (0.65, "I am not very sure"), (0.0, "I could easily be wrong"))


def verdict(vote: Vote) -> schemas.Verdict:
    """The answer to 'is it real?', with how sure the models are of that side."""
    called, confidence = vote.called, vote.confidence
    sure = next(words for least, words in _HOW_SURE if confidence >= least)
    percent = min(99, round(confidence * 100))
    return schemas.Verdict(
        probabilities=by_class(vote.probabilities),
        called=called,
        generated=called.is_generated,
        confidence=confidence,
        sentence=f"{_LOOKS_LIKE[called]} {sure} ({percent} %).",
    )


def by_class(probabilities: NDArray[np.float32]) -> dict[FaceClass, float]:
    """A probability vector, float32 [4], as JSON names it."""
    return dict(zip(FACE_CLASSES, probabilities.tolist(), strict=True))
