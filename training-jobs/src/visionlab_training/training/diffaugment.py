"""Differentiable augmentation (Zhao et al., 2020, arXiv:2006.10738).

The discriminator of a small data set sees real and generated pictures only through random colour shifts, translations and
cut-outs, so that it cannot learn the data by heart.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from visionlab_training.training.pixels import pixels_at


def diffaugment(pictures: Any, seeds: keras.random.SeedGenerator) -> Any:
    """Augment float32 [N, S, S, 3] in -1 ... 1, each picture by draws of its own; gradients pass through."""
    return _cut_out(_translate(_recolour(pictures, seeds), seeds), seeds)


def _recolour(pictures: Any, seeds: Any) -> Any:
    shape = (ops.shape(pictures)[0], 1, 1, 1)
    pictures = pictures + keras.random.uniform(shape, -0.3, 0.3, seed=seeds)
    mean = ops.mean(pictures, axis=3, keepdims=True)
    pictures = (pictures - mean) * keras.random.uniform(shape, 0.4, 1.6, seed=seeds) + mean
    mean = ops.mean(pictures, axis=(1, 2, 3), keepdims=True)
    return (pictures - mean) * keras.random.uniform(shape, 0.7, 1.3, seed=seeds) + mean


def _translate(pictures: Any, seeds: Any, ratio: float = 0.125) -> Any:
    count, side = ops.shape(pictures)[0], pictures.shape[1]
    reach = int(side * ratio)
    padded = ops.pad(pictures, ((0, 0), (reach, reach), (reach, reach), (0, 0)))
    rows, columns = (
        keras.random.randint((count, 1), 0, 2 * reach + 1, seed=seeds) + ops.expand_dims(ops.arange(side, dtype="int32"), 0)
        for _ in range(2)
    )
    places = ops.expand_dims(rows, 2) * padded.shape[2] + ops.expand_dims(columns, 1)
    moved = pixels_at(padded, ops.reshape(places, (-1, side * side)))
    return ops.reshape(moved, (-1, side, side, 3))


def _cut_out(pictures: Any, seeds: Any, ratio: float = 0.4) -> Any:
    count, side = ops.shape(pictures)[0], pictures.shape[1]
    size = int(side * ratio)
    positions = ops.expand_dims(ops.arange(side), 0)
    inside = []
    for _ in range(2):
        start = keras.random.randint((count, 1), -size // 2, side - size // 2, seed=seeds)
        inside.append(ops.logical_and(positions >= start, positions < start + size))
    hole = ops.logical_and(ops.expand_dims(inside[0], 2), ops.expand_dims(inside[1], 1))
    return pictures * ops.expand_dims(1 - ops.cast(hole, pictures.dtype), 3)
