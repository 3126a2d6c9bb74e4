"""Data sets: made of uploads, listed, frozen for trainings, removed."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import posixpath
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from visionlab_api import schemas
from visionlab_api.database.tables import DatasetFileRow, DatasetRow, DatasetUseRow, ImageRow, PopularityRow
from visionlab_api.problems import ProblemError, not_found
from visionlab_api.services.fates import Fate
from visionlab_api.services.uploads import claim
from visionlab_core.face_class import FACE_CLASSES, FaceClass
from visionlab_core.object_store import ObjectStore
from visionlab_core.store_layout import dataset_image_key, dataset_manifest_key

SIZE_STEPS = (0, 64, 128, 256, 512, 1024)
"""The size histogram counts images by their shorter side, from each of these pixels up to the next."""


@dataclass(frozen=True, slots=True)
class FrozenFile:
    """An image of a data set: where it lies in the store, what it is, and where it comes from."""

    key: str
    face_class: FaceClass
    source: str
    sha256: str


@dataclass(frozen=True, slots=True)
class FrozenDataset:
    """A data set as a training uses it. The manifest, and what it names, never change.

    `manifest_key` is a CSV file that `visionlab-train` reads (`data.manifest`). Its paths are relative to it, so it works
    wherever the keys of the store are laid out as files. `classes` counts the images of each class.
    """

    uuid: UUID
    name: str
    digest: str
    manifest_key: str
    classes: dict[FaceClass, int]


async def create_dataset(session: AsyncSession, request: schemas.DatasetRequest) -> DatasetRow:
    """Note the wish for a data set; the uploads are its own from now on.

    Raises:
        ProblemError: 404 there is no such upload, 409 one is not finished or in use, or the name is taken.
    """
    uploads = list(dict.fromkeys(request.uploads))
    row = DatasetRow(
        uuid=uuid4(),
        type=request.type,
        name=request.name,
        label=request.label or request.name,
        face_class=request.face_class,
        origin="uploaded",
        status="enabled",
        state="pending",
        uploads=[str(upload) for upload in uploads],
    )
    try:
        session.add(row)
        await session.flush()
        await claim(session, uploads, row.uuid)
        await session.commit()
    except IntegrityError as error:
        await session.rollback()
        detail = f"There is a data set named {request.name!r} already. Choose another name, or remove that one."
        raise ProblemError(HTTPStatus.CONFLICT, "name-taken", "Name taken", detail, field="name") from error
    except ProblemError:
        await session.rollback()
        raise
    return row


async def find_dataset(session: AsyncSession, uuid: UUID) -> DatasetRow:
    """A data set.

    Raises:
        ProblemError: 404 there is none.
    """
    row = await session.scalar(select(DatasetRow).where(DatasetRow.uuid == uuid, DatasetRow.state != "deleting"))
    if row is None:
        raise not_found("data set", uuid)
    return row


async def change_status(session: AsyncSession, uuid: UUID, status: str) -> DatasetRow:
    """Note the wish whether trainings may use a data set.

    Raises:
        ProblemError: 404 there is none, 409 a failed one is to be enabled.
    """
    row = await find_dataset(session, uuid)
    if status == "enabled" and row.state == "failed":
        detail = f"The data set could not be read, so no training can use it: {row.reason}"
        raise ProblemError(HTTPStatus.CONFLICT, "dataset-failed", "Data set failed", detail)
    there = (DatasetRow.uuid == uuid, DatasetRow.state != "deleting")
    if not await _write(session, *there, status=status):
        await session.rollback()
        raise not_found("data set", uuid)
    await session.refresh(row)
    await session.commit()
    return row


async def remove_dataset(session: AsyncSession, uuid: UUID) -> None:
    """Take a data set away. It is gone from every list at once; its files follow (`reconcile.datasets`).

    Raises:
        ProblemError: 404 there is none, 409 a training uses it, or it is virtual.
    """
    row = await find_dataset(session, uuid)
    if row.origin != "uploaded":
        detail = "This data set is the images that people labelled or generators made, and goes with them. It can be disabled."
        raise ProblemError(HTTPStatus.CONFLICT, "dataset-virtual", "Virtual data set", detail)
    # First the write, which makes whoever wants to hold it wait, then the question who does; the name is free again.
    if not await _write(session, DatasetRow.uuid == uuid, DatasetRow.state != "deleting", state="deleting", name=str(uuid)):
        await session.rollback()
        raise not_found("data set", uuid)
    users = await session.scalar(select(func.count()).select_from(DatasetUseRow).where(DatasetUseRow.dataset_id == row.id))
    if users:
        await session.rollback()
        detail = f"{users} trainings use this data set. Wait until they are done, or remove them."
        raise ProblemError(HTTPStatus.CONFLICT, "dataset-in-use", "Data set in use", detail)
    await session.commit()


async def live_counts(session: AsyncSession, rows: Iterable[DatasetRow]) -> dict[str, Counter[FaceClass]]:
    """How many images of each class those of the data sets that are virtual have now, by origin."""
    found: dict[str, Counter[FaceClass]] = {}
    for origin in {row.origin for row in rows} & _COUNTS.keys():
        counts = await session.execute(_COUNTS[origin])
        found[origin] = Counter({FaceClass(str(face_class)): int(count) for face_class, count in counts})
    return found


async def hold_dataset(session: AsyncSession, store: ObjectStore, uuid: UUID, training: UUID) -> FrozenDataset:
    """Freeze a data set for a training, which holds it from now on: it cannot be removed until `let_go`. Not committed.

    Raises:
        ProblemError: 404 there is none, 409 it is disabled, not ready, or empty.
        StoreFull, StoreUnavailable: the manifest cannot be written.
    """
    row = await find_dataset(session, uuid)
    if row.status != "enabled" or row.state != "ready":
        raise _not_usable(row.name, row.state if row.state != "ready" else row.status)
    files = await frozen_files(session, row)
    if not files:
        detail = f"The data set {row.name!r} holds no image yet."
        raise ProblemError(HTTPStatus.CONFLICT, "dataset-empty", "Data set empty", detail, field="datasets")
    digest = row.digest or await write_manifest(store, row.uuid, files)
    # A write, which waits for whoever is just removing it; and the other way round.
    usable = (DatasetRow.id == row.id, DatasetRow.state == "ready", DatasetRow.status == "enabled")
    if not await _write(session, *usable, status="enabled"):
        raise _not_usable(row.name, "just being removed or disabled")
    session.add(DatasetUseRow(dataset_id=row.id, training=training, digest=digest))
    await session.flush()
    classes = Counter(file.face_class for file in files)
    return FrozenDataset(row.uuid, row.name, digest, dataset_manifest_key(row.uuid, digest), dict(classes))


async def let_go(session: AsyncSession, training: UUID) -> None:
    """A training has ended, or is no more: what it held may be removed. Not committed."""
    await session.execute(delete(DatasetUseRow).where(DatasetUseRow.training == training))


async def frozen_files(session: AsyncSession, row: DatasetRow) -> list[FrozenFile]:
    """The images of a data set as they are now, each content once; of a virtual one that came twice, the later word counts."""
    if row.origin == "uploaded":
        kept = select(DatasetFileRow.face_class, DatasetFileRow.sha256, DatasetFileRow.suffix).where(
            DatasetFileRow.dataset_id == row.id, DatasetFileRow.fate == Fate.KEPT
        )
        return [
            FrozenFile(dataset_image_key(row.uuid, FaceClass(each), sha256, suffix), FaceClass(each), row.name, sha256)
            for each, sha256, suffix in await session.execute(kept)
            if each and sha256 and suffix
        ]
    columns = (ImageRow.store_key, ImageRow.class_label, ImageRow.model_name, ImageRow.model_version, ImageRow.sha256)
    found: dict[str, FrozenFile] = {}
    for key, each, model, version, sha256 in await session.execute(
        select(*columns).where(*_VIRTUAL[row.origin]).order_by(ImageRow.id)
    ):
        if each:
            source = f"{model}-v{version}" if model else row.origin
            found[sha256] = FrozenFile(key, FaceClass(each), source, sha256)
    return list(found.values())


async def write_manifest(store: ObjectStore, dataset: UUID, files: Sequence[FrozenFile]) -> str:
    """Write the manifest of exactly these files, and give their digest: SHA-256 over the sorted classes and digests of files."""
    digest = content_digest((file.face_class, file.sha256) for file in files)
    await asyncio.to_thread(_write_manifest, store, dataset_manifest_key(dataset, digest), files)
    return digest


def content_digest(files: Iterable[tuple[FaceClass, str]]) -> str:
    """SHA-256 over a sorted list of classes and digests of files: names what images there are, and nothing else."""
    return hashlib.sha256("\n".join(sorted(f"{face_class} {sha256}" for face_class, sha256 in files)).encode()).hexdigest()


def files_of(dataset: DatasetRow, fates: Sequence[Fate] | None) -> Select[DatasetFileRow]:
    """The files of a data set that had one of these fates; None: all."""
    query = select(DatasetFileRow).where(DatasetFileRow.dataset_id == dataset.id)
    return query if fates is None else query.where(DatasetFileRow.fate.in_(fates))


def to_schema(row: DatasetRow, live: dict[str, Counter[FaceClass]]) -> schemas.Dataset:
    """A row as the API shows it; `live` are the counts of `live_counts`."""
    if row.origin == "uploaded":
        classes = {each: int(row.classes.get(each, 0)) for each in FACE_CLASSES}
    else:
        classes = {each: live[row.origin][each] for each in FACE_CLASSES}
    return schemas.Dataset(
        uuid=row.uuid,
        type=row.type,
        name=row.name,
        label=row.label,
        face_class=FaceClass(row.face_class) if row.face_class else None,
        origin=row.origin,
        status=row.status,
        state=row.state,
        reason=row.reason,
        progress=round(row.progress, 4),
        files=row.files,
        images=row.images if row.origin == "uploaded" else sum(classes.values()),
        image_bytes=row.image_bytes,
        fates={Fate(fate): count for fate, count in row.fates.items()},
        classes=classes,
        sizes=[schemas.SizeCount(least_side=step, images=row.sizes[str(step)]) for step in SIZE_STEPS if str(step) in row.sizes],
        digest=row.digest,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


_VIRTUAL: dict[str, tuple[ColumnElement[bool], ...]] = {
    # Of people's photos those alone that they agreed to.
    "labelled": (
        ImageRow.image_type == "uploaded",
        ImageRow.class_label.is_not(None),
        ImageRow.shared.is_(True),
        ImageRow.deleted_at.is_(None),
    ),
    "generated": (ImageRow.image_type == "generated", ImageRow.class_label.is_not(None), ImageRow.deleted_at.is_(None)),
}
"""What the virtual data sets consist of."""

_COUNTS: dict[str, Select[str | None, int]] = {
    "labelled": select(ImageRow.class_label, func.count()).where(*_VIRTUAL["labelled"]).group_by(ImageRow.class_label),
    # Not counted image by image: there are as many as anybody cares to make.
    "generated": select(PopularityRow.face_class, func.sum(PopularityRow.images))
    .where(PopularityRow.face_class.is_not(None), PopularityRow.images > 0)
    .group_by(PopularityRow.face_class),
}
"""How many of each class they hold."""


async def _write(session: AsyncSession, *conditions: ColumnElement[bool], **values: object) -> bool:
    """Write where the row is still so; it may have gone, or changed, since it was read. Not committed."""
    statement = update(DatasetRow).where(*conditions).values(**values).returning(DatasetRow.id)
    return (await session.execute(statement, execution_options={"synchronize_session": False})).first() is not None


def _not_usable(name: str, how: str) -> ProblemError:
    detail = f"The data set {name!r} is {how}: no training can use it now."
    return ProblemError(HTTPStatus.CONFLICT, "dataset-not-usable", "Data set cannot be used", detail, field="datasets")


def _write_manifest(store: ObjectStore, key: str, files: Sequence[FrozenFile]) -> None:
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("path", "class", "source", "split"))
    folder = posixpath.dirname(key)
    for file in sorted(files, key=lambda file: (file.face_class, file.sha256)):
        rows.writerow((posixpath.relpath(file.key, folder), file.face_class, file.source, "train"))
    store.put(key, text.getvalue().encode(), content_type="text/csv")
