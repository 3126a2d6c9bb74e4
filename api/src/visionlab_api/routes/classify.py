"""Asking whether faces are real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from python_multipart.exceptions import FormParserError
from starlette.datastructures import QueryParams, UploadFile
from starlette.exceptions import HTTPException

from visionlab_api import schemas
from visionlab_api.accounts.gate import caller_in, charge_images
from visionlab_api.client_gone import DroppedWithClient
from visionlab_api.dependencies import viewer_of, visitor_of
from visionlab_api.problems import ProblemError, wrong_content_type
from visionlab_api.routes.documented import problems
from visionlab_api.routes.streamed import StreamedAnswers
from visionlab_api.services.choosing import choose_models, chosen_models
from visionlab_api.services.classifying import Asked
from visionlab_api.services.images import NewImage, find_images, plain_filename, store_images
from visionlab_api.services.multipart_stream import BrokenForm, Part, parts_of
from visionlab_api.state import State
from visionlab_inference.image_metadata import without_metadata
from visionlab_inference.images import inspect

router = APIRouter(tags=["images"])

MAX_IMAGES = 256
ModelT = TypeVar("ModelT", bound=BaseModel)


class _Options(BaseModel):
    """The form fields beside the images."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: list[UUID] | None = Field(None, max_length=32)
    explain: bool = False
    store: bool = False
    share: bool = False


_IMAGE_TYPES = ("image/jpeg", "image/png")
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_PARAMETERS = [
    {
        "name": "models",
        "in": "query",
        "description": "with an image or a form as the body: the detectors to ask; default: all",
        "schema": {"type": "array", "items": {"type": "string", "format": "uuid"}},
    },
    {
        "name": "explain",
        "in": "query",
        "description": "with an image or a form as the body: add the regions that speak for the answer",
        "schema": {"type": "boolean", "default": False},
    },
    {
        "name": "store",
        "in": "query",
        "description": "with an image or a form as the body: keep it, as POST /backend/image",
        "schema": {"type": "boolean", "default": False},
    },
    {
        "name": "share",
        "in": "query",
        "description": "of an image that is kept: agree that later models learn from it",
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
                    "share": {"type": "boolean", "default": False, "description": "of images that are kept: agree to training"},
                },
            }
        },
    },
}

# Given in full, but for the parts that the document has among its components: FastAPI adds those of response models alone.
_LINE = schemas.StreamedClassification.model_json_schema(ref_template="#/components/schemas/{model}")
del _LINE["$defs"]
_STREAMED: dict[int | str, dict[str, Any]] = {200: {"content": {schemas.NDJSON: {"schema": _LINE}}}}


