"""Judging detectors: accuracy, per-class figures, confusion matrix, per source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visionlab_core.face_class import FACE_CLASSES
from visionlab_training.data.index import ImageRow


@dataclass(frozen=True)
class ClassFigures:
    """Precision, recall and F1 of one class, and how many images of it were judged."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class SourceFigures:
    """Share of a source's images that got their own class, and how many there were."""

    face_class: str
    accuracy: float
    support: int


@dataclass(frozen=True)
class Judgement:
    """A detector on one split. `confusion[i][j]` counts images of class i that were called class j."""

    accuracy: float
    source_mean: float
    real_or_generated_accuracy: float
    classes: dict[str, ClassFigures]
    sources: dict[str, SourceFigures]
    confusion: list[list[int]]


def judge(probabilities: NDArray[np.float32], rows: Sequence[ImageRow]) -> Judgement:
    """Compare probabilities [N, 4] with the classes of the N rows.

    `source_mean` is the mean of the accuracies of all (class, source) pairs, so that a big easy source hides no small hard one.
    """
    truth = np.array([row.face_class.position for row in rows])
    called = probabilities.argmax(axis=1)
    size = len(FACE_CLASSES)
    confusion = np.zeros((size, size), np.int64)
    np.add.at(confusion, (truth, called), 1)
    classes = {}
    for face_class in FACE_CLASSES:
        i = face_class.position
        hits = confusion[i, i]
        precision = hits / max(1, confusion[:, i].sum())
        recall = hits / max(1, confusion[i].sum())
        f1 = 2 * precision * recall / max(1e-12, precision + recall)
        classes[face_class.value] = ClassFigures(float(precision), float(recall), float(f1), int(confusion[i].sum()))
    sources = {}
    keys = np.array([f"{row.face_class}/{row.source}" for row in rows])
    for key in sorted(set(keys)):
        chosen = keys == key
        sources[str(key)] = SourceFigures(
            str(key).split("/")[0], float((called[chosen] == truth[chosen]).mean()), int(chosen.sum())
        )
    generated = np.array([c.is_generated for c in FACE_CLASSES])
    return Judgement(
        accuracy=float((called == truth).mean()),
        source_mean=float(np.mean([figures.accuracy for figures in sources.values()])),
        real_or_generated_accuracy=float((generated[called] == generated[truth]).mean()),
        classes=classes,
        sources=sources,
        confusion=confusion.tolist(),
    )
