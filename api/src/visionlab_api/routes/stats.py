"""Likes and downloads."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import select

from visionlab_api import schemas
from visionlab_api.database.tables import PopularityRow
from visionlab_api.dependencies import SessionDep, StateDep, ViewerDep
from visionlab_api.routes.documented import problems

router = APIRouter(tags=["images"])


@router.get("/image/stats", summary="Popularity of each generator")
async def get_stats(state: StateDep, session: SessionDep) -> list[schemas.ModelStats]:
    """How many images each generator has made, and their likes and downloads; generators in service also where they made none."""
    rows = await session.scalars(select(PopularityRow).where(PopularityRow.images > 0))
    found = {
        (row.model_uuid, row.model_version): schemas.ModelStats(
            model_uuid=row.model_uuid, model_name=row.model_name, model_label=row.model_label, model_version=row.model_version,
            images=row.images, likes=row.likes, downloads=row.downloads,
        )
        for row in rows
    }  # fmt: skip
    for each in state.serving.enabled("generator"):
        card = each.card
        if (card.uuid, card.version) not in found:
            found[card.uuid, card.version] = schemas.ModelStats(
                model_uuid=card.uuid, model_name=card.name, model_label=card.label, model_version=card.version,
                images=0, likes=0, downloads=0,
            )  # fmt: skip
    return sorted(found.values(), key=lambda stats: (-stats.likes, -stats.downloads, stats.model_name))


@router.post(
    "/image/stats", summary="Count a like or a download", responses=problems(S404="There is no such image; nothing was counted.")
)
async def count(request: schemas.StatsRequest, state: StateDep, viewer: ViewerDep) -> list[schemas.ImageCounts]:
    """Counted once for each image; however many count at once, none is lost."""
    return await state.counting.count(request.images, request.action, viewer)
