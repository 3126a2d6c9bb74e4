"""The list of images of a training, from the manifests of the data sets that were frozen for it."""

from __future__ import annotations

import csv
import io
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from visionlab_api.database.tables import ImageRow
from visionlab_core.object_store import ObjectStore
from visionlab_core.store_layout import dataset_manifest_key, training_key
from visionlab_core.training_job import MANIFEST_FILE

LEAST_FOR_A_TEST = 200
_COLUMNS = ("path", "class", "source", "split")
_ASKED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ListedImage:
    """A row of a data set's manifest, its path as a key."""

    key: str
    face_class: str
    source: str


def read_listed(store: ObjectStore, datasets: Iterable[Mapping[str, str]]) -> list[ListedImage]:
    """All images of frozen data sets (`uuid`, `digest`), in their order; blocks.

    Raises:
        KeyNotFound: a manifest is gone.
    """
    found = []
    for dataset in datasets:
        key = dataset_manifest_key(UUID(dataset["uuid"]), dataset["digest"])
        for row in csv.DictReader(io.StringIO(store.get(key).decode(), newline="")):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(key), row["path"]))
            found.append(ListedImage(path, row["class"], row["source"]))
    return found


async def digests_of(session: AsyncSession, images: Sequence[ListedImage]) -> dict[str, str]:
    """SHA-256 of each image by key. Those of data sets are named by it; the others' are in their rows."""
    found = {image.key: _stem(image.key) for image in images if image.key.startswith("datasets/")}
    others = [UUID(_stem(image.key)) for image in images if image.key not in found]
    for begin in range(0, len(others), _ASKED_AT_ONCE):
        part = select(ImageRow.store_key, ImageRow.sha256).where(ImageRow.uuid.in_(others[begin : begin + _ASKED_AT_ONCE]))
        found |= {key: sha256 for key, sha256 in await session.execute(part)}
    return found


def write_training_manifest(
    store: ObjectStore,
    training: UUID,
    images: Sequence[ListedImage],
    digests: Mapping[str, str],
    *,
    test_fraction: float,
    source: str | None,
) -> int:
    """Write the manifest of a training, and give the number of its images; blocks.

    Each content is in it once: of an image that two data sets have, the first one's word counts. Which images are in `test`
    is decided by their content alone. So whatever was learnt from before, a model is never judged on it later.

    Args:
        store: where it goes.
        training: whose.
        images: of all its data sets.
        digests: their contents; images without one are gone, and left out.
        test_fraction: share of the images that are kept for judging, where there are enough of them.
        source: the source of all rows; None: each has its own.
    """
    unique: dict[str, ListedImage] = {}
    for image in images:
        if image.key in digests:
            unique.setdefault(digests[image.key], image)
    tested = test_fraction if len(unique) >= LEAST_FOR_A_TEST else 0.0
    key = training_key(training, MANIFEST_FILE)
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for sha256, image in sorted(unique.items(), key=lambda item: (item[1].face_class, item[0])):
        split = "test" if int(sha256[:8], 16) < tested * 2**32 else "train"
        path = posixpath.relpath(image.key, posixpath.dirname(key))
        rows.writerow((path, image.face_class, source or image.source, split))
    store.put(key, text.getvalue().encode(), content_type="text/csv")
    return len(unique)


def _stem(key: str) -> str:
    return posixpath.splitext(posixpath.basename(key))[0]
