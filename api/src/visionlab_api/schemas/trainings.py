"""Trainings."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool, StrictInt

from visionlab_api.inputs import PlainText
from visionlab_api.schemas.models import ModelLabel, ModelName
from visionlab_api.schemas.parts import Body, StrictNumber
from visionlab_core.face_class import FaceClass
from visionlab_core.model_card import Metrics, ModelKind
from visionlab_core.training_job import KerasBackend, TrainingProgress

TrainingStatus = Literal["pending", "running", "paused", "done", "failed"]


class TrainingRequest(Body):
    """Train a model. A single network has an `architecture`; an ensemble has `ensemble` and `base_models` in its place."""

    name: ModelName = Field(description="of the model that comes of it; a new one, unless `model` is given")
    label: ModelLabel | None = Field(None, description="what people read; default: the name", examples=["My detector"])
    type: ModelKind = Field(examples=["detector"])
    model: UUID | None = Field(None, description="make the next version of this model, in place of a new model")
    architecture: PlainText | None = Field(None, max_length=64, description="letter for letter", examples=["MobileNetV2"])
    ensemble: Literal["stacking", "voting"] | None = Field(None, description="of detectors; a vote is not trained")
    base_models: list[UUID] = Field([], max_length=16, description="of an ensemble: 2 or more single detectors")
    datasets: list[UUID] = Field([], max_length=100, description="data sets to learn from, frozen from now on")
    include_uploaded: StrictBool = Field(False, description="learn from the images that people uploaded and labelled, too")
    include_generated: StrictBool = Field(False, description="learn from the images that generators made here, too")
    batch_size: StrictInt = Field(32, ge=2, le=4096)
    max_epochs: StrictInt = Field(20, ge=1, le=100_000, description="passes over the images")
    preset: Literal["original", "robust"] = Field("original", description="see docs/training.md")
    learning_rate: StrictNumber | None = Field(None, gt=0, le=10, description="default: the preset's, or the architecture's")
    patience: StrictInt = Field(
        0, ge=0, le=10_000, description="detectors: stop after so many epochs without a better one; 0: never"
    )
    resolution: StrictInt | None = Field(None, ge=32, le=1024, description="side in pixels; default: 224, of generators 128")
    weights: Literal["none", "imagenet"] = Field("none", description="what a detector starts from")
    face_class: FaceClass | None = Field(None, description="generators: the class whose faces they learn to make")
    test_fraction: StrictNumber = Field(
        0.1,
        ge=0,
        le=0.5,
        description="share of the images, always the same ones, on which the finished detector is judged; of fewer than 200 "
        "none, and it is judged on the validation images",
    )
    backend: KerasBackend = Field("auto", description="auto: JAX where it has a GPU, else TensorFlow")
    gpus: StrictInt = Field(
        0,
        ge=0,
        le=1024,
        description="GPUs that it asks for where trainings are Kubernetes Jobs; elsewhere it takes those of the machine",
    )
    seed: StrictInt = Field(0, ge=0, lt=2**31)
    licence: PlainText = Field("unspecified", min_length=1, max_length=200, description="of the model")


class TrainingSettings(BaseModel):
    """What was asked for, beside the model and the data sets."""

    include_uploaded: bool
    include_generated: bool
    batch_size: int
    max_epochs: int
    preset: Literal["original", "robust"]
    learning_rate: float | None
    patience: int
    resolution: int | None
    weights: Literal["none", "imagenet"]
    face_class: FaceClass | None
    test_fraction: float
    backend: KerasBackend
    gpus: int = 0
    seed: int
    licence: str


class TrainingDataset(BaseModel):
    """A data set as a training uses it: `digest` names exactly its images."""

    uuid: UUID
    name: str
    digest: str
    images: int


class Training(BaseModel):
    """A training. `status` is how far it is, `wanted` what was asked for: one that is to pause first writes a checkpoint.

    `queue_position` counts the pending ones from 1. `files` are the report, its pictures and the curves, by name.
    """

    uuid: UUID
    type: ModelKind
    name: str
    label: str
    status: TrainingStatus
    wanted: Literal["run", "pause"]
    reason: str | None = Field(description="why it failed or waits, and what to do")
    model_uuid: UUID = Field(description="of the model that comes of it")
    model_version: int
    architecture: str
    ensemble: bool
    base_models: list[UUID]
    settings: TrainingSettings
    datasets: list[TrainingDataset]
    progress: TrainingProgress | None = Field(description="null before it was first started")
    metrics: dict[str, Metrics] = Field(description="of the finished model by split: accuracy, figures of each class, confusion")
    queue_position: int | None = None
    files: dict[str, str] = Field(description="addresses by name")
    created_at: datetime
    begin_at: datetime | None
    end_at: datetime | None


class Curve(BaseModel):
    """The course of a figure: pairs of step and value, 200 at the most."""

    name: str = Field(examples=["loss"])
    points: list[tuple[int, float]]


class Sample(BaseModel):
    """Faces that a generator in training makes of the same noise, 8 by 8 in one picture."""

    step: int
    url: str


class TrainingDetail(Training):
    """A training with the course of its figures; of generators with what their faces looked like on the way."""

    curves: list[Curve]
    samples: list[Sample] = Field(description="in the order of the steps")


class ArchitectureOption(BaseModel):
    """A network that can be trained here."""

    name: str = Field(examples=["MobileNetV2"])
    least_side: int = Field(description="smallest resolution that it takes, in pixels")


class TrainingOptions(BaseModel):
    """What trainings can be asked for here, and whether they would be started."""

    detectors: list[ArchitectureOption]
    generators: list[ArchitectureOption]
    at_once: int = Field(description="how many may run at the same time")
    reason: str | None = Field(None, description="why none can be started now; null: they can")


class TrainingPage(BaseModel):
    """A part of the list of trainings."""

    trainings: list[Training]
    next_cursor: str | None = Field(None, description="give it as `cursor` for the next part; null at the end")


class QueueState(BaseModel):
    """The queue after it was told to go on."""

    pending: int
    running: int
    at_once: int = Field(description="how many may run at the same time")
    reason: str | None = Field(None, description="why none can be started; null: they can")
