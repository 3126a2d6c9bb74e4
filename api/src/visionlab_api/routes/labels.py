"""What people say that an image is."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter
from sqlalchemy import update

from visionlab_api import schemas
from visionlab_api.database.tables import ImageRow, LabelRow
from visionlab_api.dependencies import SessionDep, ViewerDep, VisitorDep
from visionlab_api.problems import ProblemError, not_found, not_yours
from visionlab_api.routes.documented import problems
from visionlab_api.services.images import find_images
from visionlab_core.face_class import FaceClass

router = APIRouter(tags=["images"])


@router.post(
    "/image/label",
    status_code=HTTPStatus.CREATED,
    summary="Say what an uploaded image really is",
    responses=problems(
        S404="There is no such image.",
        S403_not_yours="Only who uploaded an image can agree to training.",
        S409_not_uploaded="Only uploaded images take a person's label.",
    ),
)
async def label_image(
    request: schemas.LabelRequest, session: SessionDep, visitor: VisitorDep, viewer: ViewerDep
) -> schemas.Label:
    """The label is kept with who gave it and when, for later trainings. A later label on the same image takes its place."""
    [image] = await find_images(session, [request.image], viewer, "image")
    if image.image_type != "uploaded":
        detail = "This image was generated here, so what it is is known. Only uploaded images take a label."
        raise ProblemError(HTTPStatus.CONFLICT, "not-uploaded", "Not an uploaded image", detail, field="image")
    if request.share is not None and not viewer.owns(image):
        raise not_yours("image")
    values = {"class_label": request.label} | ({} if request.share is None else {"shared": request.share})
    there = update(ImageRow).where(ImageRow.id == image.id, ImageRow.deleted_at.is_(None)).values(**values).returning(ImageRow.id)
    row = LabelRow(image_id=image.id, label=request.label, predicted=request.predicted, visitor=visitor)
    if (await session.execute(there, execution_options={"synchronize_session": False})).first() is None:
        await session.rollback()  # it was deleted, or grew too old, at the same moment
        raise not_found("image", request.image, "image")
    session.add(row)
    await session.commit()
    return schemas.Label(
        uuid=row.uuid,
        image=image.uuid,
        label=FaceClass(row.label),
        predicted=request.predicted,
        agreed=None if request.predicted is None else request.predicted == request.label,
        visitor=row.visitor,
        created_at=row.created_at,
    )
