"""The training loop of a GAN: batches, progress, sample grids, checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

from visionlab_core.training_spec import GeneratorTraining
from visionlab_training.data.batches import GeneratorBatches, prefetch
from visionlab_training.data.index import Split, file_digest, folder_images, read_manifest
from visionlab_training.training import checkpoint
from visionlab_training.training.budget import StepBudget
from visionlab_training.training.errors import TrainingDiverged
from visionlab_training.training.gan.dcgan import DcganTraining
from visionlab_training.training.gan.pictures import save_grid
from visionlab_training.training.gan.stylegan2 import StyleGAN2Training
from visionlab_training.training.gan.training import GanTraining
from visionlab_training.training.progress import Progress, StopRequest

CHECKPOINT_FILE = "checkpoint.npz"
RECORD_EVERY = 10
"""Steps between two readings of the losses: each makes a GPU wait."""

SMOOTHING = 0.6
"""Part of the smoothed losses that stays at each reading."""


def gan_training(spec: GeneratorTraining) -> GanTraining:
    """The networks and optimisers of a spec, at their start."""
    return DcganTraining(spec) if spec.architecture == "DCGAN" else StyleGAN2Training(spec)


def paths_of(spec: GeneratorTraining, split: Split = "train") -> list[Path]:
    """The images of a spec in `split`: its manifest's rows of the class and the named sources; folders join `train`.

    No file is there twice by its content, and no file of `train` is a copy of one of another split: a folder is often the whole
    of a collection that the manifest has divided, and a generator must not be judged against faces that it has learnt from.
    """
    rows = [row for row in read_manifest(spec.data.manifest) if row.face_class == spec.face_class] if spec.data.manifest else []
    chosen = [row.path for row in rows if row.split == split and row.source in spec.data.sources]
    if split != "train":
        return chosen
    known = {file_digest(row.path) for row in rows if row.split != "train"} if spec.data.folders else set()
    paths: list[Path] = []
    for path in [*chosen, *(path for folder in spec.data.folders for path in folder_images(folder))]:
        content = file_digest(path)
        if content not in known:
            known.add(content)
            paths.append(path)
    return paths


def train_generator(spec: GeneratorTraining, folder: Path, budget: float | None = None) -> bool:
    """Train, or go on with a training, in `folder`; the averaged generator is in `folder/checkpoint.npz`, group `average`.

    With a `budget` in seconds the training has as many of the spec's steps as fit into it; see `StepBudget`. Returns False where
    a signal stopped it (a checkpoint is written).

    Raises:
        TrainingDiverged: a loss or a weight became NaN or infinite; the last checkpoint is kept.
        DataError: the data cannot be used.
        CheckpointError: the folder holds a checkpoint of another network.
    """
    stop = StopRequest()
    keras.utils.set_random_seed(spec.seed)
    training = gan_training(spec)
    batches = GeneratorBatches(
        paths_of(spec), batch_size=spec.batch_size, side=spec.resolution, crop=spec.data.crop, seed=spec.seed
    )
    latest = folder / CHECKPOINT_FILE
    start = checkpoint.load(latest, training.groups) if latest.exists() else 0
    training.reload()
    steps = StepBudget(folder, spec.steps, budget)
    progress = Progress(folder, name=spec.name, steps=spec.steps, start=start)
    smooth = progress.metrics_before()
    try:
        for step, images in enumerate(prefetch(batches.batch, start, steps.steps), start=start + 1):
            losses = training.step(images, step)
            last = step >= steps.after(step)
            if step % RECORD_EVERY == 0 or last:
                smooth = _smoothed(smooth, losses, step)
                progress.step(step, smooth, steps=steps.steps)
            sampled = step % spec.sample_every == 0 or last
            # Read once: asked for in the middle of a step, the stop is the next one's, which then has its checkpoint.
            stops = stop.requested
            if stops or step % spec.checkpoint_every == 0 or sampled:
                training.sync()
                checkpoint.save(latest, training.groups, step)
            if sampled:
                save_grid(folder / "samples" / f"{step:06d}.jpg", training.sample(64, seed=1))
            if last:
                return True
            if stops:
                return False
    finally:
        progress.close()
    return True


def _smoothed(smooth: dict[str, float], losses: dict[str, Any], step: int) -> dict[str, float]:
    values = {name: float(value) for name, value in losses.items()}
    if not np.isfinite(list(values.values())).all():
        raise TrainingDiverged(
            f"A loss is no number at step {step} ({values}). Lower the learning rate; the last checkpoint is kept, and the "
            "training goes on from it."
        )
    return {name: SMOOTHING * smooth.get(name, value) + (1 - SMOOTHING) * value for name, value in values.items()}
