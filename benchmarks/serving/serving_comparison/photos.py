"""The photos that are sent: drawn, or from a folder."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from visionlab_inference.images import prepare


def drawn_photos(count: int, side: int) -> list[bytes]:
    """Distinct JPEGs with the detail of photographs: smooth shapes and grain."""
    return [_drawn(np.random.default_rng(seed), side) for seed in range(count)]


def photos_of(folder: Path) -> list[bytes]:
    """The JPEG files of a folder and of the folders in it.

    Raises:
        SystemExit: there are none.
    """
    found = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.suffix.lower() in (".jpg", ".jpeg")]
    if not found:
        raise SystemExit(f"{folder} holds no .jpg files")
    return found


def lay_out(jpegs: list[bytes], folder: Path) -> None:
    """Write what the load reads: `NNNNN.jpg`, and `pixels.npy` with what detectors make of them, uint8 [N, 224, 224, 3]."""
    folder.mkdir(parents=True)
    for number, jpeg in enumerate(jpegs):
        (folder / f"{number:05}.jpg").write_bytes(jpeg)
    np.save(folder / "pixels.npy", np.stack([prepare(jpeg).pixels for jpeg in jpegs]))


def _drawn(rng: np.random.Generator, side: int) -> bytes:
    small = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).resize((side, side), Image.Resampling.BICUBIC)
    grain = rng.normal(0, 3, (side, side, 3))
    buffer = io.BytesIO()
    Image.fromarray(np.clip(np.asarray(small) + grain, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
