"""How well a score separates generated faces from real ones, whatever the threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visionlab_core.face_class import FACE_CLASSES

_GENERATED = np.array([face_class.is_generated for face_class in FACE_CLASSES])


@dataclass(frozen=True, slots=True)
class RocCurve:
    """Shares float64 [K] at falling thresholds, from (0, 0) to (1, 1).

    `false_accusations`: real faces called generated (the false positive rate). `found`: generated faces called so.
    """

    false_accusations: NDArray[np.float64]
    found: NDArray[np.float64]

    def found_at(self, false_accusations: float) -> float:
        """The largest share of generated faces found while at most that share of real faces is accused."""
        return float(self.found[self.false_accusations <= false_accusations].max())


def generated_score(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """The probability float64 [N] that a face is generated, from probabilities [N, 4]."""
    return np.asarray(probabilities.astype(np.float64)[:, _GENERATED].sum(axis=1))


def auroc(scores: NDArray[np.float64], generated: NDArray[np.bool_]) -> float | None:
    """Area under the ROC curve: the chance that a generated face scores higher than a real one, a tie counting half.

    The Mann-Whitney statistic (Hanley & McNeil, 1982). None where one of the two kinds is missing.
    """
    positives = int(generated.sum())
    negatives = len(generated) - positives
    if not positives or not negatives:
        return None
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return float((ranks[generated].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def roc_curve(scores: NDArray[np.float64], generated: NDArray[np.bool_]) -> RocCurve | None:
    """The curve through every distinct score; None where one of the two kinds is missing."""
    positives = int(generated.sum())
    negatives = len(generated) - positives
    if not positives or not negatives:
        return None
    order = np.argsort(-scores, kind="stable")
    last_of_score = np.append(np.diff(scores[order]) != 0, True)
    found = np.cumsum(generated[order])[last_of_score] / positives
    accused = np.cumsum(~generated[order])[last_of_score] / negatives
    return RocCurve(np.insert(accused, 0, 0.0), np.insert(found, 0, 0.0))