@router.post(
    "/image/classify",
    summary="Real or generated?",
    response_model=schemas.ClassifyAnswer,
    openapi_extra={"requestBody": _REQUEST_BODY, "parameters": _PARAMETERS},
    responses=_STREAMED
    | problems(
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
    image, the file itself as the body (`Content-Type: image/jpeg` or `image/png`) with the options in the query. A form's options
    are fields of it, or in the query; those of JSON are in the JSON. One image that cannot be used is answered with a problem;
    where several were sent, each has its own answer or its own problem.

    With `Accept: application/x-ndjson` any number of images may be sent as multipart fields: each answer is a line that is sent
    once it is there, while later images still arrive, and images are read no faster than detectors work. Options come in the
    query, or in fields before the first file. A client that cannot read before it has sent all should send at most 10,000 images.
    """
    # On the path of every image of a bulk client: asked for directly, it needs no resolving of dependencies.
    state: State = request.app.state.visionlab
    response = Response(media_type="application/json")
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if schemas.NDJSON in request.headers.get("accept", ""):
        return await _stream(request, content_type, state)
    if content_type in _IMAGE_TYPES:
        answer = await _classify_body(request, response, state)
    elif content_type == "multipart/form-data":
        answer = await _classify_files(request, response, state)
    elif content_type == "application/json":
        asked = await _asked_in_json(request)
        answer = await _classify(await _stored(asked, request, state), request, state, models=asked.models, explain=asked.explain)
    else:
        raise wrong_content_type("image/jpeg", "image/png", "multipart/form-data", "application/json")
    response.body = answer.model_dump_json().encode()
    response.headers["Content-Length"] = str(len(response.body))
    return response


async def _classify(
    images: Sequence[Asked], request: Request, state: State, *, models: Sequence[UUID] | None, explain: bool
) -> schemas.ClassifyAnswer:
    charge_images(request, len(images))
    detectors = await choose_models(state.serving, "detector", models)
    async with DroppedWithClient(request.receive):
        return await state.classifier.classify(images, detectors, explain=explain)


async def _stored(asked: schemas.ClassifyRequest, request: Request, state: State) -> list[Asked]:
    async with state.sessions() as session:
        rows = await find_images(session, asked.images, viewer_of(request))
    return [Asked(partial(state.store.get, row.store_key), row.filename, row.uuid) for row in rows]


async def _classify_body(request: Request, response: Response, state: State) -> schemas.ClassifyAnswer:
    options = _options_of_query(request.scope["query_string"])
    # RequestContext has seen to it that the body is no larger than an image may be.
    data = await request.body()
    asked = [Asked(lambda: data)]
    answer = await _classify(asked, request, state, models=options.models, explain=options.explain)
    if options.store:
        await _store(answer.results, asked, state, visitor_of(request, response), shared=options.share)
    return answer


async def _classify_files(request: Request, response: Response, state: State) -> schemas.ClassifyAnswer:
    try:
        async with request.form(max_files=MAX_IMAGES, max_fields=64) as form:
            options = _options([*request.query_params.multi_items(), *form.multi_items()])
            files = [value for name, value in form.multi_items() if name == "images" and isinstance(value, UploadFile)]
            if not files:
                raise _invalid("images", "Send at least one file in a field named 'images'.")
            read = [partial(_read, file, state.configuration.max_image_bytes) for file in files]
            asked = [Asked(each, plain_filename(file.filename)) for each, file in zip(read, files, strict=True)]
            answer = await _classify(asked, request, state, models=options.models, explain=options.explain)
            if options.store:
                await _store(answer.results, asked, state, visitor_of(request, response), shared=options.share)
            return answer
    except (HTTPException, FormParserError) as error:
        raise _invalid("images", getattr(error, "detail", str(error))) from error


async def _stream(request: Request, content_type: str, state: State) -> Response:
    response = Response()  # holds the visitor's cookie
    if content_type == "application/json":
        asked = await _asked_in_json(request)
        options = _Options(models=asked.models, explain=asked.explain)
        images = _with_sizes(await _stored(asked, request, state))
    elif content_type == "multipart/form-data":
        parts = parts_of(request.stream(), request.headers["content-type"], max_bytes=state.configuration.max_image_bytes)
        options, first = await _fields_before_images(request.query_params.multi_items(), parts)
        images = _sent_images(first, parts, state.configuration.max_image_bytes)
    else:
        raise wrong_content_type("multipart/form-data", "application/json")
    await choose_models(state.serving, "detector", options.models)  # what is wrong with them now is the answer to the request
    visitor = visitor_of(request, response) if options.store else None

    async def answer(image: Asked) -> schemas.Classification:
        # Chosen for each image anew: a stream may run for hours, and models come and go.
        detectors = chosen_models(state.serving, "detector", options.models)
        result = await state.classifier.classify_streamed(image, detectors, explain=options.explain)
        if visitor is not None:
            await _store([result], [image], state, visitor, shared=options.share)
        return result

    images = _in_limits(images, state, caller_in(request))
    return StreamedAnswers(images, answer, state.classifier.window, dict(response.headers))


async def _fields_before_images(query: Sequence[tuple[str, str]], parts: AsyncIterator[Part]) -> tuple[_Options, Part]:
    """The options, from the query and from fields, and the first file."""
    items = list(query)
    try:
        async for part in parts:
            if part.filename is not None:
                return _options(items), part
            items.append((part.name, part.content.decode(errors="replace")))
    except BrokenForm as error:
        raise _invalid("images", str(error)) from error
    raise _invalid("images", "Send at least one file in a field named 'images'.")


async def _sent_images(first: Part, parts: AsyncIterator[Part], limit: int) -> AsyncGenerator[tuple[Asked, int], None]:
    yield _sent_image(first, limit)
    try:
        async for part in parts:
            yield _sent_image(part, limit)
    except BrokenForm as error:
        raise _invalid("images", str(error)) from error


def _sent_image(part: Part, limit: int) -> tuple[Asked, int]:
    if part.filename is None:
        raise _invalid(part.name, "In a streamed request the fields come before the first file, or in the query.")
    if part.name != "images":
        raise _invalid(part.name, "Send files in fields named 'images'.")
    data = bytes(part.content)

    def read() -> bytes:
        if part.too_large:
            raise too_large(part.filename, limit)
        return data

    return Asked(read, plain_filename(part.filename)), len(data)


async def _in_limits(
    images: AsyncGenerator[tuple[Asked, int], None], state: State, caller: str | None
) -> AsyncGenerator[tuple[Asked, int], None]:
    async with aclosing(images):
        async for image in images:
            # Before it takes up room that others could use.
            await state.limits.wait_for_image(caller)
            yield image


async def _with_sizes(images: Sequence[Asked]) -> AsyncGenerator[tuple[Asked, int], None]:
    for image in images:
        yield image, 0  # read from the store when its turn comes


async def _store(
    results: Sequence[schemas.Classification], asked: Sequence[Asked], state: State, visitor: UUID, *, shared: bool
) -> None:
    usable = [(result, image) for result, image in zip(results, asked, strict=True) if result.problem is None]
    images = await asyncio.gather(*(state.decoder.run(partial(_new_image, image, visitor, shared)) for _, image in usable))
    async with state.sessions() as session:
        rows = await store_images(session, state.store, images)
    for (result, _), row in zip(usable, rows, strict=True):
        result.image = row.uuid


def _new_image(image: Asked, visitor: UUID, shared: bool) -> NewImage:
    data = without_metadata(image.read())
    return NewImage(data, inspect(data), visitor, image.filename, shared=shared)


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


# A program asks with the same options each time; what is wrong is not kept.
@lru_cache(maxsize=256)
def _options_of_query(query: bytes) -> _Options:
    return _options(QueryParams(query).multi_items())


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


async def _asked_in_json(request: Request) -> schemas.ClassifyRequest:
    for name in request.query_params:
        raise _invalid(name[:200], "Of a request in JSON all options are in the body: leave the query out.")
    return _validated_json(schemas.ClassifyRequest, await request.body())


def _validated_json(model: type[ModelT], body: bytes) -> ModelT:
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
