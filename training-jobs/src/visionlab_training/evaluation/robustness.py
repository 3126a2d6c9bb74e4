"""What becomes of face images on their way through the web: compression, thumbnails, soft lenses.

In the spirit of Hendrycks & Dietterich, 2019, "Benchmarking Neural Network Robustness to Common Corruptions" (arXiv:1903.12261).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from visionlab_training.data.index import ImageRow

Image = NDArray[np.uint8]

SIDE: Final = 128
"""The shorter side in pixels that every image gets first, so that a corruption is as strong on large images as on small ones."""

UNCHANGED: Final = "unchanged"


def corrupted(image: Image, name: str) -> bytes:
    """An image file (JPEG where that is the corruption, else PNG) of an RGB image [H, W, 3] after a corruption of `CORRUPTIONS`.

    Raises:
        KeyError: there is no corruption of that name.
    """
    return CORRUPTIONS[name](_at_common_size(image))


def balanced_subset(rows: Sequence[ImageRow], limit: int) -> list[ImageRow]:
    """At most `limit` rows, half of them real faces and half generated ones, the same ones each time.

    In each half the sources take turns, so that the cut falls on the large ones. Which images of a source come first depends on
    the hashes of their names, not on their order in the manifest.
    """
    halves: dict[bool, dict[str, list[ImageRow]]] = {True: defaultdict(list), False: defaultdict(list)}
    for row in sorted(rows, key=lambda row: sha256(row.path.name.encode()).digest()):
        halves[row.face_class.is_generated][f"{row.face_class}/{row.source}"].append(row)
    chosen = []
    for sources in halves.values():
        turns = sorted((turn, source) for source, members in sources.items() for turn in range(len(members)))
        chosen += [sources[source][turn] for turn, source in turns[: limit // 2]]
    return chosen


def _at_common_size(image: Image) -> Image:
    height, width = image.shape[:2]
    scale = SIDE / min(height, width)
    return image if scale == 1 else _resized(image, round(width * scale), round(height * scale))


def _jpeg(quality: int) -> Callable[[Image], bytes]:
    return lambda image: _encoded(image, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])


def _small_and_back(side: int) -> Callable[[Image], bytes]:
    def change(image: Image) -> bytes:
        height, width = image.shape[:2]
        small = _resized(image, round(width * side / SIDE), round(height * side / SIDE))
        return _png(_resized(small, width, height))

    return change


def _blur(sigma: float) -> Callable[[Image], bytes]:
    return lambda image: _png(np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8))


def _png(image: Image) -> bytes:
    return _encoded(image, ".png", [cv2.IMWRITE_PNG_COMPRESSION, 1])


def _encoded(image: Image, suffix: str, options: list[int]) -> bytes:
    _, data = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    return data.tobytes()


def _resized(image: Image, width: int, height: int) -> Image:
    shrinks = width < image.shape[1]
    size = (max(1, width), max(1, height))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC), np.uint8)


CORRUPTIONS: Final[Mapping[str, Callable[[Image], bytes]]] = MappingProxyType(
    {
        UNCHANGED: _png,
        "JPEG 90": _jpeg(90),
        "JPEG 75": _jpeg(75),
        "JPEG 50": _jpeg(50),
        "resize 96": _small_and_back(96),
        "resize 64": _small_and_back(64),
        "blur 1": _blur(1),
        "blur 2": _blur(2),
    }
)
"""By name: JPEG of that quality; down to that many pixels and back up; Gaussian blur of that sigma in pixels."""
