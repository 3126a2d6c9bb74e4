"""Data sets."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from visionlab_api.inputs import PlainText
from visionlab_api.schemas.parts import IMAGE_ID, Body
from visionlab_api.services.fates import Fate
from visionlab_core.face_class import FaceClass
from visionlab_core.model_card import ModelKind

DatasetName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", min_length=1, max_length=60)]


class DatasetRequest(Body):
    """Make a data set of finished uploads: archives (zip, tar, tar.gz), images, or both."""

    name: DatasetName = Field(description="of its own; reports count the images under it", examples=["office-portraits"])
    label: PlainText | None = Field(
        None,
        min_length=1,
        max_length=80,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="default: the name",
        examples=["Office portraits"],
    )
    type: ModelKind = Field(description="for models of which type it is", examples=["detector"])
    face_class: FaceClass | None = Field(
        None,
        description="what all its images are; left out, the folder of an archive that an image lies in is named for its class "
        "(`human/`, `human_gen/`, `anime/`, `anime_gen/`)",
        examples=["human"],
    )
    uploads: list[UUID] = Field(min_length=1, max_length=1000, examples=[[IMAGE_ID]])


class SizeCount(BaseModel):
    """A step of a histogram: images whose shorter side has `least_side` pixels or more, up to the next step."""

    least_side: int
    images: int


class Dataset(BaseModel):
    """A data set. `state` says how far it is: pending, reading, ready, or failed with a `reason`.

    Virtual ones (`origin` labelled or generated) are always ready: they are the images that people labelled, or that generators
    made, as they are now, and are frozen for each training.
    """

    uuid: UUID
    type: ModelKind
    name: str = Field(examples=["office-portraits"])
    label: str = Field(examples=["Office portraits"])
    face_class: FaceClass | None
    origin: Literal["uploaded", "labelled", "generated"]
    status: Literal["enabled", "disabled"]
    state: Literal["pending", "reading", "ready", "failed"]
    reason: str | None = Field(description="why it failed or waits, and what to do")
    progress: float = Field(description="how much of the uploads has been read, from 0 to 1")
    files: int = Field(description="files that have been read")
    images: int = Field(description="of these, images that were kept")
    image_bytes: int
    fates: dict[Fate, int] = Field(description="what became of how many files")
    classes: dict[FaceClass, int] = Field(description="images of each class")
    sizes: list[SizeCount] = Field(description="images by their shorter side in pixels")
    digest: str | None = Field(description="names exactly these images; never changes")
    created_at: datetime
    ended_at: datetime | None


class DatasetPage(BaseModel):
    """A part of the list of data sets."""

    datasets: list[Dataset]
    next_cursor: str | None = Field(None, description="give it as `cursor` for the next part; null at the end")


class DatasetFile(BaseModel):
    """What became of a file of a data set. `url` serves it where it was kept; `url + '?width=128'` a thumbnail."""

    position: int
    path: str = Field(examples=["faces/0001.jpg"])
    fate: Fate
    reason: str | None
    size: int = Field(description="bytes")
    face_class: FaceClass | None
    width: int | None
    height: int | None
    url: str | None


class DatasetFilePage(BaseModel):
    """A part of the files of a data set."""

    files: list[DatasetFile]
    next_cursor: str | None = Field(None, description="give it as `cursor` for the next part; null at the end")
