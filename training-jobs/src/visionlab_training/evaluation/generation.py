"""Judging generators: the Kernel Inception Distance (Binkowski et al., 2018, arXiv:1801.01401) on a feature network of choice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from visionlab_training.training.detector import load_named_weights

FEATURE_NETWORK = "MobileNetV2 (ImageNet), global average pooling, 1280 features, 128 px input"
"""Not Inception, whose weights cannot be had everywhere: figures compare with each other, not with those of papers."""


@dataclass(frozen=True, slots=True)
class KernelDistance:
    """Mean and standard deviation over random subsets."""

    mean: float
    std: float


def features(pictures: NDArray[np.uint8], weights: Path) -> NDArray[np.float32]:
    """Features float32 [N, 1280] of uint8 [N, 128, 128, 3]; `weights`: an .npz of ImageNet weights named LAYER/VARIABLE."""
    network = keras.applications.MobileNetV2(
        input_shape=(*pictures.shape[1:3], 3), include_top=False, weights=None, pooling="avg"
    )
    load_named_weights(network, weights)
    parts = [
        np.asarray(network.predict_on_batch(pictures[i : i + 32].astype(np.float32) / 127.5 - 1))
        for i in range(0, len(pictures), 32)
    ]
    return np.concatenate(parts)


def kernel_distance(
    left: NDArray[np.float32], right: NDArray[np.float32], *, subsets: int = 50, size: int = 100, seed: int = 0
) -> KernelDistance:
    """KID between two sets of features [N, D] and [M, D]: unbiased squared MMD with the kernel (x.y / D + 1)^3.

    0 for sets from one distribution (also a little below it: the estimate is unbiased); larger is worse.

    Raises:
        ValueError: a set has fewer than 2 rows.
    """
    size = min(size, len(left), len(right))
    if size < 2:
        raise ValueError("KID needs at least two pictures on each side.")
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(subsets):
        x = left[rng.choice(len(left), size, replace=False)].astype(np.float64)
        y = right[rng.choice(len(right), size, replace=False)].astype(np.float64)
        values.append(_squared_mmd(x, y))
    return KernelDistance(float(np.mean(values)), float(np.std(values)))


def _squared_mmd(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    n, dimensions = x.shape

    def kernel(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((a @ b.T / dimensions + 1) ** 3)

    xx, yy, xy = kernel(x, x), kernel(y, y), kernel(x, y)
    within = (xx.sum() - np.trace(xx) + yy.sum() - np.trace(yy)) / (n * (n - 1))
    return float(within - 2 * xy.mean())
