"""Data sets. All of it is for admins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import select

from visionlab_api import schemas
from visionlab_api.database.pages import read_page
from visionlab_api.database.tables import DatasetFileRow, DatasetRow
from visionlab_api.dependencies import SessionDep, StateDep
from visionlab_api.problems import not_found
from visionlab_api.routes.documented import problems
from visionlab_api.routes.images import ThumbnailWidth
from visionlab_api.services.datasets import (
    change_status,
    create_dataset,
    files_of,
    find_dataset,
    live_counts,
    remove_dataset,
    to_schema,
)
from visionlab_api.services.fates import Fate
from visionlab_api.state import State
from visionlab_core.face_class import FaceClass
from visionlab_core.model_card import ModelKind
from visionlab_core.store_layout import dataset_image_key
from visionlab_inference.images import thumbnail

router = APIRouter(tags=["datasets"])

Sort = Literal["newest", "oldest", "name", "-name"]
Cursor = Annotated[str | None, Query(max_length=300, description="`next_cursor` of the part before")]
Limit = Annotated[int, Query(ge=1, le=200)]

_NOT_FOUND = problems(S404="There is no such data set.")
_SECONDS_BETWEEN_EVENTS = 0.5
_CACHE = "private, max-age=31536000, immutable"


@router.post(
    "/dataset",
    status_code=HTTPStatus.CREATED,
    summary="Make a data set of uploads",
    responses=problems(
        S404="There is no such upload.",
        S409_upload_not_usable="An upload is not finished, or is in use already.",
        S422="The name, the class or the uploads are missing or out of range.",
    ),
)
async def add_dataset(request: schemas.DatasetRequest, session: SessionDep) -> schemas.Dataset:
    """The uploads are read in the background: every file is kept, or refused with a reason; see its `state` and its files.

    Images are JPEG or PNG files. What is there twice, byte for byte or to the eye, is kept once. When it is ready the uploads are
    removed; when it failed they can be used again.
    """
    return to_schema(await create_dataset(session, request), {})


@router.get("/dataset/{type}", summary="Data sets for models of a type")
async def list_datasets(
    type: ModelKind,
    session: SessionDep,
    status: Annotated[Literal["enabled", "disabled"] | None, Query(description="only those with this status")] = None,
    state: Annotated[
        Literal["pending", "reading", "ready", "failed"] | None, Query(description="only those in this state")
    ] = None,
    origin: Annotated[Literal["uploaded", "labelled", "generated"] | None, Query(description="only those of this origin")] = None,
    face_class: Annotated[FaceClass | None, Query(description="only those of this class")] = None,
    name: Annotated[
        str | None, Query(pattern=r"^[A-Za-z0-9._-]{0,64}$", description="only those whose name has this in it")
    ] = None,
    sort: Annotated[Sort, Query(description="`-name`: Z first")] = "newest",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> schemas.DatasetPage:
    """Uploaded ones, and the virtual ones: images that people labelled, and images that generators made."""
    query = select(DatasetRow).where(DatasetRow.type == type, DatasetRow.state != "deleting")
    for column, value in (
        (DatasetRow.status, status),
        (DatasetRow.state, state),
        (DatasetRow.origin, origin),
        (DatasetRow.face_class, face_class),
    ):
        if value is not None:
            query = query.where(column == value)
    if name:
        query = query.where(DatasetRow.name.icontains(name, autoescape=True))
    by_name = sort in ("name", "-name")
    rows, after = await read_page(
        session,
        query,
        DatasetRow.name if by_name else DatasetRow.id,
        DatasetRow.id,
        descending=sort in ("newest", "-name"),
        cursor=cursor,
        limit=limit,
    )
    live = await live_counts(session, rows)
    return schemas.DatasetPage(datasets=[to_schema(row, live) for row in rows], next_cursor=after)


@router.get("/dataset/{uuid}/report", summary="How a data set fares", responses=_NOT_FOUND)
async def get_dataset(uuid: UUID, session: SessionDep) -> schemas.Dataset:
    """State, progress, what became of its files, class counts and sizes."""
    row = await find_dataset(session, uuid)
    return to_schema(row, await live_counts(session, [row]))


@router.get(
    "/dataset/{uuid}/events",
    summary="How a data set fares, as it changes",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}, **_NOT_FOUND},
)
async def follow_dataset(uuid: UUID, request: Request, state: StateDep) -> StreamingResponse:
    """Server-sent events, each the data set as JSON, until it is ready, failed or removed."""
    async with state.sessions() as session:
        await find_dataset(session, uuid)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(uuid, request, state), headers=headers, media_type="text/event-stream")


@router.get("/dataset/{uuid}/files", summary="What became of the files of a data set", responses=_NOT_FOUND)
async def list_dataset_files(
    uuid: UUID,
    session: SessionDep,
    fate: Annotated[list[Fate] | None, Query(description="only files of these fates")] = None,
    refused: Annotated[bool, Query(description="only files that were not kept")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> schemas.DatasetFilePage:
    """In the order of the archives, with the reason of each that was refused; with `fate=kept` it is a gallery.

    Of uploads alone: the images of virtual data sets are at /backend/image.
    """
    dataset = await find_dataset(session, uuid)
    wanted = [each for each in fate or Fate if not (refused and each is Fate.KEPT)]
    query = files_of(dataset, wanted if fate or refused else None)
    rows, after = await read_page(
        session, query, DatasetFileRow.position, DatasetFileRow.position, descending=False, cursor=cursor, limit=limit
    )
    return schemas.DatasetFilePage(files=[_file_schema(uuid, row) for row in rows], next_cursor=after)


@router.get(
    "/dataset/{uuid}/file/{position}",
    summary="Serve an image of a data set",
    response_class=Response,
    responses={
        200: {"content": {"image/png": {}, "image/jpeg": {}, "image/webp": {}}},
        **problems(S404="There is no such image.", S422="There are no thumbnails of this width."),
    },
)
async def get_dataset_image(
    uuid: UUID,
    position: int,
    state: StateDep,
    session: SessionDep,
    width: Annotated[ThumbnailWidth | None, Query(description="a thumbnail at most so wide, as WebP")] = None,
) -> Response:
    """The file as it was uploaded, or a thumbnail."""
    dataset = await find_dataset(session, uuid)
    in_range = 0 <= position < 2**31
    query = files_of(dataset, [Fate.KEPT]).where(DatasetFileRow.position == (position if in_range else -1))
    row = await session.scalar(query)
    await session.commit()  # what follows may take long
    if row is None or not (row.face_class and row.sha256 and row.suffix):
        raise not_found("image", position, "position")
    headers = {
        "ETag": f'"{row.sha256}-{width or ""}"',
        "Cache-Control": _CACHE,
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    key = dataset_image_key(uuid, FaceClass(row.face_class), row.sha256, row.suffix)
    data = await asyncio.to_thread(state.store.get, key)
    if width is None:
        return Response(data, media_type="image/png" if row.suffix == ".png" else "image/jpeg", headers=headers)
    return Response(await state.decoder.run(partial(thumbnail, data, width)), media_type="image/webp", headers=headers)


@router.patch(
    "/dataset/{uuid}/status/{status}",
    summary="Enable or disable a data set",
    responses=problems(S404="There is no such data set.", S409_dataset_failed="A data set that failed cannot be enabled."),
)
async def set_dataset_status(uuid: UUID, status: Literal["enabled", "disabled"], session: SessionDep) -> schemas.Dataset:
    """A disabled one is used by no further training; those under way go on."""
    row = await change_status(session, uuid, status)
    return to_schema(row, await live_counts(session, [row]))


@router.delete(
    "/dataset/{uuid}",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    summary="Remove a data set",
    responses=problems(S404="There is no such data set.", S409_dataset_in_use="A training uses it, or it is a virtual one."),
)
async def delete_dataset(uuid: UUID, session: SessionDep) -> Response:
    """Gone at once for everybody; also one that is just being read."""
    await remove_dataset(session, uuid)
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def _events(uuid: UUID, request: Request, state: State) -> AsyncIterator[bytes]:
    last = None
    while not await request.is_disconnected():
        async with state.sessions() as session:
            row = await session.scalar(select(DatasetRow).where(DatasetRow.uuid == uuid, DatasetRow.state != "deleting"))
            shown = None if row is None else to_schema(row, await live_counts(session, [row]))
        if shown is None:
            return
        if shown != last:
            last = shown
            yield f"event: dataset\ndata: {shown.model_dump_json()}\n\n".encode()
        if shown.state in ("ready", "failed"):
            return
        await asyncio.sleep(_SECONDS_BETWEEN_EVENTS)


def _file_schema(dataset: UUID, row: DatasetFileRow) -> schemas.DatasetFile:
    return schemas.DatasetFile(
        position=row.position,
        path=row.path,
        fate=Fate(row.fate),
        reason=row.reason,
        size=row.size,
        face_class=FaceClass(row.face_class) if row.face_class else None,
        width=row.width,
        height=row.height,
        url=f"/backend/dataset/{dataset}/file/{row.position}" if row.fate == Fate.KEPT else None,
    )
