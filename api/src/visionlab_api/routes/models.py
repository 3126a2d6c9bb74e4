"""The models. All but the list is for admins."""

from __future__ import annotations

import asyncio
import mimetypes
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from visionlab_api import schemas
from visionlab_api.database.pages import cut_page
from visionlab_api.dependencies import SessionDep, StateDep
from visionlab_api.problems import not_found
from visionlab_api.reconcile.model_table import KnownModel
from visionlab_api.reconcile.serving import ServingLoop
from visionlab_api.routes.datasets import Sort
from visionlab_api.routes.documented import NEXT_PART, REPORT_CONTENT, problems
from visionlab_api.routes.parts import lead_on
from visionlab_api.services import models
from visionlab_core.model_card import ModelKind
from visionlab_core.store_layout import model_key
from visionlab_inference.generation import mixes_styles

router = APIRouter(tags=["models"])

FILES = ("card.json", "report.html", "confusion.png", "sources.png", "samples.jpg")

Version = Annotated[int | None, Query(ge=1, lt=2**31, description="which version; default: the newest")]


@router.get("/model/options", summary="What can be added as a model")
async def get_model_options(state: StateDep) -> schemas.ModelOptions:
    """The architectures whose weights are taken, with the settings that each has, and why none can be taken here, if so."""
    return await asyncio.to_thread(state.model_uploads.options)


@router.get("/model/{type}", summary="Models of a type", responses=NEXT_PART)
async def list_models(
    type: ModelKind,
    state: StateDep,
    request: Request,
    response: Response,
    status: Annotated[Literal["enabled", "disabled"] | None, Query(description="only models with this status")] = None,
    name: Annotated[
        str | None, Query(pattern=r"^[A-Za-z0-9._-]{0,64}$", description="only those whose name has this in it")
    ] = None,
    sort: Annotated[Sort, Query(description="by when they were added, or by name; `-name`: Z first")] = "oldest",
    cursor: Annotated[str | None, Query(max_length=300, description="of the `Link` to the next part")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> list[schemas.Model]:
    """Generators or detectors, with how they fare and what their cards say. Of more than `limit`, `Link` leads to the next."""
    wanted = state.serving.enabled(type) if status == "enabled" else state.serving.models(type)
    if status == "disabled":
        wanted = [each for each in wanted if not each.enabled]
    if name:
        wanted = [each for each in wanted if name.lower() in each.card.name.lower()]
    by_name = sort in ("name", "-name")
    models, after = cut_page(
        wanted,
        (lambda each: (each.card.name, each.id)) if by_name else (lambda each: (each.id, each.id)),
        str if by_name else int,
        descending=sort in ("newest", "-name"),
        cursor=cursor,
        limit=limit,
    )
    lead_on(request, response, after)
    return [_to_schema(each, state.serving) for each in models]


@router.post(
    "/model",
    status_code=HTTPStatus.CREATED,
    summary="Add a model that was uploaded",
    responses=problems(
        S404="There is no such upload or model.",
        S409_upload_not_usable="The upload is not finished, or in use; the name is taken.",
        S413="The file is too large for a model.",
        S422_unusable_model="It is no ONNX file that can be served, and no weights of the architecture: the detail says why.",
    ),
)
async def add_model(request: schemas.ModelRequest, state: StateDep) -> schemas.Model:
    """It is looked at and tried in a process with limits, which takes some seconds; then it is there, disabled.

    The file is an ONNX model without external data, with ONNX's own operators, for batches of any size. A detector takes `image`,
    uint8 [N, 224, 224, 3], and gives `probabilities`, float32 [N, 4]; a generator takes `latent` and `truncation` and gives
    `image`. Weights (NAME.weights.h5 of Keras 3, or a weights.npz of ours) are made into such a file first, by what trains, which
    takes a minute or more; Keras and ONNX Runtime have to agree on it. The upload is gone then; where it is refused, it stays.
    """
    card = await state.model_uploads.add(request)
    await state.serving.look()
    return _known(state.serving, card.uuid, card.version)


@router.patch(
    "/model/{uuid}/status/{status}",
    summary="Enable or disable a model",
    responses=problems(S404="There is no such model or version.", S409_model_incomplete="Its file is not in the store."),
)
async def set_model_status(
    uuid: UUID,
    status: Literal["enabled", "disabled"],
    session: SessionDep,
    state: StateDep,
    version: Version = None,
    replace: Annotated[bool, Query(description="disable its other versions at once: switch to it, or back to it")] = False,
) -> schemas.Model:
    """An enabled one is `loading`, then `ready`; one that is disabled answers the requests under way."""
    row = await models.change_status(session, state.store, uuid, status, version=version, replace=replace)
    await state.serving.look()
    return _known(state.serving, row.uuid, row.version)


@router.delete(
    "/model/{uuid}",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    summary="Remove a model",
    responses=problems(
        S404="There is no such model or version.",
        S409_model_in_use="It is in service, an ensemble stands on it, or a training uses it: the detail says which.",
    ),
)
async def delete_model(
    uuid: UUID,
    session: SessionDep,
    state: StateDep,
    version: Annotated[int | None, Query(ge=1, lt=2**31, description="one version alone; default: all")] = None,
) -> Response:
    """Gone from every list at once; its files follow. One that ships with VisionLab does not come back."""
    await models.remove(session, uuid, version)
    await state.serving.look()
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get(
    "/model/{uuid}/version/{version}/file/{name}",
    summary="Serve a model's card, its report or one of its pictures",
    response_class=Response,
    responses={
        200: {"content": REPORT_CONTENT},
        **problems(S404="There is no such model, version or file."),
    },
)
async def get_model_file(uuid: UUID, version: int, name: str, state: StateDep) -> Response:
    """`card.json` is all that is known of the version; `report.html` holds all that was measured of it, where it was."""
    model = state.serving.find(uuid, version)
    if model is None or name not in FILES or (name not in model.card.files and name != "card.json"):
        raise not_found("file", name)
    data = await asyncio.to_thread(state.store.get, model_key(uuid, version, name))
    # The report came with the model: it is shown, and nothing in it is run.
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"
    headers = {"Content-Security-Policy": policy, "Cache-Control": "private, no-cache"}
    return Response(data, media_type=mimetypes.guess_type(name)[0], headers=headers)


def _known(serving: ServingLoop, uuid: UUID, version: int) -> schemas.Model:
    model = serving.find(uuid, version)
    if model is None:  # removed again in this very moment
        raise not_found("model", uuid)
    return _to_schema(model, serving)


def _to_schema(model: KnownModel, serving: ServingLoop) -> schemas.Model:
    card = model.card
    fares, reason = serving.state(model)
    return schemas.Model(
        uuid=card.uuid,
        type=card.kind,
        name=card.name,
        label=card.label,
        version=card.version,
        status="enabled" if model.enabled else "disabled",
        state=fares,
        reason=reason,
        architecture=card.architecture,
        description=card.description,
        face_class=card.face_class,
        ensemble=card.ensemble,
        base_models=list(card.base_models),
        parameters=card.parameters,
        metrics=card.metrics,
        licence=card.licence,
        limitations=list(card.limitations),
        report=_address(model, "report.html"),
        mixes_styles=mixes_styles(card),
        samples=_address(model, "samples.jpg"),
    )


def _address(model: KnownModel, name: str) -> str | None:
    card = model.card
    return f"/backend/model/{card.uuid}/version/{card.version}/file/{name}" if name in card.files else None
