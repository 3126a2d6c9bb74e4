"""Asking whether faces are real."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from python_multipart.exceptions import FormParserError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from visionlab_api import schemas
from visionlab_api.dependencies import visitor_of
from visionlab_api.problems import ProblemError, wrong_content_type
from visionlab_api.routes.documented import problems
from visionlab_api.services.choosing import chosen_models
from visionlab_api.services.classifying import Asked, classify
from visionlab_api.services.images import NewImage, find_images, plain_filename, store_images
from visionlab_api.state import State
from visionlab_inference.images import inspect

router = APIRouter(tags=["images"])

MAX_IMAGES = 256
ModelT = TypeVar("ModelT", bound=BaseModel)


class _Options(BaseModel):
    """The form fields beside the images."""

    model_config = ConfigDict(extra="forbid")

    models: list[UUID] | None = Field(None, max_length=32)
    explain: bool = False
    store: bool = False


_IMAGE_TYPES = ("image/jpeg", "image/png")
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_PARAMETERS = [
    {
        "name": "models",
        "in": "query",
        "description": "with an image as the body: the detectors to ask; default: all",
        "schema": {"type": "array", "items": {"type": "string", "format": "uuid"}},
    },
    {
        "name": "explain",
        "in": "query",
        "description": "with an image as the body: add the regions that speak for the answer",
        "schema": {"type": "boolean", "default": False},
    },
    {
        "name": "store",
        "in": "query",
        "description": "with an image as the body: keep it, as POST /backend/image",
        "schema": {"type": "boolean", "default": False},
    },
]
_REQUEST_BODY = {
    "required": True,
    "content": {
        "image/jpeg": _BINARY,
        "image/png": _BINARY,
        "application/json": {"schema": {"$ref": "#/components/schemas/ClassifyRequest"}},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["images"],
                "properties": {
                    "images": {
                        "type": "array",
                        "items": {"type": "string", "format": "binary"},
                        "maxItems": MAX_IMAGES,
                        "description": "JPEG or PNG files",
                    },
                    "models": {"type": "array", "items": {"type": "string", "format": "uuid"}, "description": "default: all"},
                    "explain": {"type": "boolean", "default": False},
                    "store": {"type": "boolean", "default": False, "description": "keep the images, as POST /backend/image"},
                },
            }
        },
    },
}


@router.post(
    "/image/classify",
    summary="Real or generated?",
    response_model=schemas.ClassifyAnswer,
    openapi_extra={"requestBody": _REQUEST_BODY, "parameters": _PARAMETERS},
    responses=problems(
        S404="There is no such image or detector.",
        S409="The detector is disabled.",
        S413="An image or the request is too large.",
        S415="This is not a JPEG or PNG image.",
        S422="The image is damaged, or a field is out of range.",
        S502="A model failed on these images.",
        S503="The detectors are busy or not ready; Retry-After says when to ask again.",
    ),
)
async def classify_images(request: Request) -> Response:
    """Run the chosen detectors (default: all enabled) on images.

    Send JSON with the ids of uploaded images; or the images themselves as multipart fields named `images`; or, quickest for one
    image, the file itself as the body (`Content-Type: image/jpeg` or `image/png`) with the options in the query. One image that
    cannot be used is answered with a problem; where several were sent, each has its own answer or its own problem.
    """
    # On the path of every image of a bulk client: asked for directly, it needs no resolving of dependencies.
    state: State = request.app.state.visionlab
    response = Response(media_type="application/json")
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type in _IMAGE_TYPES:
        answer = await _classify_body(request, response, state)
    elif content_type == "multipart/form-data":
        answer = await _classify_files(request, response, state)
    elif content_type == "application/json":
        answer = await _classify_stored(_parse_json(schemas.ClassifyRequest, await request.body()), state)
    else:
        raise wrong_content_type("image/jpeg", "image/png", "multipart/form-data", "application/json")
    for result in answer.results:
        for model in result.models:
            state.metrics.images_classified.labels(model.model_name).inc()
    response.body = answer.model_dump_json().encode()
    response.headers["Content-Length"] = str(len(response.body))
    return response


async def _classify_stored(asked: schemas.ClassifyRequest, state: State) -> schemas.ClassifyAnswer:
    models = chosen_models(state.serving, "detector", asked.models)
    async with state.sessions() as session:
        rows = await find_images(session, asked.images)
    images = [Asked(partial(state.store.get, row.store_key), row.filename, row.uuid) for row in rows]
    return await classify(images, models, state.backend, state.decoder, explain=asked.explain)


async def _classify_body(request: Request, response: Response, state: State) -> schemas.ClassifyAnswer:
    options = _options(request.query_params.multi_items())
    models = chosen_models(state.serving, "detector", options.models)
    # RequestContext has seen to it that the body is no larger than an image may be.
    data = await request.body()
    asked = [Asked(lambda: data)]
    answer = await classify(asked, models, state.backend, state.decoder, explain=options.explain)
    if options.store:
        await _store(answer, asked, state, visitor_of(request, response))
    return answer


async def _classify_files(request: Request, response: Response, state: State) -> schemas.ClassifyAnswer:
    try:
        async with request.form(max_files=MAX_IMAGES, max_fields=64) as form:
            options = _options(form.multi_items())
            files = [value for name, value in form.multi_items() if name == "images" and isinstance(value, UploadFile)]
            if not files:
                raise _invalid("images", "Send at least one file in a field named 'images'.")
            models = chosen_models(state.serving, "detector", options.models)
            read = [partial(_read, file, state.configuration.max_image_bytes) for file in files]
            asked = [Asked(each, plain_filename(file.filename)) for each, file in zip(read, files, strict=True)]
            answer = await classify(asked, models, state.backend, state.decoder, explain=options.explain)
            if options.store:
                await _store(answer, asked, state, visitor_of(request, response))
            return answer
    except (HTTPException, FormParserError) as error:
        raise _invalid("images", getattr(error, "detail", str(error))) from error


async def _store(answer: schemas.ClassifyAnswer, asked: Sequence[Asked], state: State, visitor: UUID) -> None:
    usable = [(result, image) for result, image in zip(answer.results, asked, strict=True) if result.problem is None]
    images = await asyncio.gather(*(state.decoder.run(partial(_new_image, image, visitor)) for _, image in usable))
    async with state.sessions() as session:
        rows = await store_images(session, state.store, images)
    for (result, _), row in zip(usable, rows, strict=True):
        result.image = row.uuid


def _new_image(image: Asked, visitor: UUID) -> NewImage:
    data = image.read()
    return NewImage(data, inspect(data), visitor, image.filename)


def _read(file: UploadFile, limit: int) -> bytes:
    # Called on a thread when its turn comes: of many large images only a few are in memory, the others wait on disk.
    if (file.size or 0) > limit:
        raise too_large(file.filename, limit)
    file.file.seek(0)
    return file.file.read()


def too_large(filename: str | None, limit: int) -> ProblemError:
    """413: a file is larger than images may be."""
    detail = f"{plain_filename(filename) or 'The image'} is larger than {limit / 2**20:.3g} MiB. Make it smaller."
    return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "image-too-large", "Image too large", detail, field="images")


def _options(items: Sequence[tuple[str, Any]]) -> _Options:
    values: dict[str, Any] = {}
    for name, value in items:
        if name == "images":
            continue
        if name == "models":
            values.setdefault("models", []).append(value)
        else:
            values[name] = value
    return _validated(_Options, values)


def _parse_json(model: type[ModelT], body: bytes) -> ModelT:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from error


def _validated(model: type[ModelT], values: object) -> ModelT:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from error


def _invalid(field: str, detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request", detail, field=field)
