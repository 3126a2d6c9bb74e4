"""What a training job and the product tell each other, as files below `trainings/<uuid>/` in the object store.

spec.json          what is to be done (`TrainingOrder`); written before the job starts, never changed
manifest.csv       the images; its paths are relative to it, as keys
judged.csv         images on which the new version and one in service are judged, where the order says so
progress.json      how far it is (`TrainingProgress`); the latest state
metrics.jsonl      the course of its figures, a JSON object a line
log.txt            the end of what it says
samples/<step>.jpg faces that a generator in training makes of the same noise, as a grid
checkpoints/...    from which it goes on, here or elsewhere
result/...         the finished model version; `card.json` comes last
comparison.json    how the two versions did (`Comparison`)
outcome.json       how the job ended (`TrainingOutcome`); not there while it runs, nor where it was killed
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from visionlab_core.face_class import FaceClass
from visionlab_core.model_card import DetectorMetrics
from visionlab_core.training_spec import TrainingSpec
from visionlab_core.training_spec.common import Strict

SPEC_FILE = "spec.json"
MANIFEST_FILE = "manifest.csv"
PROGRESS_FILE = "progress.json"
METRICS_FILE = "metrics.jsonl"
LOG_FILE = "log.txt"
JUDGED_FILE = "judged.csv"
COMPARISON_FILE = "comparison.json"
OUTCOME_FILE = "outcome.json"
CHECKPOINTS = "checkpoints/"
SAMPLES = "samples/"
RESULT = "result/"

TrainingPhase = Literal["preparing", "training", "exporting", "judging"]
"""`judging`: the finished version beside the one in service."""
KerasBackend = Literal["auto", "tensorflow", "jax"]


class OrderedModel(Strict):
    """What the finished model's card shall say that nothing measures."""

    uuid: UUID
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")
    label: str = Field(min_length=1, max_length=80)
    version: int = Field(ge=1)
    description: str
    licence: str
    data: str
    started_from: str = "random"
    limitations: tuple[str, ...] = ()


class OrderedComparison(Strict):
    """The version in service, the champion, that the finished detector is compared with, on the images of `judged.csv`."""

    champion: UUID
    version: int = Field(ge=1)


class TrainingOrder(Strict):
    """A training as a job is given it. Paths in the spec are keys of the object store; those of bases name version folders."""

    training: UUID
    backend: KerasBackend = "auto"
    gpus: int = Field(0, ge=0, description="that it asks for, where they are given out: in a cluster")
    spec: TrainingSpec
    model: OrderedModel
    comparison: OrderedComparison | None = None


class TrainingProgress(Strict):
    """How far a training is.

    `metrics` are those of late, smoothed: loss, accuracy; of GANs the losses of both networks. `step` and `steps` are 0 before
    the first report.
    """

    phase: TrainingPhase
    step: int = Field(0, ge=0)
    steps: int = Field(0, ge=0, description="in all")
    epoch: float | None = Field(None, description="passes over the images so far, where the training counts in them")
    epochs: int | None = None
    seconds_left: float | None = Field(None, description="of the training itself, without the export")
    steps_per_second: float | None = None
    device: str | None = None
    metrics: dict[str, float] = Field(default_factory=dict)
    time: datetime


class TrainingOutcome(Strict):
    """How a job ended. `reason` is a sentence a person can act on, null where it is done."""

    state: Literal["done", "paused", "failed"]
    exit_code: int | None = Field(None, description="of the process that trains; negative: the signal that ended it")
    reason: str | None = None
    ended_at: Annotated[datetime, Field(description="UTC")]


class Agreement(Strict):
    """How often two versions were right, image by image."""

    both_right: int = Field(ge=0)
    only_champion: int = Field(ge=0, description="images that the version in service alone has right")
    only_challenger: int = Field(ge=0, description="images that the new version alone has right")
    both_wrong: int = Field(ge=0)


class Gain(Strict):
    """What the new version has more than the one in service, of a share of images that are right; negative: less.

    `low` and `high` enclose the true one with the probability `confidence` (percentile bootstrap over the images of each class).
    """

    value: float
    low: float
    high: float
    confidence: float = 0.95


class Comparison(Strict):
    """The version in service, the champion, and a new one, the challenger, on the same images, through the served graphs.

    `p_value` is of the exact McNemar test (McNemar, 1947): the chance of images on which just one of the two is right to be
    divided so unevenly, or more, if both were equally good. The balanced accuracy is the mean recall of the classes judged.
    """

    images: int
    left_out: int = Field(description="images that were to be judged and are gone, or cannot be decoded")
    champion: DetectorMetrics
    challenger: DetectorMetrics
    champion_balanced_accuracy: float
    challenger_balanced_accuracy: float
    agreement: Agreement
    p_value: float = Field(ge=0, le=1)
    gain: Gain = Field(description="of balanced accuracy")
    class_gains: dict[FaceClass, float] = Field(description="of the F1 of each class that was judged")
