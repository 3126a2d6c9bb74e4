"""Many images in one file."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from zipstream import ZIP_STORED, ZipStream

from visionlab_api import schemas
from visionlab_api.database.tables import ImageRow
from visionlab_api.dependencies import SessionDep, StateDep, ViewerDep
from visionlab_api.routes.documented import problems
from visionlab_api.services.images import find_images
from visionlab_core.object_store import ObjectStore

router = APIRouter(tags=["images"])


@router.post(
    "/image/archive",
    summary="Download a selection as one ZIP file",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}},
        **problems(S404="There is no such image."),
    },
)
async def download_archive(
    request: schemas.ArchiveRequest, state: StateDep, session: SessionDep, viewer: ViewerDep
) -> StreamingResponse:
    """Streamed as it is read; a download of each image is counted."""
    rows = await find_images(session, list(dict.fromkeys(request.images)), viewer)
    archive = ZipStream(compress_type=ZIP_STORED, sized=True)
    for row in rows:
        archive.add(_chunks(state.store, row), arcname=_name(row), size=row.size)
    headers = {"Content-Disposition": 'attachment; filename="visionlab-faces.zip"', "Content-Length": str(len(archive))}
    await state.counting.count([row.uuid for row in rows], "download", viewer)
    return StreamingResponse(iter(archive), media_type="application/zip", headers=headers)


def _chunks(store: ObjectStore, row: ImageRow) -> Iterator[bytes]:
    yield from store.open(row.store_key)


def _name(row: ImageRow) -> str:
    suffix = row.store_key.rsplit(".", 1)[-1]
    if row.model_name is None:
        return f"upload-{row.uuid}.{suffix}"
    return f"{row.model_name}-v{row.model_version}-seed{row.seed}-{str(row.uuid)[:8]}.{suffix}"
