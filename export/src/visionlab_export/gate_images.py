"""The images that the parity gate of a detector looks at."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from visionlab_export.errors import ExportError
from visionlab_export.parity import BATCH_SIZES
from visionlab_export.serving import SERVED_SIDE

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})
MOST: Final = 24


def read_images(folder: Path) -> NDArray[np.uint8]:
    """At most 24 images of a folder and its subfolders, evenly over their sorted names: uint8 [M, 224, 224, 3].

    Raises:
        ExportError: there are fewer than 8, or one cannot be read.
    """
    if not folder.is_dir():
        raise ExportError(f"There is no folder {folder}.")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    least = max(BATCH_SIZES)
    if len(paths) < least:
        raise ExportError(f"{folder} holds {len(paths)} images (JPEG, PNG or WebP); the parity gate needs at least {least}.")
    chosen = [paths[i] for i in np.linspace(0, len(paths) - 1, min(MOST, len(paths))).astype(int)]
    return np.stack([_read(path) for path in chosen])


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
            return np.asarray(upright.resize((SERVED_SIDE, SERVED_SIDE), Image.Resampling.BILINEAR))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError) as error:
        raise ExportError(f"{path} is not an image that can be read: {error}") from error
