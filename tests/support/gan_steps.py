"""Train a StyleGAN2 from a checkpoint on the Keras backend in use; as a script, prints what came out as JSON.

python -m support.gan_steps CHECKPOINT
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from support.tiny_gans import stylegan2_spec

from visionlab_core.training_spec import GeneratorTraining
from visionlab_training.training import checkpoint
from visionlab_training.training.gan import GanTraining, gan_training

STEPS = 24


def spec() -> GeneratorTraining:
    """The same on all backends."""
    return stylegan2_spec(Path("nowhere"), batch_size=16, seed=5)


def run(training: GanTraining, path: Path) -> dict:
    """What the weights in a checkpoint make and judge, and the losses of the steps that follow."""
    checkpoint.load(path, training.groups)
    training.reload()
    images = np.random.default_rng(0).integers(0, 256, (STEPS, 16, 8, 8, 3), dtype=np.uint8)
    found = {
        "pictures": training.sample(4, seed=1).astype(int).tolist(),
        "logits": np.asarray(training.discriminator(images[0].astype(np.float32) / 127.5 - 1)).tolist(),
    }
    losses = [training.step(batch, number) for number, batch in enumerate(images, start=1)]
    found["losses"] = [{name: float(value) for name, value in step.items()} for step in losses]
    training.sync()
    found["finite"] = all(np.isfinite(np.asarray(v)).all() for group in training.groups.values() for v in group)
    return found


if __name__ == "__main__":
    print(json.dumps(run(gan_training(spec()), Path(sys.argv[1]))))
