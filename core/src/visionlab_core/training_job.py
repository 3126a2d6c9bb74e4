"""What a training job and the product tell each other, as files below `trainings/<uuid>/` in the object store.

spec.json          what is to be done (`TrainingOrder`); written before the job starts, never changed
manifest.csv       the images; its paths are relative to it, as keys
progress.json      how far it is (`TrainingProgress`); the latest state
metrics.jsonl      the course of its figures, a JSON object a line
checkpoints/...    from which it goes on, here or elsewhere
result/...         the finished model version; `card.json` comes last
outcome.json       how the job ended (`TrainingOutcome`); not there while it runs, nor where it was killed
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from visionlab_core.training_spec import TrainingSpec
from visionlab_core.training_spec.common import Strict

SPEC_FILE = "spec.json"
MANIFEST_FILE = "manifest.csv"
PROGRESS_FILE = "progress.json"
METRICS_FILE = "metrics.jsonl"
OUTCOME_FILE = "outcome.json"
CHECKPOINTS = "checkpoints/"
RESULT = "result/"

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


class TrainingOrder(Strict):
    """A training as a job is given it. Paths in the spec are keys of the object store; those of bases name version folders."""

    training: UUID
    backend: KerasBackend = "auto"
    spec: TrainingSpec
    model: OrderedModel


class TrainingProgress(Strict):
    """How far a training is.

    `metrics` are those of late, smoothed: loss, accuracy; of GANs the losses of both networks. `step` and `steps` are 0 before
    the first report.
    """

    phase: Literal["preparing", "training", "exporting"]
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
