"""The training loop of a classifier of faces: one for single networks and for ensembles."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.training_spec import DetectorLearning
from visionlab_training.data.batches import DetectorBatches, as_served, prefetch, read_image
from visionlab_training.data.index import ImageRow
from visionlab_training.evaluation.detection import Judgement, judge
from visionlab_training.spec_file import SpecError
from visionlab_training.training import checkpoint
from visionlab_training.training.budget import StepBudget
from visionlab_training.training.errors import TrainingDiverged
from visionlab_training.training.gradients import CompiledStep, device_count, minimise
from visionlab_training.training.progress import Progress, StopRequest
from visionlab_training.training.schedule import warmup_cosine
from visionlab_training.whole_file import write_json

log = logging.getLogger(__name__)

MIN_SUPPORT = 8
BEST_FILE = "best.npz"
LATEST_FILE = "checkpoint.npz"
_READ_EVERY = 10
"""Losses are read from the device once in so many steps: each reading waits for it."""


@dataclass(frozen=True, slots=True)
class Networks:
    """What is trained, at `side` pixels, and where the spec wants averaged weights a second network that holds them."""

    model: Any
    average: Any | None
    side: int

    @property
    def judged(self) -> Any:
        """The network that is judged and kept."""
        return self.model if self.average is None else self.average


class Learner:
    """One step of a detector: forward, loss, gradient, optimiser, average."""

    def __init__(self, spec: DetectorLearning, networks: Networks) -> None:
        self._spec = spec
        self._networks = networks
        self._class_weights = np.array([1.0 if c.is_generated else spec.real_loss_weight for c in FACE_CLASSES], np.float32)
        self._optimizer = _optimizer(spec)
        self._optimizer.build(networks.model.trainable_variables)
        averaged = [] if networks.average is None else networks.average.weights
        self._compiled = CompiledStep(self._step, [*networks.model.variables, *averaged, *self._optimizer.variables])
        self.groups = {"model": networks.model.variables, "optimizer": self._optimizer.variables}
        if networks.average is not None:
            networks.average.set_weights(networks.model.get_weights())
            self.groups["average"] = averaged

    def step(self, images: Any, labels: Any, *, step: int, steps: int) -> dict[str, Any]:
        """One step on uint8 [B, S, S, 3] and one-hot float32 [B, 4]; `step` counts from 1. Gives loss and accuracy."""
        spec = self._spec
        rate = spec.learning_rate
        if spec.schedule == "cosine":
            rate = warmup_cosine(step - 1, steps=steps, warmup=spec.warmup_steps, peak=rate)
        elif step <= spec.warmup_steps:
            rate *= step / spec.warmup_steps
        decay = min(spec.ema_decay, step / (10 + step))
        return self._compiled(images, labels, np.float32(rate), np.float32(decay))

    def sync(self) -> None:
        """Bring the networks up to date with the device."""
        self._compiled.sync()

    def _step(self, images: Any, labels: Any, rate: Any, decay: Any) -> dict[str, Any]:
        model = self._networks.model
        pixels = ops.cast(images, "float32")
        smoothing = self._spec.label_smoothing
        wanted = labels * (1 - smoothing) + smoothing / len(FACE_CLASSES)
        sample_weights = ops.matmul(labels, ops.convert_to_tensor(self._class_weights[:, None]))[:, 0]

        def loss() -> tuple[Any, dict[str, Any]]:
            probabilities = model(pixels, training=True)
            each = keras.losses.categorical_crossentropy(wanted, probabilities)
            right = ops.equal(ops.argmax(probabilities, axis=1), ops.argmax(labels, axis=1))
            return ops.mean(each * sample_weights), {"accuracy": ops.mean(ops.cast(right, "float32"))}

        self._optimizer.learning_rate.assign(rate)
        value, beside = minimise(loss, model.trainable_variables, self._optimizer)
        if self._networks.average is not None:
            for target, source in zip(self._networks.average.weights, model.weights, strict=True):
                target.assign(target * decay + source * (1 - decay))
        return {"loss": value, **beside}


def learn(
    spec: DetectorLearning, networks: Networks, rows: Sequence[ImageRow], folder: Path, *, budget: float | None = None
) -> bool:
    """Train, or go on with a training, in `folder`; the best weights on `val` end up in `folder/best.npz`.

    With `budget` (seconds) the number of steps is fixed from the speed of the first ones; see StepBudget. Returns False where a
    signal stopped the training (a checkpoint is written).

    Raises:
        TrainingDiverged: the loss became NaN or infinite; the last checkpoint is from before that.
        SpecError: the batches cannot be split over the devices.
        CheckpointError: the folder holds the checkpoint of another training.
    """
    if spec.batch_size % device_count():
        raise SpecError(f"batch_size {spec.batch_size} cannot be split over {device_count()} devices.")
    training = [row for row in rows if row.split == "train"]
    validation = [row for row in rows if row.split == "val"]
    an_epoch = -(-len(training) // spec.batch_size)
    wanted = spec.steps or an_epoch * (spec.epochs or 1)
    validate_every = spec.validate_every or an_epoch
    learner = Learner(spec, networks)
    latest = folder / LATEST_FILE
    start = checkpoint.load(latest, learner.groups) if latest.exists() else 0
    best = _Best(folder, networks, spec.select_by)
    batches = DetectorBatches(
        training,
        batch_size=spec.batch_size,
        side=networks.side,
        seed=spec.seed,
        sampling=spec.sampling,
        augmentation=spec.augmentation,
        source_exponent=spec.data.source_exponent,
        compressed_sources=spec.data.compressed_sources,
    )
    progress = Progress(folder, name=spec.name, steps=wanted, start=start)
    plan = StepBudget(folder, wanted, budget)
    stop = StopRequest()
    unread: list[dict[str, Any]] = []
    average = progress.metrics_before()
    step = start
    try:
        for step, (images, labels) in enumerate(prefetch(batches.batch, start, plan.steps), start=start + 1):
            unread.append(learner.step(images, labels, step=step, steps=plan.steps))
            steps = plan.after(step)
            last = step >= steps
            validates = step % validate_every == 0 or last
            # Read once: asked for in the middle of a step, the stop is the next one's, which then has its checkpoint.
            stops = stop.requested
            saves = step % spec.checkpoint_every == 0 or last or stops
            if step % _READ_EVERY == 0 or validates or saves:
                _read(unread, average, step)
                progress.step(step, average, steps=steps)
            if validates or saves:
                learner.sync()
            if validates:
                judged = judge_rows(networks.judged, validation, networks.side)
                best.offer(judged, step)
                progress.validated(step, val_accuracy=judged.accuracy, val_source_mean=judged.source_mean)
                log.info("step %d: val accuracy %.4f, mean over sources %.4f", step, judged.accuracy, judged.source_mean)
            if saves:
                checkpoint.save(latest, learner.groups, step)
            if last or (spec.patience and step - best.step >= spec.patience * validate_every):
                return True
            if stops:
                return False
    finally:
        progress.close()
    return True


def selection_score(judgement: Judgement, by: str) -> float:
    """Accuracy, or the mean over sources with at least `MIN_SUPPORT` images: smaller ones would make it a lottery."""
    if by == "accuracy":
        return judgement.accuracy
    larger = [source.accuracy for source in judgement.sources.values() if source.support >= MIN_SUPPORT]
    return float(np.mean(larger)) if larger else judgement.accuracy


def probabilities_of(model: Any, rows: Sequence[ImageRow], side: int) -> Any:
    """What a Keras model that takes float pixels [N, side, side, 3] gives for images as they are: float32 [N, 4]."""
    parts = []
    for begin in range(0, len(rows), 64):
        images = np.stack([as_served(read_image(row.path), side) for row in rows[begin : begin + 64]])
        parts.append(np.asarray(model.predict_on_batch(images.astype(np.float32)), np.float32))
    return np.concatenate(parts)


def judge_rows(model: Any, rows: Sequence[ImageRow], side: int) -> Judgement:
    """Judge a Keras model on images as they are (no augmentation)."""
    return judge(probabilities_of(model, rows, side), rows)


class _Best:
    """The best weights so far, on disk. A validation that is repeated after a crash gives the same score and changes nothing."""

    def __init__(self, folder: Path, networks: Networks, by: str) -> None:
        self._folder, self._networks, self._by = folder, networks, by
        self._record = folder / "best.json"
        kept = json.loads(self._record.read_text(encoding="utf-8")) if self._record.exists() else {"score": -1.0, "step": 0}
        self._score, self.step = float(kept["score"]), int(kept["step"])

    def offer(self, judged: Judgement, step: int) -> None:
        score = selection_score(judged, self._by)
        if score > self._score:
            self._score, self.step = score, step
            checkpoint.save(self._folder / BEST_FILE, {"model": self._networks.judged.weights}, step)
            write_json(self._record, {"score": score, "accuracy": judged.accuracy, "step": step})


def _read(unread: list[dict[str, Any]], average: dict[str, float], step: int) -> None:
    for given in unread:
        values = {name: float(value) for name, value in given.items()}
        if not np.isfinite(values["loss"]):
            raise TrainingDiverged(
                f"The loss became {values['loss']} before step {step}. Lower the learning rate and run it again: it goes on "
                "from its last checkpoint, which is from before that."
            )
        for name, value in values.items():
            average[name] = 0.95 * average.get(name, value) + 0.05 * value
    unread.clear()


def _optimizer(spec: DetectorLearning) -> Any:
    if spec.optimizer == "rmsprop":
        return keras.optimizers.RMSprop(spec.learning_rate)
    optimizer = keras.optimizers.AdamW(spec.learning_rate, weight_decay=spec.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
