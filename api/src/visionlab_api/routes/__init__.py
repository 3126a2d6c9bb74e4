"""The routes, one file a resource."""

from fastapi import APIRouter

from visionlab_api.routes import (
    archive,
    audit,
    challenges,
    classify,
    datasets,
    generate,
    images,
    keys,
    labels,
    models,
    session,
    settings,
    stats,
    status,
    trainings,
    uploads,
)
from visionlab_api.routes.documented import ANY_PROBLEM

router = APIRouter(prefix="/backend", responses=ANY_PROBLEM)
# Fixed paths come before the one that takes any image path; the one that is called most comes first of all.
for module in (
    classify,
    status,
    settings,
    generate,
    labels,
    stats,
    archive,
    uploads,
    datasets,
    trainings,
    challenges,
    models,
    session,
    keys,
    audit,
    images,
):
    router.include_router(module.router)

__all__ = ["router"]
