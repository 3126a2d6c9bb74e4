"""Is the system well?"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version

from fastapi import APIRouter, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from visionlab_api import schemas
from visionlab_api.dependencies import StateDep

router = APIRouter(tags=["system"])
root_router = APIRouter(tags=["system"])


@router.get("/status", summary="Time, versions and serving readiness")
async def get_status(state: StateDep) -> schemas.Status:
    """Always 200 while the server runs; `ready` says whether it can do its work."""
    models = []
    for each in state.serving.models():
        fares, reason = state.serving.state(each)
        card = each.card
        models.append(
            schemas.ModelState(uuid=card.uuid, name=card.name, version=card.version, kind=card.kind, state=fares, reason=reason)
        )
    serves = any(model.state == "ready" for model in models) and await state.backend.ready()
    return schemas.Status(
        time=datetime.now(UTC),
        version=version("visionlab-api"),
        ready=serves and await _database_answers(state),
        serving=state.configuration.serving,
        models=models,
    )


@root_router.get("/metrics", include_in_schema=False)
async def get_metrics(state: StateDep) -> Response:
    """Prometheus text format."""
    return Response(state.metrics.render(), media_type=state.metrics.content_type)


async def _database_answers(state: StateDep) -> bool:
    try:
        async with state.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True
