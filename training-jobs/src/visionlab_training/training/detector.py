"""The training loop of a detector."""

from __future__ import annotations

import json
import logging
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.training_spec import DetectorTraining
from visionlab_training import zoo
from visionlab_training.data.batches import DetectorBatches, fit, prefetch, read_image
from visionlab_training.data.index import ImageRow, folder_images, read_manifest
from visionlab_training.evaluation.detection import Judgement, judge
from visionlab_training.spec_file import SpecError
from visionlab_training.training import checkpoint
from visionlab_training.training.progress import Progress, StopRequest, write_json
from visionlab_training.training.schedule import warmup_cosine

log = logging.getLogger(__name__)

MIN_SUPPORT = 8


class TrainingDiverged(RuntimeError):
    """The loss is no longer a number; the last checkpoint is kept."""


def rows_of(spec: DetectorTraining) -> list[ImageRow]:
    """All images of a spec: its manifest's, and its extra folders' in the training split."""
    rows = read_manifest(spec.data.manifest)
    for extra in spec.data.extra:
        rows += [ImageRow(path, extra.face_class, extra.source, "train") for path in folder_images(extra.path)]
    return rows


def train_detector(spec: DetectorTraining, folder: Path) -> bool:
    """Train, or go on with a training, in `folder`; the best weights on `val` end up in `folder/best.npz`.

    `val` is judged by `selection_score`. Returns False where a signal stopped it (a checkpoint is written).

    Raises:
        TrainingDiverged: the loss became NaN or infinite.
        DataError, KeyError, SpecError: the data, the architecture or the weights cannot be used.
    """
    keras.utils.set_random_seed(spec.seed)
    rows = rows_of(spec)
    model = zoo.detector(spec.architecture).build(spec.resolution, len(FACE_CLASSES))
    if spec.batch_norm_momentum is not None:
        set_batch_norm_momentum(model, spec.batch_norm_momentum)
    if isinstance(spec.weights, Path):
        load_named_weights(model, spec.weights)
    elif spec.weights == "imagenet":
        raise SpecError("weights: 'imagenet' is not downloaded; give a file of named arrays, or 'none'.")
    optimizer = (
        keras.optimizers.AdamW(spec.learning_rate, weight_decay=spec.weight_decay)
        if spec.optimizer == "adamw"
        else keras.optimizers.RMSprop(spec.learning_rate)
    )
    if spec.optimizer == "adamw":
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    optimizer.build(model.trainable_variables)
    model.compile(
        optimizer=optimizer, loss=keras.losses.CategoricalCrossentropy(label_smoothing=spec.label_smoothing), metrics=["accuracy"]
    )
    groups = {"model": model.variables, "optimizer": optimizer.variables}
    latest, best = folder / "checkpoint.npz", folder / "best.npz"
    start = checkpoint.load(latest, groups) if latest.exists() else 0
    record_path = folder / "best.json"
    best_score = float(json.loads(record_path.read_text())["score"]) if record_path.exists() else -1.0

    batches = DetectorBatches(
        [row for row in rows if row.split == "train"],
        batch_size=spec.batch_size,
        side=spec.resolution,
        seed=spec.seed,
        source_exponent=spec.data.source_exponent,
        compressed_sources=spec.data.compressed_sources,
    )
    validation = [row for row in rows if row.split == "val"]
    progress = Progress(folder, name=spec.name, steps=spec.steps, start=start)
    stop = StopRequest()
    average: dict[str, float] = {}
    class_weights = np.array([1.0 if c.is_generated else spec.real_loss_weight for c in FACE_CLASSES], np.float32)
    step = start
    try:
        for step, (images, labels) in enumerate(prefetch(batches.batch, start, spec.steps), start=start + 1):
            if spec.warmup_steps or spec.optimizer == "adamw":
                rate = warmup_cosine(step - 1, steps=spec.steps, warmup=spec.warmup_steps, peak=spec.learning_rate)
                optimizer.learning_rate.assign(rate)
            loss, accuracy = model.train_on_batch(images.astype(np.float32), labels, sample_weight=labels @ class_weights)
            model.reset_metrics()
            if not np.isfinite(loss):
                raise TrainingDiverged(
                    f"The loss is {loss} at step {step}; lower the learning rate and start again from {latest}."
                )
            for key, value in (("loss", float(loss)), ("accuracy", float(accuracy))):
                average[key] = 0.95 * average.get(key, value) + 0.05 * value
            progress.step(step, average, record=step % 10 == 0 or step == spec.steps)
            if step % spec.validate_every == 0 or step == spec.steps:
                judged = judge_rows(model, validation, spec.resolution)
                score = selection_score(judged)
                log.info("step %d: val accuracy %.4f, mean over its larger sources %.4f", step, judged.accuracy, score)
                if score > best_score:
                    best_score = score
                    checkpoint.save(best, {"model": model.variables}, step)
                    write_json(record_path, {"score": best_score, "accuracy": judged.accuracy, "step": step})
            if stop.requested or step % spec.checkpoint_every == 0 or step == spec.steps:
                checkpoint.save(latest, groups, step)
            if stop.requested:
                return False
    finally:
        progress.close()
    return step >= spec.steps


def selection_score(judgement: Judgement) -> float:
    """The mean accuracy of the sources with at least `MIN_SUPPORT` images: smaller ones would make it a lottery."""
    larger = [source.accuracy for source in judgement.sources.values() if source.support >= MIN_SUPPORT]
    return float(np.mean(larger)) if larger else judgement.accuracy


def judge_rows(model: Any, rows: list[ImageRow], side: int) -> Judgement:
    """Judge a Keras model that takes float pixels [N, side, side, 3] on images as they are (no augmentation)."""
    probabilities = []
    for begin in range(0, len(rows), 64):
        images = np.stack([fit(read_image(row.path), side) for row in rows[begin : begin + 64]])
        probabilities.append(np.asarray(model.predict_on_batch(images.astype(np.float32))))
    return judge(np.concatenate(probabilities), rows)


def set_batch_norm_momentum(model: Any, momentum: float) -> None:
    """Set the momentum of every BatchNormalization layer (Keras' MobileNetV2 has 0.999, too slow for short trainings)."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = momentum


def load_named_weights(model: Any, path: Path) -> None:
    """Fill a model from an .npz of arrays named LAYER/VARIABLE; layers that the file does not name keep their start values.

    Raises:
        SpecError: the file is missing or damaged, or names a variable that the model lacks, or one of another shape.
    """
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise SpecError(f"The weights {path} cannot be read: {error}") from error
    variables = {f"{layer.name}/{variable.name}": variable for layer in model.layers for variable in layer.variables}
    for name, value in arrays.items():
        if name not in variables:
            raise SpecError(f"{path} holds {name!r}, which {model.name} does not have.")
        if tuple(variables[name].shape) != value.shape:
            raise SpecError(f"{path}: {name!r} has shape {value.shape}, the model wants {tuple(variables[name].shape)}.")
        variables[name].assign(value.astype(np.float32))
