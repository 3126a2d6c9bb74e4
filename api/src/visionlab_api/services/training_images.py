"""The list of images of a training, from the manifests of the data sets that were frozen for it."""

from __future__ import annotations

import csv
import io
import posixpath
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from visionlab_api.database.tables import ImageRow
from visionlab_core.object_store import KeyNotFound, ObjectStore
from visionlab_core.store_layout import dataset_manifest_key, training_key
from visionlab_core.training_job import JUDGED_FILE, MANIFEST_FILE

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
            found.append(_listed(key, row))
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
    least_for_a_test: int = LEAST_FOR_A_TEST,
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
        least_for_a_test: with fewer images, none are kept for judging.
    """
    unique = _unique(images, digests)
    tested = test_fraction if len(unique) >= least_for_a_test else 0.0
    rows = [
        (image, source or image.source, "test" if is_held_out(sha256, tested) else "train") for sha256, image in unique.items()
    ]
    _write(store, training_key(training, MANIFEST_FILE), rows)
    return len(unique)


def is_held_out(sha256: str, fraction: float) -> bool:
    """Whether an image is kept for judging where that share of all images is. Those of a smaller share are among them."""
    return int(sha256[:8], 16) < fraction * 2**32


def judged_images(
    images: Sequence[ListedImage], digests: Mapping[str, str], learnt: Collection[str], *, test_fraction: float
) -> dict[str, ListedImage]:
    """The images, by content, on which a version in service and a new one that learns from `images` can be compared.

    They are those that the new one does not learn from (its `test_fraction`), without those of `learnt`, the contents from which
    the one in service has learnt.
    """
    unique = _unique(images, digests)
    return {each: image for each, image in unique.items() if is_held_out(each, test_fraction) and each not in learnt}


def write_judged_manifest(store: ObjectStore, training: UUID, judged: Mapping[str, ListedImage]) -> None:
    """Write the manifest of the images, by content, on which a comparison judges; blocks."""
    _write(store, training_key(training, JUDGED_FILE), [(image, image.source, "test") for image in judged.values()])


def read_learnt(store: ObjectStore, training: UUID) -> list[ListedImage] | None:
    """The images that a training has learnt from, validation included; None: its list is gone; blocks."""
    key = training_key(training, MANIFEST_FILE)
    try:
        text = store.get(key).decode()
    except KeyNotFound:
        return None
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return [_listed(key, row) for row in rows if row["split"] != "test"]


def _unique(images: Iterable[ListedImage], digests: Mapping[str, str]) -> dict[str, ListedImage]:
    """Each content once, sorted by class and content: the first one's word counts."""
    unique: dict[str, ListedImage] = {}
    for image in images:
        if image.key in digests:
            unique.setdefault(digests[image.key], image)
    return dict(sorted(unique.items(), key=lambda item: (item[1].face_class, item[0])))


def _listed(manifest: str, row: Mapping[str, str]) -> ListedImage:
    path = posixpath.normpath(posixpath.join(posixpath.dirname(manifest), row["path"]))
    return ListedImage(path, row["class"], row["source"])


def _write(store: ObjectStore, key: str, images: Iterable[tuple[ListedImage, str, str]]) -> None:
    """Images with their sources and splits."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for image, source, split in images:
        rows.writerow((posixpath.relpath(image.key, posixpath.dirname(key)), image.face_class, source, split))
    store.put(key, text.getvalue().encode(), content_type="text/csv")


def _stem(key: str) -> str:
    return posixpath.splitext(posixpath.basename(key))[0]
