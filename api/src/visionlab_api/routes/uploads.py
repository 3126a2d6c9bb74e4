"""Resumable uploads of large files: tus 1.0. All of it is for admins, but for the discovery."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from visionlab_api.database.tables import UploadRow
from visionlab_api.dependencies import StateDep
from visionlab_api.middleware import UPLOAD_PATH
from visionlab_api.problems import ProblemError, not_found, wrong_content_type
from visionlab_api.routes.documented import problems
from visionlab_api.services import tus
from visionlab_api.services.images import plain_filename
from visionlab_core.object_store import StoreError

router = APIRouter(tags=["uploads"])

_SECONDS_TO_DRAIN = 5.0


def _header(name: str, description: str, example: str, *, required: bool = True) -> dict[str, Any]:
    schema = {"type": "string"}
    return {"name": name, "in": "header", "required": required, "description": description, "schema": schema, "example": example}


def _answered(*names: str) -> dict[str, Any]:
    examples = {
        "Location": "/backend/file/upload/0192f3a4-5b6c-7d8e-9f00-112233445566",
        "Upload-Offset": "8388608",
        "Upload-Length": "734003200",
        "Upload-Expires": "Wed, 25 Nov 2026 12:00:00 GMT",
    }
    return {name: {"schema": {"type": "string"}, "example": examples[name]} for name in names}


_VERSION = _header("Tus-Resumable", "version of the protocol", tus.VERSION)
_OFFSET = _header("Upload-Offset", "where the piece begins", "8388608")
_CHECKSUM = _header("Upload-Checksum", "algorithm, and digest in base64", "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", required=False)
_LENGTH = _header("Upload-Length", "size of the whole file in bytes", "734003200")
_METADATA = _header("Upload-Metadata", "`filename` and its value in base64; more is kept and given back", "filename ZmFjZXMuemlw")
_PIECE = {"content": {tus.MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}


async def _speaks_tus(request: Request) -> None:
    tus.require_version(request.headers)


SpeaksTus = Depends(_speaks_tus)


async def _upload_id(upload: str) -> UUID:
    try:
        return UUID(upload)
    except ValueError:
        raise not_found("upload", upload) from None


UploadId = Annotated[UUID, Depends(_upload_id)]


@router.options("/file/upload/{upload}", include_in_schema=False)
@router.options(
    "/file/upload", status_code=HTTPStatus.NO_CONTENT, response_class=Response, summary="What resumable uploads can do here"
)
async def discover_uploads(state: StateDep) -> Response:
    """Version, extensions, checksums and largest size, as headers (tus, "OPTIONS")."""
    headers = {
        "Tus-Version": tus.VERSION,
        "Tus-Extension": tus.EXTENSIONS,
        "Tus-Max-Size": str(state.configuration.max_upload_bytes),
        "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
    }
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)


@router.post(
    "/file/upload",
    status_code=HTTPStatus.CREATED,
    response_class=Response,
    summary="Begin a resumable upload",
    dependencies=[SpeaksTus],
    openapi_extra={"parameters": [_VERSION, _LENGTH, _METADATA, _CHECKSUM], "requestBody": {"required": False, **_PIECE}},
    responses={
        201: {"headers": _answered("Location", "Upload-Offset", "Upload-Expires")},
        **problems(
            S412="The client speaks another version of tus.",
            S413_upload_too_large="The file is larger than uploads may be.",
            S415_upload_type="Files of this type are not taken.",
            S422="Upload-Length or the file name in Upload-Metadata is missing.",
            S460="The piece arrived damaged.",
            S507_upload_quota="The uploads that wait take up all that they may.",
        ),
    },
)
async def create_upload(request: Request, state: StateDep) -> Response:
    """For large files: archives of images for data sets, models. Any tus client can do it; in curl it is this, then PATCH.

    `Upload-Metadata` names the file; its ending says what it is. The body may be the first piece already
    (`Content-Type: application/offset+octet-stream`). `Location` is where the pieces go.
    """
    length = tus.number(request.headers, "Upload-Length")
    metadata = request.headers.get("upload-metadata", "")
    filename = plain_filename(tus.parse_metadata(metadata).get("filename"))
    if filename is None:
        raise tus.invalid("Upload-Metadata", "Upload-Metadata has to name the file: filename, a space, and the name in base64.")
    checksum = tus.parse_checksum(request.headers.get("upload-checksum"))
    has_piece = _media_type(request) == tus.MEDIA_TYPE
    async with _body(request) as chunks:
        upload = await state.uploads.create(filename, metadata, length)
        if has_piece:
            upload = await state.uploads.write(upload.uuid, 0, chunks, announced=_announced(request), checksum=checksum)
        else:
            upload = await state.uploads.find(upload.uuid)
    headers = {"Location": f"{UPLOAD_PATH}/{upload.uuid}", **_progress(upload)}
    return Response(status_code=HTTPStatus.CREATED, headers=headers)


@router.head("/file/upload/{upload}", include_in_schema=False, dependencies=[SpeaksTus])
async def get_upload_offset(upload: UploadId, state: StateDep) -> Response:
    """How far an upload has come: `Upload-Offset`."""
    row = await state.uploads.find(upload)
    headers = {**_progress(row), "Upload-Length": str(row.length), "Cache-Control": "no-store"}
    if row.upload_metadata:
        headers["Upload-Metadata"] = row.upload_metadata
    return Response(headers=headers)


@router.patch(
    "/file/upload/{upload}",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    summary="Send a piece of an upload",
    dependencies=[SpeaksTus],
    openapi_extra={"parameters": [_VERSION, _OFFSET, _CHECKSUM], "requestBody": {"required": True, **_PIECE}},
    responses={
        204: {"headers": _answered("Upload-Offset", "Upload-Expires")},
        **problems(
            S404="There is no such upload.",
            S409_upload_offset="The upload has come to another offset.",
            S410="The upload has expired.",
            S412="The client speaks another version of tus.",
            S413_upload_too_large="The piece goes beyond the announced length.",
            S415_unsupported_media_type="The body is not application/offset+octet-stream.",
            S422="Upload-Offset is missing or no number.",
            S423="Another piece of this upload is being received.",
            S460="The piece arrived damaged; nothing of it was kept.",
            S507="The store is full; what was received before is kept.",
        ),
    },
)
async def send_piece(request: Request, upload: UploadId, state: StateDep) -> Response:
    """Bytes from `Upload-Offset` on, as many as the client likes.

    What arrives is kept even where the connection breaks; HEAD at the same address then says in `Upload-Offset` where to go on.
    With `Upload-Checksum` the piece counts as a whole, or not at all.
    """
    async with _body(request) as chunks:
        if _media_type(request) != tus.MEDIA_TYPE:
            raise wrong_content_type(tus.MEDIA_TYPE)
        offset = tus.number(request.headers, "Upload-Offset")
        checksum = tus.parse_checksum(request.headers.get("upload-checksum"))
        row = await state.uploads.write(upload, offset, chunks, announced=_announced(request), checksum=checksum)
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=_progress(row))


@router.delete(
    "/file/upload/{upload}",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    summary="Give an upload up",
    dependencies=[SpeaksTus],
    openapi_extra={"parameters": [_VERSION]},
    responses=problems(S404="There is no such upload.", S409_upload_in_use="A data set or a model is being made of it."),
)
async def remove_upload(upload: UploadId, state: StateDep) -> Response:
    """What was received is removed."""
    await state.uploads.remove(upload)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post("/file/upload/{upload}", include_in_schema=False, dependencies=[SpeaksTus])
async def overridden_method(request: Request, upload: UploadId, state: StateDep) -> Response:
    """For clients behind proxies that let no PATCH or DELETE through: POST with X-HTTP-Method-Override."""
    match request.headers.get("x-http-method-override", "").upper():
        case "PATCH":
            return await send_piece(request, upload, state)
        case "DELETE":
            return await remove_upload(upload, state)
        case "HEAD":
            return await get_upload_offset(upload, state)
    detail = "POST is not possible here, but for X-HTTP-Method-Override: PATCH, DELETE or HEAD."
    raise ProblemError(HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed", detail)


def _progress(row: UploadRow) -> dict[str, str]:
    return {"Upload-Offset": str(row.received), "Upload-Expires": tus.http_date(row.expires_at)}


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _announced(request: Request) -> int | None:
    return int(request.headers["content-length"]) if "content-length" in request.headers else None


@asynccontextmanager
async def _body(request: Request) -> AsyncIterator[AsyncGenerator[bytes]]:
    """The body, of which the rest is read where it is refused: the client reads the reason only once it has sent all."""
    chunks = request.stream()
    try:
        yield chunks
    except (ProblemError, StoreError):
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_TO_DRAIN):
                async for _ in chunks:
                    pass
        raise
