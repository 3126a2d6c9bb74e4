"""The list of images behind a training: path, class, source and split of each."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal, get_args

from visionlab_core.face_class import FaceClass

Split = Literal["train", "val", "test", "unseen"]
SPLITS: tuple[Split, ...] = get_args(Split)
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One image of a data set."""

    path: Path
    face_class: FaceClass
    source: str
    split: Split


class DataError(ValueError):
    """A data set that cannot be used as it is; the message says what to mend."""


def read_manifest(manifest: Path) -> list[ImageRow]:
    """Read a manifest (CSV with the columns path, class, source, split; paths relative to the file).

    Raises:
        DataError: a column is missing, or a row names an unknown class or split.
    """
    if not manifest.is_file():
        raise DataError(f"There is no manifest at {manifest}.")
    with manifest.open(newline="", encoding="utf-8") as handle:
        reader = csv.DictReader(handle)
        missing = {"path", "class", "source", "split"} - set(reader.fieldnames or ())
        if missing:
            raise DataError(f"{manifest} lacks the columns {', '.join(sorted(missing))}.")
        rows = []
        for number, row in enumerate(reader, start=2):
            if row["class"] not in set(FaceClass):
                raise DataError(f"{manifest}, line {number}: the class is {row['class']!r}, not one of {', '.join(FaceClass)}.")
            if row["split"] not in SPLITS:
                raise DataError(f"{manifest}, line {number}: the split is {row['split']!r}, not one of {', '.join(SPLITS)}.")
            rows.append(ImageRow(manifest.parent / row["path"], FaceClass(row["class"]), row["source"], row["split"]))
    return rows


def folder_images(folder: Path) -> list[Path]:
    """All images directly in a folder, sorted by name.

    Raises:
        DataError: the folder is missing or holds no image.
    """
    images = sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES) if folder.is_dir() else []
    if not images:
        raise DataError(f"{folder} holds no .jpg or .png image.")
    return images


def digest(rows: Iterable[ImageRow]) -> str:
    """sha256 over class, source, split and file name of each row: which images, not their bytes."""
    lines = sorted(f"{r.face_class} {r.source} {r.split} {r.path.name}" for r in rows)
    return sha256("\n".join(lines).encode()).hexdigest()
