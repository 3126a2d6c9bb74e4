"""Is the system well?"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version

from fastapi import APIRouter, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from visionlab_api import schemas
from visionlab_api.accounts.principal import Scope
from visionlab_api.dependencies import PrincipalDep, StateDep
from visionlab_api.reconcile.model_table import KnownModel
from visionlab_api.reconcile.serving import ServingLoop

router = APIRouter(tags=["system"])
root_router = APIRouter(tags=["system"])

_SECONDS_FOR_DATABASE = 2.0
MOST_MODELS = 200
"""Of more, the list of models tells in pages."""


@router.get("/status", summary="Time, versions and serving readiness")
async def get_status(state: StateDep, principal: PrincipalDep) -> schemas.Status:
    """Always 200 while the server runs; `ready` says whether it can do its work."""
    every = state.serving.models()
    enabled = state.serving.enabled()
    counts = Counter(state.serving.state(each)[0] for each in enabled)
    counts["disabled"] = len(every) - len(enabled)
    shown = every if len(every) <= MOST_MODELS else [*enabled, *(each for each in every if not each.enabled)][:MOST_MODELS]
    store_problem = state.store_watch.problem
    serves = counts["ready"] > 0 and await state.backend.ready()
    return schemas.Status(
        time=datetime.now(UTC),
        version=version("visionlab-api"),
        ready=serves and store_problem is None and await _database_answers(state),
        store="ready" if store_problem is None else "unavailable",
        store_problem=store_problem if principal.may(Scope.ADMIN) else None,
        serving=state.configuration.serving,
        fetches_pictures=state.web_pictures is not None,
        models=[_to_schema(each, state.serving) for each in shown],
        counts={each: counts[each] for each in ("ready", "loading", "failed", "disabled")},
    )


@root_router.get("/metrics", include_in_schema=False)
async def get_metrics(state: StateDep) -> Response:
    """Prometheus text format."""
    return Response(state.metrics.render(), media_type=state.metrics.content_type)


def _to_schema(model: KnownModel, serving: ServingLoop) -> schemas.ModelState:
    fares, reason = serving.state(model)
    card = model.card
    return schemas.ModelState(uuid=card.uuid, name=card.name, version=card.version, kind=card.kind, state=fares, reason=reason)


async def _database_answers(state: StateDep) -> bool:
    """Within a second or so, as who watches does not wait for long either."""
    try:
        async with asyncio.timeout(_SECONDS_FOR_DATABASE), state.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, TimeoutError):
        return False
    return True
