"""From seeds to the noise that a generator takes: the same on every machine and in every version.

NumPy promises that the raw stream of a bit generator never changes, and nothing of the kind for its distributions (NEP 19).
So the numbers are made from the raw stream here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Step:
    """A step away from a face in latent space: the direction that a seed names, and how far (0 to 1)."""

    seed: int
    distance: float


@dataclass(frozen=True, slots=True)
class Latent:
    """What noise a face is made of: that of a seed, or a neighbour of it, some steps away."""

    seed: int
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Style:
    """Whose styles the finer layers of a face have, where these are not its own (style mixing).

    `crossover` (0 to 1) is the part of the layers, the coarse ones, that keep the face's own.
    """

    latent: Latent
    crossover: float


def uniform_latents(seeds: Sequence[int], size: int) -> NDArray[np.float32]:
    """Uniform noise in [-1, 1), float32 [len(seeds), size], each row a function of its seed (0 to 2**64 - 1) alone."""
    rows = np.empty((len(seeds), size), np.float32)
    for row, seed in zip(rows, seeds, strict=True):
        # 24 random bits are all that a float32 in [0, 1) holds: every step from here is exact.
        bits = np.random.Philox(key=seed).random_raw(size) >> np.uint64(40)
        row[:] = bits.astype(np.float32) * np.float32(2**-23) - np.float32(1)
    return rows


def noise_of(latents: Sequence[Latent], size: int) -> NDArray[np.float32]:
    """The noise of latents, float32 [len(latents), size] in [-1, 1].

    A step adds the noise of its seed times its distance, and what leaves -1 ... 1 is reflected at the border: a uniform
    distribution stays uniform, so that neighbours are faces as probable as any. All arithmetic is single operations of IEEE 754.
    """
    rows = uniform_latents([latent.seed for latent in latents], size)
    for place, latent in enumerate(latents):
        for step in latent.steps:
            [direction] = uniform_latents([step.seed], size)
            moved = rows[place] + direction * np.float32(step.distance)
            rows[place] = np.where(moved > 1, 2 - moved, np.where(moved < -1, -2 - moved, moved))
    return rows
