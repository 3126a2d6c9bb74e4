"""What detectors say of images."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, Field, StrictBool

from visionlab_api.schemas.parts import IMAGE_ID, Body
from visionlab_api.schemas.problem import Problem
from visionlab_core.face_class import FaceClass


class ClassifyRequest(Body):
    """Ask chosen detectors about uploaded images."""

    images: list[UUID] = Field(min_length=1, max_length=256, examples=[[IMAGE_ID]])
    models: list[UUID] | None = Field(None, min_length=1, max_length=32, description="default: all enabled detectors")
    explain: StrictBool = Field(False, description="add the regions that speak for the answer")


class Region(BaseModel):
    """The part of the upright image that the detectors saw, as fractions of its width and height."""

    left: float
    top: float
    width: float
    height: float


class ActivationMap(BaseModel):
    """Which regions spoke for the class that was called (class activation mapping, Zhou et al., 2016, arXiv:1512.04150).

    `values[row][column]`, 0 to 1, cover `region` from its top left; 1 is the region that spoke loudest.
    """

    face_class: FaceClass
    values: list[list[float]]
    region: Region


class ModelAnswer(BaseModel):
    """What one detector says of one image."""

    model_uuid: UUID
    model_name: str
    model_label: str
    model_version: int
    probabilities: dict[FaceClass, float]
    called: FaceClass
    activation_map: ActivationMap | None = None


class Verdict(BaseModel):
    """The models' answers brought together: the mean of their probabilities (soft vote)."""

    probabilities: dict[FaceClass, float]
    called: FaceClass
    generated: bool
    confidence: float = Field(description="probability that it is generated, or that it is real, whichever was called")
    sentence: str = Field(examples=["This looks like a generated photo of a person. I am fairly sure (87 %)."])


class Classification(BaseModel):
    """The answer for one image, or why there is none."""

    image: UUID | None = Field(None, description="null where the image was sent along and not stored")
    filename: str | None = None
    models: list[ModelAnswer] = []
    verdict: Verdict | None = None
    problem: Problem | None = Field(None, description="why this image has no answer, where several were asked")


class StreamedClassification(Classification):
    """A line of a streamed answer."""

    index: int | None = Field(description="which image of the request, from 0; null: `problem` is why no more images were read")


class ClassifyAnswer(BaseModel):
    """One entry for each image, in the order asked."""

    results: list[Classification]
    milliseconds: float = Field(description="time in the server, whole")
    model_milliseconds: float = Field(description="of these, time in which a model ran")
