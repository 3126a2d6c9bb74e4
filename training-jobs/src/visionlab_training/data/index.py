"""The list of images behind a training: path, class, source and split of each."""

from __future__ import annotations

import csv
import difflib
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
    """One image of a data set. Images of one `group`, such as the pictures of one latent, belong in one split."""

    path: Path
    face_class: FaceClass
    source: str
    split: Split
    group: str = ""


class DataError(ValueError):
    """A data set that cannot be used as it is; the message says what to mend."""


def read_manifest(manifest: Path) -> list[ImageRow]:
    """Read a manifest (CSV with the columns path, class, source, split, and group if it likes; paths relative to the file).

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
        rows: list[ImageRow] = []
        for number, row in enumerate(reader, start=2):
            for column, known in (("class", tuple(FaceClass)), ("split", SPLITS)):
                if row[column] not in known:
                    raise DataError(f"{manifest}, line {number}: the {column} is {row[column]!r}; {_meant(row[column], known)}")
            if not row["path"] or not row["source"]:
                raise DataError(f"{manifest}, line {number}: the path or the source is empty.")
            path = manifest.parent / row["path"]
            rows.append(ImageRow(path, FaceClass(row["class"]), row["source"], row["split"], row.get("group") or ""))  # type: ignore[arg-type]
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


def file_digest(path: Path) -> bytes:
    """sha256 of a file's content.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return sha256(path.read_bytes()).digest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


def digest(rows: Iterable[ImageRow]) -> str:
    """sha256 over class, source, split and file name of each row: which images, not their bytes."""
    lines = sorted(f"{r.face_class} {r.source} {r.split} {r.path.name}" for r in rows)
    return sha256("\n".join(lines).encode()).hexdigest()


def _meant(word: str | None, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches((word or "").lower(), known, n=1)
    return f"did you mean {near[0]}?" if near else f"it has to be one of {', '.join(known)}."
