"""Augmentation against shortcuts.

Collections of real and generated faces differ in crop, sharpness, compression and colour as much as in what the camera or the
network drew. Each of these is randomised here, in the same way for every class, so that none of them tells the class.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
_INTERPOLATIONS = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA, cv2.INTER_LANCZOS4)

cv2.setNumThreads(1)


def augment(image: Image, rng: np.random.Generator, resize: Callable[[Image], Image]) -> Image:
    """Crop, mirror, resample, blur, compress, resize, recolour, add noise and cut out; `image` uint8 [H, W, 3] RGB.

    `resize` brings what has been done so far to the network's size; the rest is done at that size.
    """
    image = random_crop(image, rng)
    if rng.random() < 0.5:
        image = np.ascontiguousarray(image[:, ::-1])
    if rng.random() < 0.65:
        image = resample(image, rng)
    if rng.random() < 0.25:
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.3, 1.6))).astype(np.uint8)
    elif rng.random() < 0.15:
        image = sharpen(image, float(rng.uniform(0.2, 1.0)))
    if rng.random() < 0.35:
        image = compress(image, int(rng.integers(25, 96)))
    image = resize(image)
    if rng.random() < 0.8:
        image = recolour(image, rng)
    if rng.random() < 0.3:
        noise = rng.standard_normal(image.shape, dtype=np.float32) * rng.uniform(1, 10)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        image = compress(image, int(rng.integers(40, 96)))
    if rng.random() < 0.3:
        image = cut_out(image, rng)
    return image


def random_crop(image: Image, rng: np.random.Generator) -> Image:
    """A rectangle of 45 to 100 % of the area with an aspect ratio between 4:5 and 5:4, after a small rotation now and then."""
    height, width = image.shape[:2]
    if rng.random() < 0.2:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.uniform(-12, 12)), 1.0)
        image = cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REFLECT_101).astype(np.uint8)
    area = rng.uniform(0.45, 1.0)
    aspect = np.exp(rng.uniform(-0.22, 0.22))
    h = min(height, max(8, round(height * np.sqrt(area / aspect))))
    w = min(width, max(8, round(width * np.sqrt(area * aspect))))
    top, left = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
    return np.ascontiguousarray(image[top : top + h, left : left + w])


def resample(image: Image, rng: np.random.Generator) -> Image:
    """Shrink to 30 - 100 % and back (soft, as upscaled sources are), or enlarge and back, with random filters."""
    height, width = image.shape[:2]
    scale = float(rng.uniform(0.3, 1.0) if rng.random() < 0.7 else rng.uniform(1.0, 2.0))
    small = (max(16, round(width * scale)), max(16, round(height * scale)))
    image = cv2.resize(image, small, interpolation=_any_interpolation(rng)).astype(np.uint8)
    return cv2.resize(image, (width, height), interpolation=_any_interpolation(rng)).astype(np.uint8)


def compress(image: Image, quality: int) -> Image:
    """One generation of JPEG at `quality` (1 to 100)."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None, "what OpenCV wrote, OpenCV reads"
    return decoded.astype(np.uint8)


def sharpen(image: Image, amount: float) -> Image:
    """Unsharp masking."""
    soft = cv2.GaussianBlur(image, (0, 0), 1.0)
    return cv2.addWeighted(image, 1 + amount, soft, -amount, 0).astype(np.uint8)


def recolour(image: Image, rng: np.random.Generator) -> Image:
    """Brightness, contrast, saturation, gain of each channel and gamma; now and then grey."""
    values = image.astype(np.float32)
    grey = values @ np.array([0.299, 0.587, 0.114], np.float32)
    saturation = 0.0 if rng.random() < 0.08 else rng.uniform(0.5, 1.5)
    values = grey[..., None] + (values - grey[..., None]) * np.float32(saturation)
    values = values * rng.uniform(0.85, 1.15, 3).astype(np.float32)
    mean = grey.mean()
    values = (values - mean) * np.float32(rng.uniform(0.7, 1.3)) + mean + np.float32(rng.uniform(-30, 30))
    values = np.clip(values, 0, 255)
    if rng.random() < 0.3:
        values = 255 * (values / 255) ** np.float32(np.exp(rng.uniform(-0.4, 0.4)))
    return np.asarray(values, np.uint8)


def cut_out(image: Image, rng: np.random.Generator) -> Image:
    """Cover one rectangle (10 to 40 % of each side) with a flat colour, so that no single region decides."""
    height, width = image.shape[:2]
    h, w = int(height * rng.uniform(0.1, 0.4)), int(width * rng.uniform(0.1, 0.4))
    top, left = int(rng.integers(0, height - h)), int(rng.integers(0, width - w))
    image = image.copy()
    image[top : top + h, left : left + w] = rng.integers(0, 256, 3, dtype=np.uint8)
    return image


def _any_interpolation(rng: np.random.Generator) -> int:
    return _INTERPOLATIONS[int(rng.integers(len(_INTERPOLATIONS)))]
