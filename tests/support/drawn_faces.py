"""Faces drawn in code: enough of a face for pipelines to be tested on."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from visionlab_core.face_class import FACE_CLASSES


def drawn_face(seed: int, side: int = 64) -> NDArray[np.uint8]:
    """An oval with eyes and a mouth on a backdrop, uint8 [side, side, 3] RGB; colours and places follow the seed."""
    rng = np.random.default_rng(seed)
    image = np.full((side, side, 3), rng.integers(0, 256, 3), np.uint8)
    skin, dark = rng.integers(120, 256, 3).tolist(), rng.integers(0, 80, 3).tolist()
    x, y = side // 2 + int(rng.integers(-4, 5)), side // 2 + int(rng.integers(-4, 5))
    cv2.ellipse(image, (x, y), (side // 4, side // 3), 0, 0, 360, skin, -1, cv2.LINE_AA)
    for direction in (-1, 1):
        cv2.circle(image, (x + direction * side // 9, y - side // 10), max(1, side // 24), dark, -1, cv2.LINE_AA)
    cv2.ellipse(image, (x, y + side // 8), (side // 9, side // 20), 0, 0, 180, dark, 1, cv2.LINE_AA)
    return image


def portrait(seed: int, side: int = 128) -> NDArray[np.uint8]:
    """A drawn face with a texture of its own, as photographs have it, uint8 [side, side, 3] RGB."""
    grain = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    texture = cv2.resize(grain, (side, side), interpolation=cv2.INTER_CUBIC)
    return cv2.addWeighted(drawn_face(seed, side), 0.6, texture, 0.4, 0).astype(np.uint8)


def write_faces(folder: Path, count: int, *, first_seed: int = 0, side: int = 64) -> list[Path]:
    """Write drawn faces as JPEG files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for seed in range(first_seed, first_seed + count):
        path = folder / f"{seed:04d}.jpg"
        cv2.imwrite(str(path), cv2.cvtColor(drawn_face(seed, side), cv2.COLOR_RGB2BGR))
        paths.append(path)
    return paths


def write_dataset(folder: Path, each: int = 4) -> Path:
    """Write a manifest with `each` images of two sources of every class in every split; gives the manifest's path."""
    rows = []
    for number, face_class in enumerate(FACE_CLASSES):
        for source in ("a", "b"):
            for place, split in enumerate(("train", "val", "test", "unseen")):
                part = folder / f"{face_class}-{source}-{split}"
                for path in write_faces(part, each, first_seed=1000 * number + 100 * place + (50 if source == "b" else 0)):
                    rows.append((path.relative_to(folder), face_class.value, f"{face_class}-{source}", split))
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(("path", "class", "source", "split"))
        writer.writerows(rows)
    return manifest
