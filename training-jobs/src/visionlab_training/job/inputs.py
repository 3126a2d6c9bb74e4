"""From keys of the object store to files that `visionlab-train` reads."""

from __future__ import annotations

import csv
import io
import posixpath
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

from visionlab_core.model_card import ModelCard
from visionlab_core.object_store import KeyNotFound, ObjectStore
from visionlab_core.store_layout import model_prefix, training_key
from visionlab_core.training_job import JUDGED_FILE, SPEC_FILE, TrainingOrder
from visionlab_core.training_spec import DetectorTraining, EnsembleTraining, GeneratorTraining

_FETCHERS = 16


class MissingInput(Exception):
    """Something that the order names is not in the store."""


def read_order(store: ObjectStore, training: UUID) -> TrainingOrder:
    """The order of a training.

    Raises:
        MissingInput: there is none, or it cannot be read.
        StoreUnavailable: the store cannot be used.
    """
    try:
        return TrainingOrder.model_validate_json(store.get(training_key(training, SPEC_FILE)))
    except KeyNotFound as error:
        raise MissingInput("The training's spec.json is not in the store.") from error
    except ValueError as error:
        raise MissingInput(f"The training's spec.json cannot be read: {error}") from error


def local_spec(store: ObjectStore, order: TrainingOrder, folder: Path) -> DetectorTraining | EnsembleTraining | GeneratorTraining:
    """The spec with paths of this machine in place of keys. What the store has as files is used in place, the rest is fetched.

    Raises:
        MissingInput: an image or a base is no longer in the store.
        StoreError: the store cannot be read.
    """
    spec = order.spec
    if spec.data.manifest is None:
        raise MissingInput("The order names no manifest.")
    manifest = _localised(store, spec.data.manifest.as_posix(), folder)
    changed: dict[str, object] = {"data": spec.data.model_copy(update={"manifest": manifest})}
    if isinstance(spec, EnsembleTraining):
        changed["bases"] = tuple(_base(store, each.as_posix(), folder) for each in spec.bases)
    return spec.model_copy(update=changed)


def local_comparison(store: ObjectStore, order: TrainingOrder, folder: Path) -> tuple[Path, Path]:
    """A folder with the card and the graph of the version to compare with, and the manifest of the images to judge on.

    An image that its person deleted meanwhile is named as one that is not there: the comparison counts it, and does without.

    Raises:
        MissingInput: the version, or the list, is no longer in the store.
        StoreError: the store cannot be read.
    """
    wanted = order.comparison
    assert wanted is not None
    prefix = model_prefix(wanted.champion, wanted.version)
    target = folder / "champion"
    for name in ("card.json", "model.onnx"):
        champion = _fetched(store, prefix + name, target, keep_name=True).parent
    return champion, _localised(store, training_key(order.training, JUDGED_FILE), folder, all_there=False)


def _localised(store: ObjectStore, key: str, folder: Path, *, all_there: bool = True) -> Path:
    """A copy of the manifest whose paths are those of local files."""

    def fetched(image: str) -> Path:
        try:
            return _fetched(store, image, folder / "images")
        except MissingInput:
            if all_there:
                raise
            return folder / "images" / image.replace("/", "~")

    try:
        rows = list(csv.reader(io.StringIO(store.get(key).decode(), newline="")))
    except KeyNotFound as error:
        raise MissingInput("The training's list of images is not in the store.") from error
    keys = [posixpath.normpath(posixpath.join(posixpath.dirname(key), row[0])) for row in rows[1:]]
    with ThreadPoolExecutor(_FETCHERS) as pool:
        paths = list(pool.map(fetched, keys))
    target = folder / posixpath.basename(key)
    with target.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(rows[0])
        writer.writerows([str(path), *row[1:]] for path, row in zip(paths, rows[1:], strict=True))
    return target


def _base(store: ObjectStore, prefix: str, folder: Path) -> Path:
    """A folder with the card and the weights of an exported version: all that an ensemble needs of it."""
    prefix = prefix.rstrip("/")
    target = folder / "bases" / posixpath.basename(posixpath.dirname(prefix)) / posixpath.basename(prefix)
    card = _fetched(store, f"{prefix}/card.json", target, keep_name=True)
    wanted = [name for name in ModelCard.model_validate_json(card.read_bytes()).files if name == "weights.npz"]
    paths = {card.parent, *(_fetched(store, f"{prefix}/{name}", target, keep_name=True).parent for name in wanted)}
    assert len(paths) == 1
    return card.parent


def _fetched(store: ObjectStore, key: str, folder: Path, *, keep_name: bool = False) -> Path:
    try:
        if (path := store.local_path(key)) is not None:
            return path
        # Two images of one name may lie in two folders of the store.
        target = folder / (posixpath.basename(key) if keep_name else key.replace("/", "~"))
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _write(target, store.open(key))
    except KeyNotFound as error:
        raise MissingInput(f"{key} is no longer in the store. Remove this training, and add it anew.") from error
    return target


def _write(target: Path, chunks: Iterable[bytes]) -> None:
    partial = target.with_name(target.name + ".partial")
    with partial.open("wb") as handle:
        handle.writelines(chunks)
    partial.replace(target)
