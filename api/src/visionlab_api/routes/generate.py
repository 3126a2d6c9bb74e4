"""Making new faces: from noise, like one that is there, or of the styles of two."""

from __future__ import annotations

import time
from http import HTTPStatus

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession

from visionlab_api import schemas
from visionlab_api.accounts.gate import charge_images
from visionlab_api.database.tables import ImageRow
from visionlab_api.dependencies import SessionDep, StateDep, ViewerDep, VisitorDep
from visionlab_api.problems import ProblemError
from visionlab_api.reconcile.model_table import KnownModel
from visionlab_api.routes.documented import problems
from visionlab_api.services.choosing import choose_models
from visionlab_api.services.generating import make_faces, make_images, seeds_from
from visionlab_api.services.images import NewImage, find_images, store_images, to_schema
from visionlab_api.services.recipes import asked_steps, asked_style, recipe_of
from visionlab_api.services.settings import read_settings
from visionlab_api.state import State
from visionlab_inference.generation import mixes_styles
from visionlab_inference.seeds import Latent, Step, Style

router = APIRouter(tags=["images"])

_UNAVAILABLE = "The generator is busy or not ready; Retry-After says when to ask again."


@router.post(
    "/image/generate",
    status_code=HTTPStatus.CREATED,
    summary="Make new faces",
    responses=problems(
        S404="There is no such generator.",
        S409="The generator is disabled.",
        S422="The count, seed or truncation is out of range, or a generator cannot mix styles.",
        S503=_UNAVAILABLE,
    ),
)
async def generate_images(
    request: schemas.GenerateRequest, asked: Request, state: StateDep, session: SessionDep, visitor: VisitorDep
) -> schemas.GenerateAnswer:
    """Run the chosen generators and store what they make, each image with all that it is made of (`how_made`).

    The same model version, seed, truncation, steps and style make the same image again, bit for bit.
    """
    started = time.perf_counter()
    models = await choose_models(state.serving, "generator", request.models)
    style = asked_style(request.style)
    if style is not None:
        for model in models:
            _must_mix(model, "style")
    count = request.count if request.count is not None else (await read_settings(session)).images_per_batch
    charge_images(asked, count)
    images = await make_images(
        models,
        state.backend,
        state.decoder,
        count=count,
        seed=request.seed,
        truncation=request.truncation,
        steps=asked_steps(request.steps),
        style=style,
        visitor=visitor,
    )
    return await _stored(session, state, images, started)


@router.post(
    "/image/neighbours",
    status_code=HTTPStatus.CREATED,
    summary="Make faces like one",
    responses=problems(
        S404="There is no such image, or its generator is gone.",
        S409="Its generator is disabled, or has a new version since.",
        S422="The image was not made here, or is too many steps from its seed already.",
        S503=_UNAVAILABLE,
    ),
)
async def generate_neighbours(
    request: schemas.NeighboursRequest,
    asked: Request,
    state: StateDep,
    session: SessionDep,
    visitor: VisitorDep,
    viewer: ViewerDep,
) -> schemas.GenerateAnswer:
    """Make neighbours of an image in latent space, by the version of the generator that made it, with its truncation and style.

    Each is one step away from it, in a direction of its own. Neighbours of a neighbour go on from there.
    """
    started = time.perf_counter()
    [row] = await find_images(session, [request.image], viewer, "image")
    model = await _maker(state, row, "image")
    recipe = recipe_of(row)
    if len(recipe.latent.steps) >= schemas.MAX_STEPS:
        raise _unfit(f"The image is {schemas.MAX_STEPS} steps from its seed, which is the limit: choose another one.", "image")
    count = request.count if request.count is not None else (await read_settings(session)).images_per_batch
    charge_images(asked, count)
    images = await make_faces(
        model,
        state.backend,
        state.decoder,
        latents=[
            Latent(recipe.latent.seed, (*recipe.latent.steps, Step(seed, request.distance)))
            for seed in seeds_from(request.seed, count)
        ],
        truncation=recipe.truncation,
        style=recipe.style,
        visitor=visitor,
    )
    return await _stored(session, state, images, started)


@router.post(
    "/image/mix",
    status_code=HTTPStatus.CREATED,
    summary="Mix the styles of two faces",
    responses=problems(
        S404="There is no such image, or their generator is gone.",
        S409="Their generator is disabled, or has a new version since.",
        S422="The images were not made by the same version of a generator that mixes styles.",
        S503=_UNAVAILABLE,
    ),
)
async def mix_images(
    request: schemas.MixRequest, asked: Request, state: StateDep, session: SessionDep, visitor: VisitorDep, viewer: ViewerDep
) -> schemas.GenerateAnswer:
    """Make a face that has its coarse styles (pose, shape) from one image and the finer ones (colours, texture) from another.

    Style mixing of StyleGAN (Karras et al., 2019, arXiv:1812.04948). The truncation is that of the first image.
    """
    started = time.perf_counter()
    own, other = await find_images(session, [request.image, request.style], viewer, "image")
    model = await _maker(state, own, "image")
    if (other.model_uuid, other.model_version) != (own.model_uuid, own.model_version):
        raise _unfit("Only faces that the same version of one generator made can be mixed.", "style")
    _must_mix(model, "image")
    recipe, source = recipe_of(own), recipe_of(other)
    # Of a face that is mixed itself, what one sees of its colours and texture is that of its own second latent.
    style = Style(source.style.latent if source.style else source.latent, request.crossover)
    charge_images(asked, 1)
    images = await make_faces(
        model,
        state.backend,
        state.decoder,
        latents=[recipe.latent],
        truncation=recipe.truncation,
        style=style,
        visitor=visitor,
    )
    return await _stored(session, state, images, started)


async def _stored(session: AsyncSession, state: State, images: list[NewImage], started: float) -> schemas.GenerateAnswer:
    rows = await store_images(session, state.store, images)
    for row in rows:
        state.metrics.images_generated.labels(row.model_name).inc()
    return schemas.GenerateAnswer(
        images=[to_schema(row) for row in rows], milliseconds=round((time.perf_counter() - started) * 1000, 3)
    )


async def _maker(state: State, row: ImageRow, field: str) -> KnownModel:
    """The generator that made an image, if that very version is in service."""
    if row.model_uuid is None:
        raise _unfit("The image was uploaded; only of faces that a generator made here is it known what they are made of.", field)
    [model] = await choose_models(state.serving, "generator", [row.model_uuid], field)
    if model.card.version != row.model_version:
        detail = (
            f"{model.card.label} is in service in version {model.card.version}; version {row.model_version} made this image. "
            "Choose one of the new version."
        )
        raise ProblemError(HTTPStatus.CONFLICT, "model-changed", "Another version", detail, field=field)
    return model


def _must_mix(model: KnownModel, field: str) -> None:
    if not mixes_styles(model.card):
        raise _unfit(f"{model.card.label} cannot mix styles; a StyleGAN2 that was trained here can.", field)


def _unfit(detail: str, field: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request", detail, field=field)
