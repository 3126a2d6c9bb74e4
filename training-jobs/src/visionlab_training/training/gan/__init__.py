"""Training of GANs: one file for the loop, one for each architecture's step, one for the losses that they share."""

from __future__ import annotations

from visionlab_training.training.gan.loading import load_generator, refresh_batch_norm
from visionlab_training.training.gan.loop import gan_training, paths_of, train_generator
from visionlab_training.training.gan.pictures import grid, save_grid, save_pictures, to_uint8
from visionlab_training.training.gan.training import GanTraining

__all__ = [
    "GanTraining",
    "gan_training",
    "grid",
    "load_generator",
    "paths_of",
    "refresh_batch_norm",
    "save_grid",
    "save_pictures",
    "to_uint8",
    "train_generator",
]
