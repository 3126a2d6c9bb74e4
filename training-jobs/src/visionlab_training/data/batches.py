"""Batches as a pure function of (seed, step): a resumed training sees the batches that an uninterrupted one would have seen."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from visionlab_core.face_class import FACE_CLASSES
from visionlab_inference.embedded.session import available_cpus
from visionlab_inference.images import DETECTOR_SIDE
from visionlab_training.data import augment
from visionlab_training.data.index import DataError, ImageRow

T = TypeVar("T")
Batch = tuple[NDArray[np.uint8], NDArray[np.float32]]


def read_image(path: Path) -> NDArray[np.uint8]:
    """Decode a file to RGB uint8 [H, W, 3].

    Raises:
        DataError: the file is missing or is not an image.
    """
    data = np.fromfile(path, np.uint8) if path.is_file() else np.empty(0, np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if image is None:
        raise DataError(f"{path} is missing or is not an image that can be read.")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.uint8)


def source_weights(rows: Sequence[ImageRow], exponent: float) -> NDArray[np.float64]:
    """Probability of each row: classes alike; in a class, sources by size ** exponent; in a source, images alike."""
    sizes = Counter((row.face_class, row.source) for row in rows)
    shares: Counter[str] = Counter()
    for (face_class, _), size in sizes.items():
        shares[face_class] += size**exponent
    weights = np.array(
        [
            sizes[row.face_class, row.source] ** exponent / shares[row.face_class] / sizes[row.face_class, row.source]
            for row in rows
        ]
    )
    return np.asarray(weights / weights.sum())


class DetectorBatches:
    """Training batches of a detector: shuffled epochs or balanced draws, as they are or augmented.

    `batch(step)` gives uint8 [B, side, side, 3] and one-hot float32 [B, 4].
    """

    def __init__(
        self,
        rows: Sequence[ImageRow],
        *,
        batch_size: int,
        side: int,
        seed: int,
        sampling: Literal["epochs", "balanced"] = "balanced",
        augmentation: Literal["none", "robust"] = "robust",
        source_exponent: float = 0.5,
        compressed_sources: Sequence[str] = (),
    ) -> None:
        self._rows = rows
        self._batch_size = batch_size
        self._side = side
        self._seed = seed
        self._compressed = frozenset(compressed_sources)
        self._augments = augmentation == "robust"
        self._cumulative = np.cumsum(source_weights(rows, source_exponent)) if sampling == "balanced" else None

    def batch(self, step: int) -> Batch:
        """The batch of one step (0-based)."""
        rng = np.random.default_rng((self._seed, step))
        picks = self._picks(step, rng)
        images = np.empty((self._batch_size, self._side, self._side, 3), np.uint8)
        labels = np.zeros((self._batch_size, len(FACE_CLASSES)), np.float32)
        for slot, pick in enumerate(picks):
            row = self._rows[int(pick)]
            image = read_image(row.path)
            if self._augments:
                if self._compressed and row.source not in self._compressed and rng.random() < 0.7:
                    image = augment.compress(image, int(rng.integers(15, 76)))
                images[slot] = augment.augment(image, rng, lambda plain: as_served(plain, self._side))
            else:
                images[slot] = as_served(image, self._side)
            labels[slot, row.face_class.position] = 1
        return images, labels

    def _picks(self, step: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draws from the balanced distribution, or the next part of the row of shuffled epochs."""
        count = len(self._rows)
        if self._cumulative is not None:
            draws = rng.random(self._batch_size) * self._cumulative[-1]
            return np.asarray(np.minimum(np.searchsorted(self._cumulative, draws), count - 1), np.int64)
        epochs, places = np.divmod(np.arange(step * self._batch_size, (step + 1) * self._batch_size), count)
        orders = {epoch: np.random.default_rng((self._seed, epoch, 0)).permutation(count) for epoch in set(epochs.tolist())}
        return np.array([orders[epoch][place] for epoch, place in zip(epochs.tolist(), places, strict=True)])


class GeneratorBatches:
    """Shuffled epochs of one class for a GAN: `batch(step)` gives uint8 [B, side, side, 3], mirrored and rescaled at random."""

    def __init__(self, paths: Sequence[Path], *, batch_size: int, side: int, crop: float, seed: int) -> None:
        if len(paths) < batch_size:
            raise DataError(f"The data holds {len(paths)} images, fewer than one batch of {batch_size}.")
        self._paths = paths
        self._batch_size = batch_size
        self._side = side
        self._crop = crop
        self._seed = seed

    def batch(self, step: int) -> NDArray[np.uint8]:
        """The batch of one step (0-based)."""
        per_epoch = len(self._paths) // self._batch_size
        epoch, place = divmod(step, per_epoch)
        order = np.random.default_rng((self._seed, epoch, 0)).permutation(len(self._paths))
        rng = np.random.default_rng((self._seed, step, 1))
        images = np.empty((self._batch_size, self._side, self._side, 3), np.uint8)
        for slot, pick in enumerate(order[place * self._batch_size : (place + 1) * self._batch_size]):
            image = centre_crop(read_image(self._paths[pick]), self._crop * float(rng.uniform(0.94, 1.0)))
            if rng.random() < 0.5:
                image = image[:, ::-1]
            images[slot] = fit(np.ascontiguousarray(image), self._side)
        return images


def centre_crop(image: NDArray[np.uint8], fraction: float) -> NDArray[np.uint8]:
    """The central square with `fraction` of the shorter side."""
    height, width = image.shape[:2]
    side = max(1, round(min(height, width) * fraction))
    top, left = (height - side) // 2, (width - side) // 2
    return np.ascontiguousarray(image[top : top + side, left : left + side])


def fit(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Resample to [side, side, 3]: area when it shrinks, cubic when it grows."""
    if image.shape[0] == side and image.shape[1] == side:
        return image
    shrinks = image.shape[0] > side
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC).astype(np.uint8)


def as_served(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Resample to [side, side, 3] in the two steps of serving: to what every detector takes, then to what this one works at.

    Each step softens or sharpens; a network that had learnt from single-step images would meet others in service.
    """
    height, width = image.shape[:2]
    if (height, width) != (DETECTOR_SIDE, DETECTOR_SIDE):
        interpolation = cv2.INTER_AREA if min(height, width) > 2 * DETECTOR_SIDE else cv2.INTER_LINEAR
        image = cv2.resize(image, (DETECTOR_SIDE, DETECTOR_SIDE), interpolation=interpolation).astype(np.uint8)
    if side != DETECTOR_SIDE:
        image = cv2.resize(image, (side, side), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    return image


def prefetch(make: Callable[[int], T], start: int, stop: int, *, depth: int = 4, workers: int | None = None) -> Iterator[T]:
    """Yield `make(start)` ... `make(stop - 1)` in order, made ahead of need, at most `depth` (and one a worker) in memory.

    `workers`: threads; by default half of the CPUs, up to 8: decoding and resampling leave Python's lock to others. An exception
    in `make` is raised to the reader.
    """
    workers = workers or min(8, max(1, available_cpus() // 2))
    waiting: deque[Future[T]] = deque()
    threads = ThreadPoolExecutor(workers, thread_name_prefix="batches")
    try:
        for step in range(start, stop):
            waiting.append(threads.submit(make, step))
            if len(waiting) > max(depth, workers):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
