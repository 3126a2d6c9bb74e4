"""Likes and downloads."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from visionlab_api import schemas
from visionlab_api.database.tables import ImageRow
from visionlab_api.dependencies import SessionDep, StateDep, ViewerDep
from visionlab_api.problems import not_found
from visionlab_api.routes.documented import problems
from visionlab_api.services.viewer import Viewer

router = APIRouter(tags=["images"])


@router.get("/image/stats", summary="Popularity of each generator")
async def get_stats(state: StateDep, session: SessionDep) -> list[schemas.ModelStats]:
    """How many images each generator has made, and their likes and downloads; generators in service also where they made none."""
    columns = (ImageRow.model_uuid, ImageRow.model_version)
    query = (
        select(
            *columns,
            func.max(ImageRow.model_name),
            func.max(ImageRow.model_label),
            func.count(),
            func.sum(ImageRow.likes),
            func.sum(ImageRow.downloads),
        )
        .where(ImageRow.image_type == "generated", ImageRow.deleted_at.is_(None))
        .group_by(*columns)
    )
    found: dict[tuple[UUID, int], schemas.ModelStats] = {}
    for uuid, version, name, label, images, likes, downloads in await session.execute(query):
        assert uuid is not None, "a generated image names its model"
        assert version is not None, "and the version"
        assert name is not None, "and the name"
        found[uuid, version] = schemas.ModelStats(
            model_uuid=uuid, model_name=name, model_label=label or name, model_version=version,
            images=images, likes=likes, downloads=downloads,
        )  # fmt: skip
    for each in state.serving.models():
        card = each.card
        if card.kind == "generator" and each.enabled and (card.uuid, card.version) not in found:
            found[card.uuid, card.version] = schemas.ModelStats(
                model_uuid=card.uuid, model_name=card.name, model_label=card.label, model_version=card.version,
                images=0, likes=0, downloads=0,
            )  # fmt: skip
    return sorted(found.values(), key=lambda stats: (-stats.likes, -stats.downloads, stats.model_name))


@router.post(
    "/image/stats", summary="Count a like or a download", responses=problems(S404="There is no such image; nothing was counted.")
)
async def count(request: schemas.StatsRequest, session: SessionDep, viewer: ViewerDep) -> list[schemas.ImageCounts]:
    """Counted in one statement for all images, so that no two clients overwrite each other."""
    return await count_images(session, request.images, request.action, viewer)


async def count_images(session: AsyncSession, uuids: list[UUID], action: str, viewer: Viewer) -> list[schemas.ImageCounts]:
    """Count an action once for each distinct image and commit.

    Raises:
        ProblemError: 404 where an image is unknown; nothing is counted.
    """
    changes: dict[str, dict[str, Any]] = {
        "like": {"likes": ImageRow.likes + 1},
        "unlike": {"likes": case((ImageRow.likes > 0, ImageRow.likes - 1), else_=0)},
        "download": {"downloads": ImageRow.downloads + 1},
    }
    distinct = list(dict.fromkeys(uuids))
    statement = update(ImageRow).where(ImageRow.uuid.in_(distinct), viewer.images()).values(changes[action])
    counted = {
        uuid: schemas.ImageCounts(uuid=uuid, likes=likes, downloads=downloads)
        for uuid, likes, downloads in await session.execute(
            statement.returning(ImageRow.uuid, ImageRow.likes, ImageRow.downloads),
            execution_options={"synchronize_session": False},
        )
    }
    for uuid in distinct:
        if uuid not in counted:
            await session.rollback()
            raise not_found("image", uuid, "images")
    await session.commit()
    return [counted[uuid] for uuid in distinct]
