"""Adaptive discriminator augmentation (Karras et al., 2020, arXiv:2006.06676).

The discriminator sees real and generated pictures only through random flips, turns, shifts, scalings and colour changes, each
made with a probability that rises while the discriminator overfits and falls while it does not. As long as a change is not always
made, the generator learns the pictures and not the changes.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from visionlab_core.training_spec import generator
from visionlab_training.training.pixels import pixels_at

LUMA = np.full((3, 3), 1 / 3, np.float32)
"""Projects a colour on the grey axis."""

CHROMA = np.eye(3, dtype=np.float32) - LUMA
TURN = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], np.float32) / math.sqrt(3)
"""Turns the chroma a quarter round the grey axis."""

SHIFT = 0.125
"""Largest integer translation, and deviation of the fractional one, as a part of the side."""

SCALE_DEVIATION = 0.2
CONTRAST_DEVIATION = 0.5
BRIGHTNESS_DEVIATION = 0.2
SATURATION_DEVIATION = 1.0
"""Of the logarithm to base 2, but for the brightness."""


class AdaptiveAugmentation:
    """Augments pictures, and sets its own probability by the mean sign r_t of the discriminator's answers to real ones."""

    def __init__(self, settings: generator.AdaptiveAugmentation, batch_size: int, seeds: keras.random.SeedGenerator) -> None:
        self._target = settings.target
        self._change = batch_size * settings.every / (settings.kimg * 1000)
        self._seeds = seeds
        self.probability = keras.Variable(0.0, trainable=False, name="probability")
        self._signs = keras.Variable(0.0, trainable=False, name="signs")
        self._answers = keras.Variable(0.0, trainable=False, name="answers")
        self.variables = [self.probability, self._signs, self._answers]

    def __call__(self, pictures: Any) -> Any:
        """Augment float32 [N, S, S, 3], each picture by draws of its own; gradients pass through."""
        return augment(pictures, self.probability, self._seeds)

    def observe(self, real_logits: Any) -> None:
        """Count the signs of logits."""
        self._signs.assign(self._signs + ops.sum(ops.sign(real_logits)))
        self._answers.assign(self._answers + ops.cast(ops.size(real_logits), "float32"))

    def adapt(self) -> dict[str, Any]:
        """Move the probability by one step, up where r_t is above its target, and count anew. Gives both values."""
        overfitting = self._signs / ops.maximum(self._answers, 1)
        moved = self.probability + self._change * ops.sign(overfitting - self._target)
        self.probability.assign(ops.clip(moved, 0.0, 1.0))
        self._signs.assign(0.0)
        self._answers.assign(0.0)
        return {"augment_probability": self.probability + 0.0, "overfitting": overfitting}


def augment(pictures: Any, probability: Any, seeds: keras.random.SeedGenerator) -> Any:
    """Pixel blitting, geometry and colours (appendix B of the paper), each transformation with `probability`.

    All of the geometry is one bilinear sampling, mirrored at the edges.
    """
    count, side = ops.shape(pictures)[0], pictures.shape[1]
    draws = _Draws(count, probability, seeds)
    return _recoloured(_sampled(pictures, _geometry(draws, side)), draws)


class _Draws:
    """Random numbers for a batch; a transformation that is not done gets the number that changes nothing."""

    UNIFORM, NORMAL = 24, 8

    def __init__(self, count: Any, probability: Any, seeds: Any) -> None:
        self._uniform = iter(ops.unstack(keras.random.uniform((count, self.UNIFORM), seed=seeds), self.UNIFORM, axis=1))
        self._normal = iter(ops.unstack(keras.random.normal((count, self.NORMAL), seed=seeds), self.NORMAL, axis=1))
        self.probability = probability

    def uniform(self) -> Any:
        """float32 [N] in 0 ... 1."""
        return next(self._uniform)

    def normal(self) -> Any:
        """float32 [N]."""
        return next(self._normal)

    def done(self, probability: Any = None) -> Any:
        """1 with the probability, otherwise 0: float32 [N]."""
        return ops.cast(next(self._uniform) < (self.probability if probability is None else probability), "float32")


