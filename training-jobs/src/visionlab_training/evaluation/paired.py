"""Two detectors on the same images: is one better, or was it luck?

The exact McNemar test (McNemar, 1947, Psychometrika 12) looks at the images on which just one of the two is right; the bootstrap
(Efron & Tibshirani, 1993, chapter 13) says how large the gain is. Dietterich, 1998 (Neural Computation 10) recommends the former
where a model can be trained but once. Both take the images as independent of each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from visionlab_core.training_job import Agreement, Gain

RESAMPLES = 10_000
CONFIDENCE = 0.95
_SEED = 20_000


def agreement(champion: NDArray[np.bool_], challenger: NDArray[np.bool_]) -> Agreement:
    """How often both, one or none is right, from what each has right, bool [N]."""
    return Agreement(
        both_right=int((champion & challenger).sum()),
        only_champion=int((champion & ~challenger).sum()),
        only_challenger=int((~champion & challenger).sum()),
        both_wrong=int((~champion & ~challenger).sum()),
    )


def mcnemar(only_first: int, only_second: int) -> float:
    """The two-sided p-value of the exact test: both sides of a fair coin thrown for each image on which just one is right.

    The binomial sum is one of whole numbers, so it is exact however many images there are.
    """
    thrown, fewer = only_first + only_second, min(only_first, only_second)
    term = total = 1
    for heads in range(1, fewer + 1):
        term = term * (thrown - heads + 1) // heads
        total += term
    return min(1.0, float(2 * total / 2**thrown))


def balanced_accuracy(right: NDArray[np.bool_], labels: NDArray[np.int64]) -> float:
    """The mean, over the classes that there are, of the share of a class's images that are right.

    Args:
        right: whether each image got its own class, bool [N], N > 0.
        labels: classes, int64 [N].
    """
    return float(np.mean([right[labels == each].mean() for each in np.unique(labels)]))


def balanced_gain(champion: NDArray[np.bool_], challenger: NDArray[np.bool_], labels: NDArray[np.int64]) -> Gain:
    """The difference of the balanced accuracies with its interval. The same images always give the same interval.

    Images are drawn anew within each class. What a draw comes to depends only on how many images of a class were won, lost and
    neither, so those three numbers are drawn (multinomial) in place of the images: the same distribution, however many there are.

    Args:
        champion: what it has right, bool [N], N > 0.
        challenger: the same of the other one.
        labels: classes, int64 [N].
    """
    generator = np.random.default_rng(_SEED)
    classes = np.unique(labels)
    drawn = np.zeros(RESAMPLES)
    for each in classes:
        won = challenger[labels == each].astype(np.int64) - champion[labels == each]
        images = len(won)
        shares = [float((won == outcome).mean()) for outcome in (-1, 0, 1)]
        counts = generator.multinomial(images, _summing_to_one(shares), size=RESAMPLES)
        drawn += (counts[:, 2] - counts[:, 0]) / images / len(classes)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail))
    value = balanced_accuracy(challenger, labels) - balanced_accuracy(champion, labels)
    return Gain(value=round(value, 6), low=round(float(low), 6), high=round(float(high), 6), confidence=CONFIDENCE)


def _summing_to_one(shares: Sequence[float]) -> list[float]:
    # Rounding may leave them a hair above one, which numpy refuses.
    total = sum(shares)
    return [share / total for share in shares]
