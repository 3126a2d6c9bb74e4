"""A finished detector beside the one in service: both through the graph that is served, on exactly the same images."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.training_job import COMPARISON_FILE, Comparison
from visionlab_training.data.index import DataError, read_manifest
from visionlab_training.evaluation.paired import agreement, balanced_accuracy, balanced_gain, mcnemar
from visionlab_training.evaluation.served import evaluate_detector
from visionlab_training.whole_file import write_json

SPLIT = "test"
_ONNX = "model.onnx"


def compare(champion: Path, challenger: Path, manifest: Path) -> Comparison:
    """Judge two version folders on the images of a manifest that are in the split `test`.

    Images that are gone or cannot be decoded are left out for both, and counted.

    Raises:
        DataError: the manifest cannot be read, or none of its images.
        UnusableModel: a graph cannot be loaded, or its answers are no finite numbers.
    """
    listed = [row for row in read_manifest(manifest) if row.split == SPLIT]
    rows = [row for row in listed if row.path.is_file()]
    if not rows:
        raise DataError(f"None of the {len(listed)} images on which the versions were to be judged is there any more.")
    first, second = (
        evaluate_detector(folder / _ONNX, rows, splits=(SPLIT,), robustness=0).splits[SPLIT] for folder in (champion, challenger)
    )
    if first.rows != second.rows:
        raise DataError("Images were removed while they were judged. Try the training again.")
    labels = np.array([row.face_class.position for row in first.rows])
    right = [evaluated.probabilities.argmax(axis=1) == labels for evaluated in (first, second)]
    counts = agreement(*right)
    return Comparison(
        images=len(labels),
        left_out=len(listed) - len(labels),
        champion=first.metrics,
        challenger=second.metrics,
        champion_balanced_accuracy=round(balanced_accuracy(right[0], labels), 6),
        challenger_balanced_accuracy=round(balanced_accuracy(right[1], labels), 6),
        agreement=counts,
        p_value=mcnemar(counts.only_champion, counts.only_challenger),
        gain=balanced_gain(right[0], right[1], labels),
        class_gains={
            each: round(second.metrics.classes[each].f1 - first.metrics.classes[each].f1, 6)
            for each in FACE_CLASSES
            if first.metrics.classes[each].support
        },
    )


def write_comparison(champion: Path, challenger: Path, manifest: Path, run: Path) -> Comparison:
    """The same, kept as `comparison.json` in the folder of a training."""
    result = compare(champion, challenger, manifest)
    write_json(run / COMPARISON_FILE, result.model_dump(mode="json"))
    return result
