"""Do probabilities mean what they say? Guo et al., 2017, "On Calibration of Modern Neural Networks" (arXiv:1706.04599)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.25, 10.0
_LEAST_GAIN = 1e-4


@dataclass(frozen=True, slots=True)
class Reliability:
    """A reliability diagram: for each equal-width bin of the top class's probability, float64 [BINS].

    `confidence` and `accuracy` are means over the bin, 0 where it is empty; `count` is int64.
    """

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    count: NDArray[np.int64]

    @property
    def expected_calibration_error(self) -> float:
        """Mean over the images of the distance between their bin's accuracy and its confidence."""
        return float((self.count * np.abs(self.accuracy - self.confidence)).sum() / max(1, self.count.sum()))


def reliability(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> Reliability:
    """The reliability diagram of probabilities [N, C] of images whose classes are labels [N]."""
    top = probabilities.max(axis=1).astype(np.float64)
    right = (probabilities.argmax(axis=1) == labels).astype(np.float64)
    places = np.clip(np.ceil(top * BINS).astype(int) - 1, 0, BINS - 1)
    count = np.bincount(places, minlength=BINS)
    images = np.maximum(1, count)
    return Reliability(
        np.bincount(places, top, minlength=BINS) / images, np.bincount(places, right, minlength=BINS) / images, count
    )


def with_temperature(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """softmax(logits / temperature) from softmax(logits), [N, C]: the logarithm differs from the logits by a constant only.

    With 1 / temperature it takes a temperature out again.
    """
    scaled = _logits(probabilities) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def fit_temperature(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The temperature that minimises the negative log-likelihood of labels [N] under probabilities [N, C] of the same images.

    For the validation split: the temperature does not change which class is on top, so it cannot overfit to it by much. The
    result lies in MIN_TEMPERATURE ... MAX_TEMPERATURE. It is 1 where nothing is gained, and where no image is mistaken: the
    likelihood then grows with confidence without end, and says nothing of how much is due.

    Raises:
        ValueError: no image, shapes that do not fit, or probabilities that are no finite numbers.
    """
    if probabilities.ndim != 2 or not len(probabilities) or labels.shape != probabilities.shape[:1]:
        raise ValueError(f"Probabilities {list(probabilities.shape)} and labels {list(labels.shape)} are not [N, C] and [N].")
    if not np.isfinite(probabilities).all():
        raise ValueError("Some probabilities are not finite numbers.")
    if (probabilities.argmax(axis=1) == labels).all():
        return 1.0
    logits = _logits(probabilities)
    true = logits[np.arange(len(labels)), labels]

    def loss_and_slope(sharpness: float) -> tuple[float, float]:
        scaled = logits * sharpness
        shift = scaled.max(axis=1)
        powers = np.exp(scaled - shift[:, None])
        total = powers.sum(axis=1)
        loss = np.log(total) + shift - true * sharpness
        slope = (powers * logits).sum(axis=1) / total - true
        return float(loss.mean()), float(slope.mean())

    # The loss is convex in 1 / temperature, so its slope changes sign once.
    low, high = 1 / MAX_TEMPERATURE, 1 / MIN_TEMPERATURE
    for _ in range(60):
        middle = (low + high) / 2
        if loss_and_slope(middle)[1] < 0:
            low = middle
        else:
            high = middle
    sharpness = (low + high) / 2
    if loss_and_slope(1.0)[0] - loss_and_slope(sharpness)[0] < _LEAST_GAIN:
        return 1.0
    return round(1 / sharpness, 4)


def _logits(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    # Softmax in single precision gives zeros, whose logarithm nothing can be done with.
    return np.log(np.maximum(probabilities.astype(np.float64), np.finfo(np.float32).tiny))
