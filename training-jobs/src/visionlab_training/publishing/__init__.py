"""From a finished training to a version folder: the best weights, exported, judged, with a card. Runs on TensorFlow."""

from __future__ import annotations

from pathlib import Path

from visionlab_core.training_spec import DetectorTraining, EnsembleTraining, GeneratorTraining
from visionlab_export.export import Export
from visionlab_training.publication import Publication
from visionlab_training.publishing.detector import publish_detector, publish_ensemble
from visionlab_training.publishing.generator import publish_generator

__all__ = ["publish"]


def publish(
    spec: DetectorTraining | EnsembleTraining | GeneratorTraining,
    run: Path,
    about: Publication,
    out: Path,
    *,
    judge_at_most: int | None = None,
) -> Export:
    """Export the model of a training folder to `out/UUID/VERSION`, with the metrics of every judged split in its card.

    `judge_at_most`: detectors are judged on at most so many images of each split, sources balanced; for trials of a pipeline.

    Raises:
        ExportError, ParityError: as `export_model`.
        CheckpointError: the folder holds no finished weights.
        DataError, SpecError: the data or the bases cannot be used.
    """
    if isinstance(spec, DetectorTraining):
        return publish_detector(spec, run, about, out, judge_at_most)
    if isinstance(spec, EnsembleTraining):
        return publish_ensemble(spec, run, about, out, judge_at_most)
    return publish_generator(spec, run, about, out)
