"""Is a data set what it says it is? Damaged files, images that are there twice, too few of a class."""

from __future__ import annotations

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from tqdm import tqdm

from visionlab_inference.images import BrokenImage, ImageTooLarge, ImageTooSmall, NotAnImage, inspect
from visionlab_training.data.index import DataError, ImageRow
from visionlab_training.whole_file import write_json

log = logging.getLogger(__name__)

LEAST_TRAINING_IMAGES = 8
MOST_DAMAGED = 0.1
"""Part of the images that may be damaged: more, and something else is wrong."""
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Findings:
    """What was left out: the names of damaged files, and of images that are a copy of another of their class and split."""

    damaged: tuple[str, ...]
    copies: tuple[str, ...]


def sound(rows: Sequence[ImageRow], record: Path) -> list[ImageRow]:
    """The rows without damaged files and without second copies of an image; what was left out is logged and kept in `record`.

    Every file is decoded once. Who goes on with a training is spared that: the record holds for files with the same names,
    sizes and times.

    Raises:
        DataError: an image is in two splits or in two classes, or more than a tenth of the files is damaged.
    """
    key = _key(rows)
    kept = _recorded(record, key)
    if kept is None:
        kept = _look(rows)
        write_json(record, {"key": key, "images": _counts(rows), **asdict(kept)})
    for what, names in (("damaged", kept.damaged), ("copies of others", kept.copies)):
        if names:
            log.warning("%d images are %s and were left out: %s", len(names), what, _some(names))
    out = {*kept.damaged, *kept.copies}
    return [row for row in rows if str(row.path) not in out]


def require_enough(rows: Sequence[ImageRow]) -> None:
    """Refuse what no detector can learn from.

    Raises:
        DataError: fewer than two classes or than `LEAST_TRAINING_IMAGES` to train on, or a class without images to validate on.
    """
    training = Counter(row.face_class for row in rows if row.split == "train")
    if sum(training.values()) < LEAST_TRAINING_IMAGES:
        raise DataError(
            f"There are {sum(training.values())} images to train on; a detector needs at least {LEAST_TRAINING_IMAGES}, "
            "and good ones some thousands of each class."
        )
    if len(training) < 2:
        raise DataError(f"All images to train on are of the class {next(iter(training))}; a detector needs two to tell apart.")
    validated = {row.face_class for row in rows if row.split == "val"}
    if missing := sorted(training.keys() - validated):
        raise DataError(f"No image of {', '.join(missing)} is in the split val, by which the best weights are chosen. Add some.")


def _look(rows: Sequence[ImageRow]) -> Findings:
    with ThreadPoolExecutor() as threads:
        digests = list(
            tqdm(threads.map(_digest, (row.path for row in rows)), total=len(rows), desc="checking images", mininterval=1)
        )
    damaged = [str(row.path) for row, digest in zip(rows, digests, strict=True) if digest is None]
    if len(damaged) > MOST_DAMAGED * len(rows):
        raise DataError(f"{len(damaged)} of {len(rows)} images are missing or damaged: {_some(damaged)}.")
    same: dict[str, list[ImageRow]] = defaultdict(list)
    for row, digest in zip(rows, digests, strict=True):
        if digest is not None:
            same[digest].append(row)
    repeated = [group for group in same.values() if len(group) > 1]
    _refuse("splits", [group for group in repeated if len({row.split for row in group}) > 1])
    _refuse("classes", [group for group in repeated if len({row.face_class for row in group}) > 1])
    return Findings(tuple(damaged), tuple(str(row.path) for group in repeated for row in group[1:]))


def _refuse(what: str, groups: list[list[ImageRow]]) -> None:
    if groups:
        pairs = [f"{group[0].path} = {group[1].path}" for group in groups]
        raise DataError(
            f"{len(groups)} images are in two {what}, so that no figure could be believed: {_some(pairs)}. Remove one of each."
        )


def _digest(path: Path) -> str | None:
    try:
        data = path.read_bytes()
        inspect(data)
    except (OSError, NotAnImage, BrokenImage, ImageTooLarge, ImageTooSmall):
        return None
    return sha256(data).hexdigest()


def _key(rows: Iterable[ImageRow]) -> str:
    lines = []
    for row in rows:
        try:
            stat = row.path.stat()
            state = f"{stat.st_size} {stat.st_mtime_ns}"
        except OSError:
            state = "missing"
        lines.append(f"{row.path} {row.face_class} {row.split} {state}")
    return sha256("\n".join(lines).encode()).hexdigest()


def _recorded(record: Path, key: str) -> Findings | None:
    if not record.exists():
        return None
    content = json.loads(record.read_text(encoding="utf-8"))
    return Findings(tuple(content["damaged"]), tuple(content["copies"])) if content["key"] == key else None


def _counts(rows: Iterable[ImageRow]) -> dict[str, int]:
    return dict(sorted(Counter(f"{row.split}/{row.face_class}/{row.source}" for row in rows).items()))


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
