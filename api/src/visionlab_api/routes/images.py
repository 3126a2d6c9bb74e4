"""Stored images: upload, list, serve."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, File, Query, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BeforeValidator

from visionlab_api import schemas
from visionlab_api.accounts.gate import charge_images
from visionlab_api.database.tables import ImageRow
from visionlab_api.dependencies import SessionDep, StateDep, VisitorDep
from visionlab_api.problems import ProblemError, not_found
from visionlab_api.routes.classify import too_large
from visionlab_api.routes.documented import problems
from visionlab_api.services.images import NewImage, find_images, list_images, store_images, to_schema
from visionlab_inference.images import inspect, thumbnail

router = APIRouter(tags=["images"])

_NAME = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.(png|jpg))?")
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
# An image never changes under its id.
_CACHE = "public, max-age=31536000, immutable"


def _number(value: object) -> object:
    # Query strings are text, and a Literal of numbers takes no text for a number.
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,4}", value) else value


ThumbnailWidth = Annotated[Literal[64, 128, 256, 512], BeforeValidator(_number)]


@router.post(
    "/image",
    status_code=HTTPStatus.CREATED,
    summary="Upload an image",
    responses=problems(
        S413="The image is too large.",
        S415="This is not a JPEG or PNG image.",
        S422="The image is damaged.",
        S507="The store is full.",
    ),
)
async def upload_image(
    file: Annotated[UploadFile, File(description="JPEG or PNG")],
    request: Request,
    state: StateDep,
    session: SessionDep,
    visitor: VisitorDep,
) -> schemas.Image:
    """Once this answers, the image is kept, and its id serves for classify and label."""
    charge_images(request, 1)
    limit = state.configuration.max_image_bytes
    if (file.size or 0) > limit:
        raise too_large(file.filename, limit)
    data = await file.read()
    info = await state.decoder.run(partial(inspect, data))
    [row] = await store_images(session, state.store, [NewImage(data, info, visitor, file.filename)])
    return to_schema(row)


@router.get("/image", summary="Stored images, newest first")
async def get_images(
    session: SessionDep,
    type: Annotated[Literal["generated", "uploaded"] | None, Query(description="only images of this type")] = None,
    model: Annotated[UUID | None, Query(description="only images that this generator made")] = None,
    cursor: Annotated[str | None, Query(pattern=r"^\d{1,18}$", description="`next_cursor` of the part before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> schemas.ImagePage:
    """A part of the list; `next_cursor` leads to the next."""
    rows, after = await list_images(
        session, image_type=type, model=model, before=None if cursor is None else int(cursor), limit=limit
    )
    return schemas.ImagePage(images=[to_schema(row) for row in rows], next_cursor=None if after is None else str(after))


@router.head("/image/{path:path}", include_in_schema=False)
@router.get(
    "/image/{path:path}",
    summary="Serve a stored image",
    response_class=Response,
    responses={
        200: {"content": {"image/png": {}, "image/jpeg": {}, "image/webp": {}}},
        206: {"description": "the part asked for by Range"},
        304: {"description": "the client's copy is current"},
        **problems(
            S404="There is no such image.",
            S422="There are no thumbnails of this width.",
            S416="The range lies outside the image.",
        ),
    },
)
async def get_image(
    path: str,
    request: Request,
    state: StateDep,
    session: SessionDep,
    width: Annotated[ThumbnailWidth | None, Query(description="a thumbnail at most so wide, as WebP")] = None,
) -> Response:
    """The bytes as they were stored, with ETag, Range and a long cache life; or a thumbnail."""
    match = _NAME.fullmatch(path)
    if match is None:
        raise not_found("image", path, "path")
    [row] = await find_images(session, [UUID(match.group(1))], "path")
    if match.group(2) not in (None, row.store_key.rsplit(".", 1)[-1]):
        raise not_found("image", path, "path")
    etag = f'"{row.sha256}"' if width is None else f'"{row.sha256}-{width}"'
    headers = {"ETag": etag, "Cache-Control": _CACHE, "Content-Security-Policy": "default-src 'none'; sandbox"}
    if _matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if width is not None:
        data = await asyncio.to_thread(state.store.get, row.store_key)
        small = await state.decoder.run(partial(thumbnail, data, width))
        return Response(small, media_type="image/webp", headers=headers)
    headers["Accept-Ranges"] = "bytes"
    wanted = request.headers.get("range") if request.headers.get("if-range", etag) == etag else None
    return await _serve(row, _range(wanted, row.size), state, headers)


async def _serve(row: ImageRow, part: tuple[int, int] | None, state: StateDep, headers: dict[str, str]) -> Response:
    start, length = part or (0, row.size)
    chunks: Iterator[bytes] = await asyncio.to_thread(partial(state.store.open, row.store_key, start=start, length=length))
    headers["Content-Length"] = str(length)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{row.size}"
    status = HTTPStatus.OK if part is None else HTTPStatus.PARTIAL_CONTENT
    return StreamingResponse(chunks, status, headers, row.content_type)


def _matches(header: str | None, etag: str) -> bool:
    return header is not None and any(tag.strip().removeprefix("W/") in (etag, "*") for tag in header.split(","))


def _range(header: str | None, size: int) -> tuple[int, int] | None:
    """Start and length of a single range (RFC 9110, section 14); None where all is to be sent."""
    match = _RANGE.fullmatch(header or "")
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first == "":
        start, end = max(0, size - int(last)), size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
    if last and first and int(last) < int(first):
        return None
    if start >= size or end < start:
        raise ProblemError(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            "range",
            "Range not satisfiable",
            f"The image has {size} bytes.",
            field="range",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return start, end - start + 1
