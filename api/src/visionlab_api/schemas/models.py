"""Models."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StrictInt

from visionlab_api.inputs import PlainText
from visionlab_api.schemas.parts import IMAGE_ID, MODEL_ID, Body, StrictNumber
from visionlab_core.face_class import FaceClass
from visionlab_core.model_card import Metrics, ModelKind

ModelName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$", examples=["my-detector"])]
ModelLabel = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Model(BaseModel):
    """A model as the pages need it; `card` serves all that is known of it."""

    uuid: UUID = Field(examples=[MODEL_ID])
    type: ModelKind
    name: str = Field(examples=["dcgan-human"])
    label: str = Field(examples=["DCGAN human faces"])
    version: int
    status: Literal["enabled", "disabled"]
    state: Literal["ready", "loading", "failed", "disabled"]
    reason: str | None = None
    architecture: str
    description: str
    face_class: FaceClass | None
    ensemble: bool
    base_models: list[UUID]
    parameters: int
    metrics: dict[str, Metrics]
    licence: str
    limitations: list[str]
    report: str | None = Field(description="address of a page with all that was measured of it; null: there is none")
    mixes_styles: bool = Field(False, description="generators: whether it makes faces of the styles of two")
    samples: str | None = Field(
        None, description="generators: address of a picture of 64 of its faces, 8 by 8; null: there is none"
    )


class UploadedNetwork(Body):
    """What weights are the weights of, beside the architecture. What is left out is as in trainings that leave it out."""

    resolution: StrictInt | None = Field(None, ge=32, le=1024, description="side in pixels; default: 224, of generators 128")
    temperature: StrictNumber | None = Field(
        None, ge=0.05, le=100, description="detectors: of the calibration, as in the card that came with the weights; default: 1"
    )
    width: StrictInt | None = Field(None, ge=4, le=512, description="DCGAN: channels at side 64; default: 128")
    latent_size: StrictInt | None = Field(None, ge=2, le=1024, description="StyleGAN2; default: 512")
    mapping_layers: StrictInt | None = Field(None, ge=1, le=16, description="StyleGAN2; default: 8")
    mapping_learning_rate: StrictNumber | None = Field(None, gt=0, le=1, description="StyleGAN2; default: 0.01")
    channel_base: StrictInt | None = Field(None, ge=64, le=65536, description="StyleGAN2; default: 16384")
    channel_max: StrictInt | None = Field(None, ge=4, le=1024, description="StyleGAN2; default: 512")


class ModelRequest(Body):
    """Add a model that was trained elsewhere: an ONNX file that was uploaded, or weights of an architecture that we have.

    See docs/api.md for the tensors of an ONNX file. Weights are NAME.weights.h5 of Keras 3, or a weights.npz of ours; they need
    the `architecture`, and `network` where it is not built as trainings build it by default.
    """

    upload: UUID = Field(examples=[IMAGE_ID])
    type: ModelKind = Field(examples=["detector"])
    name: ModelName = Field(description="of a new model; with `model` it is that model's")
    label: ModelLabel | None = Field(None, description="what people read; default: the name", examples=["My detector"])
    model: UUID | None = Field(None, description="make it the next version of this model, in place of a new model")
    classes: list[FaceClass] | None = Field(
        None,
        min_length=4,
        max_length=4,
        description="detectors: the order in which the model gives the classes; default: human, human_gen, anime, anime_gen",
    )
    face_class: FaceClass | None = Field(None, description="generators: what its faces are, human_gen or anime_gen")
    architecture: PlainText = Field(
        "unknown",
        min_length=1,
        max_length=64,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="of weights: one of ours, letter for letter; else a word for people",
        examples=["MobileNetV2"],
    )
    network: UploadedNetwork | None = Field(None, description="of weights: what they are the weights of")
    description: PlainText = Field("Trained elsewhere and uploaded.", min_length=1, max_length=1000)
    licence: PlainText = Field("unspecified", min_length=1, max_length=200)


class WeightsOption(BaseModel):
    """An architecture whose weights can be uploaded, and what has to be known of them."""

    name: str = Field(examples=["StyleGAN2"])
    least_side: int = Field(description="smallest resolution that it takes, in pixels")
    network: dict[str, int | float] = Field(
        description="what `network` can say of it, each with its default", examples=[{"resolution": 128, "latent_size": 512}]
    )


class ModelOptions(BaseModel):
    """What can be added as a model here."""

    detectors: list[WeightsOption]
    generators: list[WeightsOption]
    most_bytes: int = Field(description="of a file", examples=[2_000_000_000])
    reason: str | None = Field(None, description="why no weights can be made into a model here; null: they can")
