"""From a release in the store to a folder that a server of this machine loads."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from visionlab_core.model_card import FileDigest
from visionlab_core.object_store import KeyNotFound, ObjectStore
from visionlab_inference.backend import ModelVersion
from visionlab_inference.releases.release import Release, ReleaseDamaged, UnusableModels, check_digest


def pull(store: ObjectStore, release: Release, folder: Path) -> None:
    """Write the release's model repository to a new folder; blocks.

    Files of a folder store are linked where both are on one file system: they are never changed in place.

    Raises:
        UnusableModels: files of these models are missing, or are not what the release says.
        StoreError: the store cannot be used.
        OSError: the folder is there already or cannot be written.
    """
    folder.mkdir(parents=True)
    unusable: dict[ModelVersion, str] = {}
    for name, model in release.models.items():
        try:
            for path, expected in model.files(name).items():
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                _fetch(store, release.key(path), target, expected)
        except (ReleaseDamaged, KeyNotFound) as error:
            unusable[model.version] = str(error)
    if unusable:
        raise UnusableModels(unusable)


def _fetch(store: ObjectStore, key: str, target: Path, expected: FileDigest) -> None:
    source = store.local_path(key)
    if source is None:
        with target.open("wb") as file:
            file.writelines(store.open(key))
    else:
        try:
            os.link(source, target)
        except OSError:  # another file system, or one without links
            shutil.copyfile(source, target)
    with target.open("rb") as file:
        check_digest(key, iter(lambda: file.read(1 << 20), b""), expected)
