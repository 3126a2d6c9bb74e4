"""What a training is asked to do: one document that the page, the queue and the job all read.

A spec is complete: with the data it names and the seed it carries, a training can be run again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from visionlab_core.face_class import FaceClass


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataSource(_Strict):
    """A folder of images of one class that joins the training split."""

    path: Path
    face_class: FaceClass
    source: str = Field(description="name under which the images are counted, balanced and reported")


class DetectorData(_Strict):
    """The images a detector learns from.

    `manifest` names the columns path, class, source and split (train, val, test, unseen). Batches are balanced by class and, in a
    class, by source size to the power of `source_exponent` (0 = every source alike, 1 = as they come).
    """

    manifest: Path
    extra: tuple[DataSource, ...] = ()
    source_exponent: float = Field(0.5, ge=0, le=1)
    compressed_sources: tuple[str, ...] = Field(
        (), description="sources that arrive strongly compressed: all others are compressed alike first"
    )


class DetectorTraining(_Strict):
    """Train a CNN to give the probabilities of the four face classes."""

    kind: Literal["detector"] = "detector"
    name: str
    architecture: str
    data: DetectorData
    weights: Path | Literal["imagenet", "none"] = "none"
    resolution: int = Field(224, ge=32, le=1024, description="side in pixels at which the network works")
    batch_size: int = Field(32, ge=2, le=4096)
    steps: int = Field(ge=1)
    optimizer: Literal["rmsprop", "adamw"] = "rmsprop"
    learning_rate: float = Field(1e-3, gt=0)
    warmup_steps: int = Field(0, ge=0)
    weight_decay: float = Field(1e-4, ge=0)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    real_loss_weight: float = Field(
        1.0, gt=0, le=10, description="loss on real faces counts this much: an innocent face that is called generated costs trust"
    )
    batch_norm_momentum: float | None = Field(None, gt=0, lt=1)
    validate_every: int = Field(250, ge=1)
    checkpoint_every: int = Field(100, ge=1)
    seed: int = 0


class GeneratorData(_Strict):
    """The images a generator learns to imitate: folders, and rows of a manifest by source.

    `crop` is the central part of the side that is kept.
    """

    folders: tuple[Path, ...] = ()
    manifest: Path | None = None
    sources: tuple[str, ...] = ()
    crop: float = Field(1.0, gt=0, le=1)


class GeneratorTraining(_Strict):
    """Train a GAN to make faces of one class."""

    kind: Literal["generator"] = "generator"
    name: str
    architecture: Literal["DCGAN"] = "DCGAN"
    face_class: FaceClass = Field(description="class of the images that it learns to imitate")
    data: GeneratorData
    width: int = Field(128, ge=4, le=512, description="channels of the widest feature map; each deeper stage doubles it")
    resolution: Literal[128] = 128
    batch_size: int = Field(64, ge=2, le=4096)
    steps: int = Field(ge=1)
    learning_rate: float = Field(2e-4, gt=0)
    discriminator_learning_rate: float | None = Field(None, gt=0)
    ema_decay: float = Field(0.999, ge=0, lt=1)
    augment: bool = Field(True, description="DiffAugment on what the discriminator sees: colour, translation, cutout")
    sample_every: int = Field(250, ge=1)
    checkpoint_every: int = Field(100, ge=1)
    seed: int = 0


TrainingSpec = Annotated[DetectorTraining | GeneratorTraining, Field(discriminator="kind")]
