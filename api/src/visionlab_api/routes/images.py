"""Stored images: upload, list, serve."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BeforeValidator

from visionlab_api import schemas
from visionlab_api.accounts.gate import caller_in, charge_images
from visionlab_api.accounts.principal import Scope
from visionlab_api.client_gone import DroppedWithClient
from visionlab_api.database.tables import ImageRow
from visionlab_api.dependencies import PrincipalDep, SessionDep, StateDep, ViewerDep, VisitorDep
from visionlab_api.problems import ProblemError, not_found, not_yours
from visionlab_api.routes.classify import too_large
from visionlab_api.routes.documented import problems
from visionlab_api.services.deletion import mark_deleted, remove_soon
from visionlab_api.services.images import NewImage, find_images, list_images, store_images, to_schema
from visionlab_api.services.viewer import Viewer
from visionlab_api.services.web_picture_problems import fetching_off, not_a_picture
from visionlab_inference.image_metadata import without_metadata
from visionlab_inference.images import ImageInfo, NotAnImage, inspect, thumbnail

router = APIRouter(tags=["images"])

_NAME = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.(png|jpg))?")
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
# An image never changes under its id.
_CACHE = "public, max-age=31536000, immutable"
# An upload is for one person, and may be deleted.
_PRIVATE = "private, no-cache"


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
    share: Annotated[bool, Form(description="agree that later models learn from it")] = False,
) -> schemas.Image:
    """Once this answers, the image is kept, and its id serves for classify and label.

    It is there for its uploader alone (the visitor of the cookie, the signed-in person, the API key), and, where they agree to
    training, for those who make data sets. It is kept without metadata such as place and time. Unless it is shared, it goes after
    VISIONLAB_UPLOAD_DAYS.
    """
    charge_images(request, 1)
    limit = state.configuration.max_image_bytes
    if (file.size or 0) > limit:
        raise too_large(file.filename, limit)
    data, info = await state.decoder.run(partial(_clean, await file.read()))
    [row] = await store_images(session, state.store, [NewImage(data, info, visitor, file.filename, shared=share)])
    return to_schema(row)


@router.post(
    "/image/fetch",
    status_code=HTTPStatus.CREATED,
    summary="Fetch an image from the web",
    responses=problems(
        S400="The address does not lead to the public web.",
        S403_fetching_off="This server fetches no pictures from the web.",
        S413="The image is too large.",
        S415="What is at the address is not a JPEG or PNG image.",
        S422="This is no address of the web, or the image there is damaged.",
        S502_web_failed="The site does not give the picture.",
        S503="Too many pictures are being fetched now; Retry-After says when to ask again.",
        S504="The picture did not arrive in time.",
        S507="The store is full.",
    ),
)
async def fetch_image(
    wanted: schemas.FetchRequest, request: Request, state: StateDep, session: SessionDep, visitor: VisitorDep
) -> schemas.Image:
    """As an upload of what is at a web address: kept for who asks, and charged, limited and cleaned in the same way.

    The public web alone is reached, over http and https at their usual ports, and at most 5 redirects are followed. Neither
    cookies nor credentials are sent.
    """
    if state.web_pictures is None:
        raise fetching_off()
    charge_images(request, 1)
    async with DroppedWithClient(request.receive):
        fetched = await state.web_pictures.fetch(wanted.url, caller_in(request))
    try:
        data, info = await state.decoder.run(partial(_clean, fetched.data))
    except NotAnImage as error:
        raise not_a_picture() from error
    [row] = await store_images(session, state.store, [NewImage(data, info, visitor, fetched.filename, shared=wanted.share)])
    return to_schema(row)


@router.get("/image", summary="Stored images, newest first")
async def get_images(
    session: SessionDep,
    viewer: ViewerDep,
    type: Annotated[Literal["generated", "uploaded"] | None, Query(description="only images of this type")] = None,
    model: Annotated[UUID | None, Query(description="only images that this generator made")] = None,
    mine: Annotated[
        Literal["true"] | None, Query(description="of uploaded images only one's own, not what others shared")
    ] = None,
    cursor: Annotated[str | None, Query(pattern=r"^\d{1,18}$", description="`next_cursor` of the part before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> schemas.ImagePage:
    """A part of the list; `next_cursor` leads to the next. Of uploaded images only those that are there for who asks."""
    viewer = viewer if mine is None else Viewer(viewer.visitor)
    rows, after = await list_images(
        session, viewer, image_type=type, model=model, before=None if cursor is None else int(cursor), limit=limit
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
    viewer: ViewerDep,
    width: Annotated[ThumbnailWidth | None, Query(description="a thumbnail at most so wide, as WebP")] = None,
) -> Response:
    """The bytes as they were stored, with ETag, Range and a long cache life; or a thumbnail."""
    match = _NAME.fullmatch(path)
    if match is None:
        raise not_found("image", path, "path")
    [row] = await find_images(session, [UUID(match.group(1))], viewer, "path")
    if match.group(2) not in (None, row.store_key.rsplit(".", 1)[-1]):
        raise not_found("image", path, "path")
    etag = f'"{row.sha256}"' if width is None else f'"{row.sha256}-{width}"'
    headers = {
        "ETag": etag,
        "Cache-Control": _CACHE if row.image_type == "generated" else _PRIVATE,
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if _matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if width is not None:
        data = await asyncio.to_thread(state.store.get, row.store_key)
        small = await state.decoder.run(partial(thumbnail, data, width))
        return Response(small, media_type="image/webp", headers=headers)
    headers["Accept-Ranges"] = "bytes"
    wanted = request.headers.get("range") if request.headers.get("if-range", etag) == etag else None
    return await _serve(row, _range(wanted, row.size), state, headers)


@router.delete("/image", summary="Delete my images", responses=problems(S422="`mine` is missing."))
async def delete_my_images(
    mine: Annotated[Literal["true"], Query(description="all that this visitor, person or API key uploaded")],
    state: StateDep,
    session: SessionDep,
    viewer: ViewerDep,
) -> schemas.Deleted:
    """They are gone for good once this answers, with the labels that were given to them, also where training was agreed to."""
    mine_alone = Viewer(viewer.visitor)
    deleted = await mark_deleted(session, mine_alone.uploads())
    await remove_soon(state.sessions, state.store)
    return schemas.Deleted(deleted=deleted)


@router.delete(
    "/image/{uuid:uuid}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Delete an image",
    responses=problems(S403_not_yours="Only its uploader, or an admin, can delete it.", S404="There is no such image."),
)
async def delete_image(uuid: UUID, state: StateDep, session: SessionDep, viewer: ViewerDep, principal: PrincipalDep) -> None:
    """It is gone for good once this answers. Admins can delete generated and shared images too."""
    [row] = await find_images(session, [uuid], viewer, "uuid")
    if not viewer.owns(row) and not principal.may(Scope.ADMIN):
        raise not_yours("uuid")
    await mark_deleted(session, ImageRow.id == row.id)
    await remove_soon(state.sessions, state.store)


def _clean(data: bytes) -> tuple[bytes, ImageInfo]:
    data = without_metadata(data)
    return data, inspect(data)


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
