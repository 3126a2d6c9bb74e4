"""Publishing detectors and ensembles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.model_card import Metrics, ModelCard
from visionlab_core.training_spec import DetectorLearning, DetectorTraining, EnsembleTraining
from visionlab_export.export import Export, export_model
from visionlab_inference.images import DETECTOR_SIDE, prepare
from visionlab_training.data.index import ImageRow
from visionlab_training.data.rows import detector_rows
from visionlab_training.evaluation.calibration import fit_temperature
from visionlab_training.evaluation.report import write_pictures, write_report
from visionlab_training.evaluation.robustness import balanced_subset
from visionlab_training.evaluation.served import evaluate_detector
from visionlab_training.publication import Publication
from visionlab_training.publishing.provenance import METRICS_FILE, card_draft
from visionlab_training.training import checkpoint
from visionlab_training.training.detector import build
from visionlab_training.training.ensemble import base_cards, build_ensemble
from visionlab_training.training.learning import BEST_FILE, probabilities_of
from visionlab_training.training.weights import load_named_weights

JUDGED_SPLITS = ("test", "unseen")
_GATE_IMAGES = 12
_ROBUSTNESS_IMAGES = 300
"""Images of each split that are judged after each corruption: with large ensembles on a few CPUs, more take long."""


def publish_detector(
    spec: DetectorTraining, run: Path, about: Publication, out: Path, judge_at_most: int | None = None
) -> Export:
    """Export the best weights of a training, calibrated on its validation split and judged on the others.

    Raises:
        ExportError, ParityError: as `export_model`.
        CheckpointError: the folder holds no best weights of this network.
    """
    model = build(spec)
    step = checkpoint.load(run / BEST_FILE, {"model": model.weights})
    if spec.start_share:
        mix_with_start(model, spec)
    return _publish(spec, model, spec.resolution, run, about, out, judge_at_most, architecture=spec.architecture, steps=step)


def publish_ensemble(
    spec: EnsembleTraining, run: Path, about: Publication, out: Path, judge_at_most: int | None = None
) -> Export:
    """Export a stack with its best weights, or a vote; otherwise as `publish_detector`."""
    model = build_ensemble(spec)
    stacking = spec.method == "stacking"
    step = checkpoint.load(run / BEST_FILE, {"model": model.weights}) if stacking else 0
    bases = base_cards(spec)
    name = "Stacking" if stacking else "Voting"
    return _publish(
        spec,
        model,
        DETECTOR_SIDE,
        run,
        about,
        out,
        judge_at_most,
        architecture=name,
        steps=step,
        ensemble=True,
        base_models=tuple(card.uuid for card in bases),
        base_versions=tuple(card.version for card in bases),
    )


def _publish(
    spec: DetectorLearning,
    model: Any,
    side: int,
    run: Path,
    about: Publication,
    out: Path,
    judge_at_most: int | None,
    **draft_fields: Any,
) -> Export:
    rows = detector_rows(spec.data, run, seed=spec.seed)
    validation = [row for row in rows if row.split == "val"]
    labels = np.array([row.face_class.position for row in validation])
    if spec.most_false_accusations is not None:
        spare_real_faces(model, probabilities_of(model, validation, side), labels, spec.most_false_accusations)
    # A temperature below 1 makes answers more confident than the network is, on the word of sources that it knows. On those that
    # it does not know, it is then too sure: 6.9 % calibration error instead of 1.5 % (EfficientNet-Lite0, temperature 0.67).
    temperature = max(1.0, fit_temperature(probabilities_of(model, validation, side), labels))
    judged = [split for split in JUDGED_SPLITS if any(row.split == split for row in rows)] or ["val"]
    if judge_at_most is not None:
        of_split = {split: [row for row in rows if row.split == split] for split in judged}
        rows = [row for members in of_split.values() for row in balanced_subset(members, judge_at_most)]
    history = run / METRICS_FILE

    def measure(onnx: Path, card: ModelCard) -> Mapping[str, Metrics]:
        evaluation = evaluate_detector(onnx, rows, splits=judged, robustness=_ROBUSTNESS_IMAGES, temperature=temperature)
        write_pictures(onnx.parent, evaluation)
        write_report(onnx.parent, card, evaluation, history=history if history.exists() else None)
        return dict(evaluation.metrics)

    draft = card_draft(spec, about, run, kind="detector", temperature=temperature, **draft_fields)
    images = np.stack([prepare(row.path.read_bytes()).pixels for row in _examples(validation)])
    return export_model(model, draft, out, images=images, measure=measure, keep_saved_model=False, progress=print)


def mix_with_start(model: Any, spec: DetectorTraining) -> None:
    """Make the weights the mean of theirs and of those that the training began with, by `start_share`."""
    assert isinstance(spec.weights, Path)
    learnt = [np.array(variable) for variable in model.weights]
    load_named_weights(model, spec.weights, whole=True)
    for variable, value in zip(model.weights, learnt, strict=True):
        variable.assign(spec.start_share * np.array(variable) + (1 - spec.start_share) * value)


def spare_real_faces(model: Any, probabilities: NDArray[np.float32], labels: NDArray[np.int64], most: float) -> float:
    """Lower the biases of the generated classes until at most `most` of the real faces are called generated; gives by how much.

    Nothing is changed where that is so already. `probabilities` [N, 4] are the model's for images whose classes are `labels` [N].
    The order of the images by how generated they look stays as it is: this moves along the ROC curve.
    """
    generated = np.array([c.is_generated for c in FACE_CLASSES])
    logits = np.log(np.maximum(probabilities[~generated[labels]], 1e-12).astype(np.float64))
    if not len(logits):
        return 0.0
    # A face is called real once its best generated class has been lowered below its best real one.
    needed = np.sort(logits[:, generated].max(axis=1) - logits[:, ~generated].max(axis=1))
    lowered = max(0.0, float(needed[len(needed) - 1 - int(most * len(needed))]) + 1e-6)
    head = model.get_layer("probabilities")
    head.bias.assign(np.asarray(head.bias) - lowered * generated.astype(np.float32))
    return lowered


def _examples(validation: list[ImageRow]) -> list[ImageRow]:
    """Images for the parity gate: of each class in turn, as far as they go."""
    by_class = [[row for row in validation if row.face_class == c] for c in FACE_CLASSES]
    found = [rows[place] for place in range(_GATE_IMAGES) for rows in by_class if place < len(rows)]
    return (found * _GATE_IMAGES)[:_GATE_IMAGES]
