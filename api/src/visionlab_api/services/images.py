"""Stored images: bytes in the object store, one row each. The bytes come first, so a row never points at nothing."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import Select, and_, false, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from visionlab_api import schemas
from visionlab_api.database.tables import ImageRow
from visionlab_api.problems import not_found
from visionlab_api.services.popularity import add_images
from visionlab_api.services.recipes import Recipe, kept, recipe_of, told_steps, told_style
from visionlab_api.services.viewer import Viewer
from visionlab_core.face_class import FaceClass
from visionlab_core.model_card import ModelCard
from visionlab_core.object_store import ObjectStore
from visionlab_core.store_layout import image_key
from visionlab_inference.images import ImageInfo

MAX_FILENAME = 255


@dataclass(frozen=True, slots=True)
class NewImage:
    """An image to be stored."""

    data: bytes
    info: ImageInfo
    visitor: UUID
    filename: str | None = None
    model: ModelCard | None = None
    recipe: Recipe | None = None
    shared: bool = False


async def store_images(session: AsyncSession, store: ObjectStore, images: Sequence[NewImage]) -> list[ImageRow]:
    """Store images, all or none of them listed; on return they are durable.

    Raises:
        StoreFull, StoreUnavailable: nothing is listed.
    """
    rows = [_row(image) for image in images]
    await asyncio.gather(
        *(
            asyncio.to_thread(store.put, row.store_key, image.data, content_type=image.info.content_type)
            for row, image in zip(rows, images, strict=True)
        )
    )
    session.add_all(rows)
    await session.flush()
    await add_images(session, rows)
    await session.commit()
    return rows


async def find_images(session: AsyncSession, uuids: Sequence[UUID], viewer: Viewer, field: str = "images") -> list[ImageRow]:
    """The rows of images, in the order asked. The connection is given back: what is done with them may take long.

    Raises:
        ProblemError: 404 where one is unknown, or not for this viewer.
    """
    rows = {row.uuid: row for row in await session.scalars(select(ImageRow).where(ImageRow.uuid.in_(set(uuids))))}
    await session.commit()
    for uuid in uuids:
        if uuid not in rows or not viewer.may_see(rows[uuid]):
            raise not_found("image", uuid, field)
    return [rows[uuid] for uuid in uuids]


async def list_images(
    session: AsyncSession, viewer: Viewer, *, image_type: str | None, model: UUID | None, before: int | None, limit: int
) -> tuple[list[ImageRow], int | None]:
    """Images, newest first, from the one with the id `before` on; and the id to go on from, None at the end."""
    query = images_query(viewer, image_type=image_type, model=model, before=before, limit=limit + 1)
    rows = list(await session.scalars(query))
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def images_query(
    viewer: Viewer, *, image_type: str | None, model: UUID | None, before: int | None, limit: int
) -> Select[ImageRow]:
    """At most `limit` images, newest first, from the one with the id `before` on.

    What somebody may see is of several kinds. Of each, the newest are found by an index of its own; which are the newest of all
    is then a question of these few. Asked at once ("this, or that"), a database looks through all images, or sorts them.
    """
    kinds = []
    if image_type in (None, "generated"):
        kinds.append(and_(ImageRow.image_type == "generated", ImageRow.deleted_at.is_(None)))
    # What has a model is no upload.
    if image_type in (None, "uploaded") and model is None:
        kinds += viewer.kinds_of_uploads()
    parts = []
    for kind in kinds:
        part = select(ImageRow.id).where(kind)
        if model is not None:
            part = part.where(ImageRow.model_uuid == model)
        if before is not None:
            part = part.where(ImageRow.id < before)
        parts.append(part.order_by(ImageRow.id.desc()).limit(limit).subquery())
    if not parts:
        return select(ImageRow).where(false())
    newest = union(*(select(part.c.id) for part in parts))
    return select(ImageRow).where(ImageRow.id.in_(newest)).order_by(ImageRow.id.desc()).limit(limit)


def plain_filename(name: str | None) -> str | None:
    """What can be kept and shown of a file name that a client sent: its last part, without what is no text."""
    last = re.split(r"[\\/]", name or "")[-1]
    return "".join(character for character in last if character.isprintable())[-MAX_FILENAME:] or None


def to_schema(row: ImageRow) -> schemas.Image:
    """A row as the API shows it."""
    how_made = None
    if row.model_uuid is not None:
        assert row.model_name is not None
        assert row.model_version is not None
        recipe = recipe_of(row)
        how_made = schemas.HowMade(
            model_uuid=row.model_uuid,
            model_name=row.model_name,
            model_label=row.model_label or row.model_name,
            model_version=row.model_version,
            seed=recipe.latent.seed,
            truncation=recipe.truncation,
            steps=told_steps(recipe.latent.steps),
            style=told_style(recipe.style),
        )
    return schemas.Image(
        uuid=row.uuid,
        image_type="generated" if row.image_type == "generated" else "uploaded",
        url=f"/backend/image/{row.uuid}.{row.store_key.rsplit('.', 1)[-1]}",
        filename=row.filename,
        width=row.width,
        height=row.height,
        class_label=FaceClass(row.class_label) if row.class_label else None,
        likes=row.likes,
        downloads=row.downloads,
        shared=row.shared,
        how_made=how_made,
        created_at=row.created_at,
    )


def _row(image: NewImage) -> ImageRow:
    uuid, model, recipe = uuid4(), image.model, image.recipe
    return ImageRow(
        uuid=uuid,
        image_type="generated" if model else "uploaded",
        model_uuid=model.uuid if model else None,
        model_name=model.name if model else None,
        model_label=model.label if model else None,
        model_version=model.version if model else None,
        seed=recipe.latent.seed if recipe else None,
        truncation=recipe.truncation if recipe else None,
        recipe=kept(recipe) if recipe else None,
        class_label=model.face_class if model else None,
        likes=0,
        downloads=0,
        store_key=image_key(uuid, image.info.suffix),
        content_type=image.info.content_type,
        size=len(image.data),
        sha256=hashlib.sha256(image.data).hexdigest(),
        width=image.info.width,
        height=image.info.height,
        filename=plain_filename(image.filename),
        visitor=image.visitor,
        shared=image.shared,
    )