def _geometry(draws: _Draws, side: int) -> Any:
    """From places in the output to places in the input, in pixels from the centre: float32 [N, 3, 3]."""
    mirrored = 1 - 2 * ops.floor(draws.uniform() * 2) * draws.done()
    quarters = ops.floor(draws.uniform() * 4) * draws.done() * (math.pi / 2)
    step = draws.done() * (2 * SHIFT * side)
    steps = [ops.round((draws.uniform() - 0.5) * step) for _ in range(2)]
    scale = 2 ** (draws.normal() * draws.done() * -SCALE_DEVIATION)
    # Turned before and after the stretching: either happens with the probability.
    each = 1 - ops.sqrt(1 - draws.probability)
    turns = [(draws.uniform() * 2 - 1) * math.pi * draws.done(each) for _ in range(2)]
    stretch = 2 ** (draws.normal() * draws.done() * -SCALE_DEVIATION)
    drift = draws.done() * (SHIFT * side)
    drifts = [draws.normal() * drift for _ in range(2)]
    return (
        _scaling(mirrored, 1)
        @ _rotation(ops.round(ops.cos(quarters)), ops.round(ops.sin(quarters)))
        @ _translation(*steps)
        @ _scaling(scale, scale)
        @ _rotation(ops.cos(turns[0]), ops.sin(turns[0]))
        @ _scaling(stretch, 1 / stretch)
        @ _rotation(ops.cos(turns[1]), ops.sin(turns[1]))
        @ _translation(*drifts)
    )


def _recoloured(pictures: Any, draws: _Draws) -> Any:
    brightness = draws.normal() * draws.done() * BRIGHTNESS_DEVIATION
    contrast = 2 ** (draws.normal() * draws.done() * CONTRAST_DEVIATION)
    inverted = 1 - 2 * ops.floor(draws.uniform() * 2) * draws.done()
    hue = (draws.uniform() * 2 - 1) * math.pi * draws.done()
    saturation = 2 ** (draws.normal() * draws.done() * SATURATION_DEVIATION)
    parts = (
        (inverted * contrast, LUMA),
        (contrast * saturation * ops.cos(hue), CHROMA),
        (contrast * saturation * ops.sin(hue), TURN),
    )
    colours = sum(factor[:, None, None] * matrix for factor, matrix in parts)
    side = pictures.shape[1]
    flat = ops.reshape(pictures, (-1, side * side, 3)) + brightness[:, None, None]
    return ops.reshape(ops.matmul(flat, ops.transpose(colours, (0, 2, 1))), (-1, side, side, 3))


def _sampled(pictures: Any, matrix: Any) -> Any:
    side = pictures.shape[1]
    centre = (side - 1) / 2
    rows, columns = np.meshgrid(np.arange(side) - centre, np.arange(side) - centre, indexing="ij")
    places = np.stack([columns.ravel(), rows.ravel(), np.ones(side * side)]).astype(np.float32)
    found = ops.matmul(matrix[:, :2], places) + centre
    (left, right, to_right), (upper, lower, to_lower) = (_neighbours(found[:, axis], side) for axis in (0, 1))

    def at(row: Any, column: Any) -> Any:
        return pixels_at(pictures, row * side + column)

    above = at(upper, left) * (1 - to_right) + at(upper, right) * to_right
    below = at(lower, left) * (1 - to_right) + at(lower, right) * to_right
    return ops.reshape(above * (1 - to_lower) + below * to_lower, (-1, side, side, 3))


def _neighbours(place: Any, side: int) -> tuple[Any, Any, Any]:
    """The pixels around a coordinate that is mirrored at the edges, int32 [N, P], and the weight of the second, [N, P, 1]."""
    period = ops.mod(place + 0.5, 2.0 * side)
    inside = ops.clip(ops.minimum(period, 2.0 * side - period) - 0.5, 0.0, side - 1.0)
    first = ops.floor(inside)
    index = ops.cast(first, "int32")
    return index, ops.minimum(index + 1, side - 1), ops.expand_dims(inside - first, 2)


def _scaling(x: Any, y: Any) -> Any:
    return _matrix([[x, 0, 0], [0, y, 0]])


def _rotation(cosine: Any, sine: Any) -> Any:
    return _matrix([[cosine, -sine, 0], [sine, cosine, 0]])


def _translation(x: Any, y: Any) -> Any:
    return _matrix([[1, 0, x], [0, 1, y]])


def _matrix(rows: list[list[Any]]) -> Any:
    """float32 [N, 3, 3] from values that are numbers or float32 [N]."""
    like = next(value for row in rows for value in row if not isinstance(value, int))
    values = [ops.zeros_like(like) + value for row in (*rows, [0, 0, 1]) for value in row]
    return ops.reshape(ops.stack(values, axis=1), (-1, 3, 3))
