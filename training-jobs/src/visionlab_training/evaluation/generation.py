"""Judging generators by the features of their pictures, next to those of real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from visionlab_training.evaluation.progress import progress_bar

FEATURE_NETWORK = "MobileNetV2 (ImageNet), global average pooling, 1280 features, 128 px input"
"""Not Inception, whose weights cannot be had everywhere: figures compare with each other, not with those of papers."""

FEATURE_SIDE = 128
_BATCH = 32


@dataclass(frozen=True, slots=True)
class KernelDistance:
    """Mean and standard deviation over random subsets."""

    mean: float
    std: float


def feature_extractor(weights: Path) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """The feature network as a function from pictures uint8 [N, H, W, 3] to features float32 [N, 1280].

    `weights` is an .npz of ImageNet weights named LAYER/VARIABLE.

    Raises:
        SpecError: the weights cannot be used.
    """
    # A detector is judged without Keras, whose import takes seconds.
    import keras

    from visionlab_training.training.weights import load_named_weights

    network = keras.applications.MobileNetV2(
        input_shape=(FEATURE_SIDE, FEATURE_SIDE, 3), include_top=False, weights=None, pooling="avg"
    )
    load_named_weights(network, weights)

    def features(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        parts = []
        with progress_bar(len(pictures), "features") as bar:
            for begin in range(0, len(pictures), _BATCH):
                batch = pictures[begin : begin + _BATCH]
                parts.append(np.asarray(network.predict_on_batch(_network_input(batch))))
                bar.update(len(batch))
        return np.concatenate(parts)

    return features


def kernel_distance(
    left: NDArray[np.float32], right: NDArray[np.float32], *, subsets: int = 50, size: int = 100, seed: int = 0
) -> KernelDistance:
    """KID between two sets of features [N, D] and [M, D]: unbiased squared MMD with the kernel (x.y / D + 1)^3.

    Binkowski et al., 2018 (arXiv:1801.01401). 0 for sets from one distribution (also a little below it: the estimate is
    unbiased); larger is worse.

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


def frechet_distance(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    """FID between two sets of features [N, D] and [M, D].

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of their means and covariances: Heusel et al., 2017 (arXiv:1706.08500). It grows
    as the sets get smaller: compare figures of equal numbers of images only.

    Raises:
        ValueError: a set has fewer than 2 rows.
    """
    if min(len(left), len(right)) < 2:
        raise ValueError("FID needs at least two pictures on each side.")
    means = left.mean(axis=0, dtype=np.float64) - right.mean(axis=0, dtype=np.float64)
    x, y = _root_of_covariance(left), _root_of_covariance(right)
    # With C1 = X'X and C2 = Y'Y, the roots of the eigenvalues of C1 C2 are the singular values of XY'.
    shared = np.linalg.svd(x @ y.T, compute_uv=False).sum()
    return float(max(0.0, (means**2).sum() + (x**2).sum() + (y**2).sum() - 2 * shared))


def nearest_distance(queries: NDArray[np.float32], known: NDArray[np.float32]) -> float:
    """Median over the queries [N, D] of the Euclidean distance to the nearest row of known [M, D]."""
    squares = (known.astype(np.float64) ** 2).sum(axis=1)
    nearest = [
        (squares + (part**2).sum(axis=1, keepdims=True) - 2 * part @ known.T.astype(np.float64)).min(axis=1)
        for part in np.array_split(queries.astype(np.float64), max(1, len(queries) // 256))
    ]
    return float(np.median(np.sqrt(np.maximum(np.concatenate(nearest), 0))))


def _network_input(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    if pictures.shape[1:3] != (FEATURE_SIDE, FEATURE_SIDE):
        shrinks = pictures.shape[1] > FEATURE_SIDE
        interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        pictures = np.stack([cv2.resize(each, (FEATURE_SIDE, FEATURE_SIDE), interpolation=interpolation) for each in pictures])
    return np.asarray(pictures.astype(np.float32) / 127.5 - 1)


def _root_of_covariance(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """R [min(N, D), D] with R'R the covariance of rows [N, D]."""
    centred = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    return np.asarray(np.linalg.qr(centred, mode="r") / np.sqrt(len(rows) - 1))


def _squared_mmd(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    n, dimensions = x.shape

    def kernel(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((a @ b.T / dimensions + 1) ** 3)

    xx, yy, xy = kernel(x, x), kernel(y, y), kernel(x, y)
    within = (xx.sum() - np.trace(xx) + yy.sum() - np.trace(yy)) / (n * (n - 1))
    return float(within - 2 * xy.mean())
