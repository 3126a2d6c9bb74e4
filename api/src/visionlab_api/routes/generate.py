"""Making new faces."""

from __future__ import annotations

import time
from http import HTTPStatus

from fastapi import APIRouter, Request

from visionlab_api import schemas
from visionlab_api.accounts.gate import charge_images
from visionlab_api.dependencies import SessionDep, StateDep, VisitorDep
from visionlab_api.routes.documented import problems
from visionlab_api.services.choosing import chosen_models
from visionlab_api.services.generating import make_images
from visionlab_api.services.images import store_images, to_schema
from visionlab_api.services.settings import read_settings

router = APIRouter(tags=["images"])


@router.post(
    "/image/generate",
    status_code=HTTPStatus.CREATED,
    summary="Make new faces",
    responses=problems(
        S404="There is no such generator.",
        S409="The generator is disabled.",
        S422="The count, seed or truncation is out of range.",
        S503="The generator is busy or not ready; Retry-After says when to ask again.",
    ),
)
async def generate_images(
    request: schemas.GenerateRequest, asked: Request, state: StateDep, session: SessionDep, visitor: VisitorDep
) -> schemas.GenerateAnswer:
    """Run the chosen generators and store what they make, each image with its model, version, seed and truncation.

    The same model version, seed and truncation make the same image again, bit for bit.
    """
    started = time.perf_counter()
    models = chosen_models(state.serving, "generator", request.models)
    count = request.count if request.count is not None else (await read_settings(session)).images_per_batch
    charge_images(asked, count)
    images = await make_images(
        models,
        state.backend,
        state.decoder,
        count=count,
        seed=request.seed,
        truncation=request.truncation,
        visitor=visitor,
    )
    rows = await store_images(session, state.store, images)
    for row in rows:
        state.metrics.images_generated.labels(row.model_name).inc()
    return schemas.GenerateAnswer(
        images=[to_schema(row) for row in rows], milliseconds=round((time.perf_counter() - started) * 1000, 3)
    )
