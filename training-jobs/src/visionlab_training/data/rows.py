"""From the data of a spec to the rows that a training uses."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from visionlab_core.training_spec import DetectorData
from visionlab_training.data.check import require_enough, sound
from visionlab_training.data.index import ImageRow, folder_images, read_manifest

CHECKED_FILE = "data.json"


def all_rows(data: DetectorData) -> list[ImageRow]:
    """All images of a spec as they are listed: its manifest's, and its extra folders' in the training split.

    Raises:
        DataError: the manifest or a folder cannot be used.
    """
    rows = read_manifest(data.manifest)
    for extra in data.extra:
        rows += [ImageRow(path, extra.face_class, extra.source, "train") for path in folder_images(extra.path)]
    return rows


def detector_rows(data: DetectorData, folder: Path, *, seed: int) -> list[ImageRow]:
    """The images of a spec that a training in `folder` uses: checked, and with a part of them in `val` where none is.

    Raises:
        DataError: the data cannot be used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = with_validation(sound(all_rows(data), folder / CHECKED_FILE), data.validation_fraction, seed)
    require_enough(rows)
    return rows


def with_validation(rows: list[ImageRow], fraction: float, seed: int) -> list[ImageRow]:
    """Move about `fraction` of each class's training rows to `val`, drawn by `seed`, where no row is in it.

    Rows of one group, such as the pictures of one latent, move together.
    """
    if any(row.split == "val" for row in rows):
        return rows
    rng = np.random.default_rng(seed)
    moved: set[int] = set()
    for face_class in sorted({row.face_class for row in rows}):
        groups: dict[str, list[int]] = defaultdict(list)
        for place, row in enumerate(rows):
            if row.split == "train" and row.face_class == face_class:
                groups[row.group or str(row.path)].append(place)
        wanted = fraction * sum(map(len, groups.values()))
        taken = 0
        for name in rng.permutation(sorted(groups)):
            if taken >= wanted:
                break
            moved.update(groups[name])
            taken += len(groups[name])
    return [replace(row, split="val") if place in moved else row for place, row in enumerate(rows)]
