"""Generated pictures as bytes and as sheets."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


def to_uint8(pictures: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Pictures in -1 ... 1 to bytes, rounded to nearest."""
    return np.asarray(np.clip(np.rint((pictures + 1) * 127.5), 0, 255), np.uint8)


def grid(pictures: NDArray[np.uint8], columns: int = 8) -> NDArray[np.uint8]:
    """Lay out [N, S, S, 3] as rows of `columns` pictures; the last row is filled with black."""
    count, side = pictures.shape[:2]
    rows = -(-count // columns)
    sheet = np.zeros((rows * columns, side, side, 3), np.uint8)
    sheet[:count] = pictures
    return sheet.reshape(rows, columns, side, side, 3).swapaxes(1, 2).reshape(rows * side, columns * side, 3)


def save_grid(path: Path, pictures: NDArray[np.uint8]) -> None:
    """Write a sample grid as JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(grid(pictures), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])


def save_pictures(folder: Path, pictures: NDArray[np.uint8]) -> None:
    """Write pictures uint8 [N, H, W, 3] one by one as JPEG, to join a detector's training data."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures):
        path = str(folder / f"{number:05d}.jpg")
        cv2.imwrite(path, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])
