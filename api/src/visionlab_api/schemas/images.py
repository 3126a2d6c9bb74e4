"""Stored images: made, uploaded, labelled, liked, downloaded."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool, StrictInt

from visionlab_api.inputs import PlainText
from visionlab_api.schemas.parts import IMAGE_ID, MODEL_ID, Body, Seed, StrictNumber
from visionlab_core.face_class import FaceClass

MAX_STEPS = 32
"""Each picture of a walk is made from its beginning."""


class LatentStep(Body):
    """A step through latent space: in the direction that a seed names, and how far."""

    seed: Seed
    distance: StrictNumber = Field(gt=0, le=1, description="1 = as far as to an unrelated face", examples=[0.3])


LatentSteps = Annotated[
    list[LatentStep], Field(max_length=MAX_STEPS, description="from the noise of the seed to that of a neighbour, in their order")
]


class MixedStyle(Body):
    """Of generators that mix styles: a second latent, whose styles the finer layers have."""

    seed: Seed
    steps: LatentSteps = Field(default_factory=list)
    crossover: StrictNumber = Field(0.5, ge=0, lt=1, description="part of the layers, the coarse ones, that keep the own style")


class HowMade(BaseModel):
    """All that is needed to make a generated image again, exactly."""

    model_uuid: UUID
    model_name: str
    model_label: str
    model_version: int
    seed: Seed
    truncation: float
    steps: LatentSteps
    style: MixedStyle | None


class Image(BaseModel):
    """A stored image. `url` serves it; `url + '?width=256'` a thumbnail."""

    uuid: UUID = Field(examples=[IMAGE_ID])
    image_type: Literal["generated", "uploaded"]
    url: str = Field(examples=[f"/backend/image/{IMAGE_ID}.png"])
    filename: str | None = Field(None, description="name of the uploaded file")
    width: int
    height: int
    class_label: FaceClass | None = Field(None, description="generated: what it is; uploaded: what a person said it is")
    likes: int
    downloads: int
    shared: bool = Field(description="uploaded: its person agreed that later models learn from it")
    how_made: HowMade | None = None
    created_at: datetime


class FetchRequest(Body):
    """A picture on the web."""

    url: PlainText = Field(
        min_length=1, max_length=2048, description="http(s)://..., of the public web", examples=["https://example.org/face.jpg"]
    )
    share: StrictBool = Field(False, description="agree that later models learn from it")


class ImagePage(BaseModel):
    """A part of the list of images, newest first."""

    images: list[Image]
    next_cursor: str | None = Field(None, description="give it as `cursor` for the next part; null at the end")


class Deleted(BaseModel):
    """What is gone."""

    deleted: int = Field(description="how many images there were")


class GenerateRequest(Body):
    """Which generators make how many faces. `count` is shared out evenly over the models."""

    models: list[UUID] = Field(min_length=1, max_length=32, examples=[[MODEL_ID]])
    count: StrictInt | None = Field(None, ge=1, le=100, description="default: the setting images_per_batch", examples=[10])
    seed: Seed | None = Field(None, description="seed of the first image of each model, the next has seed + 1; default: random")
    truncation: StrictNumber = Field(1.0, gt=0, le=1, description="1 = all variety; smaller = nearer to the average face")
    steps: LatentSteps = Field(default_factory=list)
    style: MixedStyle | None = Field(None, description="of generators with `mixes_styles`")


class NeighboursRequest(Body):
    """Faces like one that was made here: its neighbours in latent space."""

    image: UUID = Field(examples=[IMAGE_ID])
    count: StrictInt | None = Field(None, ge=1, le=100, description="default: the setting images_per_batch", examples=[8])
    distance: StrictNumber = Field(0.3, gt=0, le=1, description="how unlike they may be; 1 = as far as to an unrelated face")
    seed: Seed | None = Field(None, description="of the direction of the first, the next has seed + 1; default: random")


class MixRequest(Body):
    """A face with the shape of one image and the finer styles of another, both made by the same version of a generator."""

    image: UUID = Field(description="whose pose and shape it has", examples=[IMAGE_ID])
    style: UUID = Field(description="whose colours and texture it has", examples=["0192f3a4-5b6c-7d8e-9f00-112233445567"])
    crossover: StrictNumber = Field(
        0.5, ge=0, lt=1, description="part of the layers, the coarse ones, with the style of `image`; smaller = more of `style`"
    )


class GenerateAnswer(BaseModel):
    """The new images, all of them stored."""

    images: list[Image]
    milliseconds: float


class LabelRequest(Body):
    """A person's word on an uploaded image. Where its uploader agrees, later models learn from both."""

    image: UUID
    label: FaceClass
    predicted: FaceClass | None = Field(None, description="what the page had answered")
    share: StrictBool | None = Field(
        None, description="for who uploaded the image: agree that later models learn from it (false: no more); default: as it is"
    )


class Label(BaseModel):
    """A person's word, as kept."""

    uuid: UUID
    image: UUID
    label: FaceClass
    predicted: FaceClass | None
    agreed: bool | None = Field(description="whether label and prediction are the same; null where no prediction was named")
    visitor: UUID = Field(description="who said it: the anonymous visitor of the cookie")
    created_at: datetime


CountedAction = Literal["like", "unlike", "download"]


class StatsRequest(Body):
    """Count a like, the end of a like, or a download, once for each image."""

    images: list[UUID] = Field(min_length=1, max_length=1000)
    action: CountedAction


class ImageCounts(BaseModel):
    """The counters of an image after the change."""

    uuid: UUID
    likes: int
    downloads: int


class ModelStats(BaseModel):
    """The popularity of a generator."""

    model_uuid: UUID
    model_name: str
    model_label: str
    model_version: int
    images: int
    likes: int
    downloads: int


class ArchiveRequest(Body):
    """Images to download as one ZIP file."""

    images: list[UUID] = Field(min_length=1, max_length=1000)
