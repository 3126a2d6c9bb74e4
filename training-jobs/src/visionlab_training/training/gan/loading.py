"""A generator in training, ready to make pictures or to be exported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

from visionlab_core.training_spec import GeneratorTraining
from visionlab_training.training import checkpoint
from visionlab_training.training.gan.loop import CHECKPOINT_FILE, gan_training
from visionlab_training.training.gan.training import GanTraining


def load_generator(spec: GeneratorTraining, run: Path) -> tuple[GanTraining, int]:
    """The training of a spec as its last checkpoint in the folder `run` has it, and the number of finished steps.

    Raises:
        CheckpointError: the folder holds no checkpoint, or one of another network.
    """
    training = gan_training(spec)
    step = checkpoint.load(run / CHECKPOINT_FILE, training.groups)
    training.reload()
    refresh_batch_norm(training.average, seed=spec.seed)
    return training, step


def refresh_batch_norm(model: Any, *, seed: int, batches: int = 40, batch_size: int = 64) -> None:
    """Measure the moving statistics of a generator's BatchNormalization layers, where it has any, anew on uniform noise.

    Averaged weights are no weights that any training step had, so the statistics that the steps left do not fit them.
    """
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    if not layers:
        return
    before = [layer.momentum for layer in layers]
    rng = np.random.default_rng(seed)
    size = model.inputs[0].shape[1]
    for number in range(batches):
        for layer in layers:
            layer.momentum = number / (number + 1)  # a running mean over all batches
        model(rng.uniform(-1, 1, (batch_size, size)).astype(np.float32), training=True)
    for layer, momentum in zip(layers, before, strict=True):
        layer.momentum = momentum
