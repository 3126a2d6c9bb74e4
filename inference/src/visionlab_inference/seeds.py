"""From a seed to the noise that a generator takes: the same on every machine and in every version.

NumPy promises that the raw stream of a bit generator never changes, and nothing of the kind for its distributions (NEP 19).
So the numbers are made from the raw stream here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def uniform_latents(seeds: Sequence[int], size: int) -> NDArray[np.float32]:
    """Uniform noise in [-1, 1), float32 [len(seeds), size], each row a function of its seed (0 to 2**64 - 1) alone."""
    rows = np.empty((len(seeds), size), np.float32)
    for row, seed in zip(rows, seeds, strict=True):
        # 24 random bits are all that a float32 in [0, 1) holds: every step from here is exact.
        bits = np.random.Philox(key=seed).random_raw(size) >> np.uint64(40)
        row[:] = bits.astype(np.float32) * np.float32(2**-23) - np.float32(1)
    return rows
