"""Specs of detectors and of ensembles of detectors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from visionlab_core.face_class import FaceClass
from visionlab_core.training_spec.common import Strict, Training

Preset = Literal["original", "robust"]

PRESETS: Mapping[Preset, Mapping[str, Any]] = MappingProxyType(
    {
        # What the original VisionLab did; the defaults of the fields.
        "original": MappingProxyType({}),
        # Made for images of sources that the training has never seen.
        "robust": MappingProxyType(
            {
                "optimizer": "adamw",
                "learning_rate": 6e-4,
                "schedule": "cosine",
                "warmup_steps": 100,
                "weight_decay": 0.02,
                "label_smoothing": 0.05,
                "real_loss_weight": 1.4,
                "batch_norm_momentum": 0.95,
                "ema_decay": 0.995,
                "augmentation": "robust",
                "sampling": "balanced",
                "select_by": "source_mean",
            }
        ),
    }
)
"""Values of the fields that a spec leaves out, by the name of its `preset`."""


class DataSource(Strict):
    """A folder of images of one class that joins the training split."""

    path: Path
    face_class: FaceClass
    source: str = Field(description="name under which the images are counted, balanced and reported")


class DetectorData(Strict):
    """The images a detector learns from.

    `manifest` names the columns path, class, source and split (train, val, test, unseen). Where no row has the split `val`,
    `validation_fraction` of the training images become it. Balanced batches are balanced by class and, in a class, by source size
    to the power of `source_exponent` (0 = every source alike, 1 = as they come).
    """

    manifest: Path
    extra: tuple[DataSource, ...] = ()
    validation_fraction: float = Field(0.2, gt=0, le=0.5)
    source_exponent: float = Field(0.5, ge=0, le=1)
    compressed_sources: tuple[str, ...] = Field(
        (), description="sources that arrive strongly compressed: all others are compressed alike first"
    )


class DetectorLearning(Training):
    """How a network learns to give the probabilities of the four face classes. Exactly one of `steps` and `epochs` is given."""

    preset: Preset = "original"
    data: DetectorData
    steps: int | None = Field(None, ge=1)
    epochs: int | None = Field(None, ge=1, description="passes over as many images as the training split has")
    optimizer: Literal["rmsprop", "adamw"] = "rmsprop"
    learning_rate: float = Field(1e-3, gt=0)
    schedule: Literal["constant", "cosine"] = "constant"
    warmup_steps: int = Field(0, ge=0)
    weight_decay: float = Field(1e-4, ge=0, description="of AdamW, on kernels")
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    real_loss_weight: float = Field(
        1.0, gt=0, le=10, description="loss on real faces counts this much: an innocent face that is called generated costs trust"
    )
    most_false_accusations: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="share of real validation faces that may be called generated; the head is moved to it",
    )
    ema_decay: float = Field(0.0, ge=0, lt=1, description="of averaged weights, which are then what is judged and kept; 0: none")
    augmentation: Literal["none", "robust"] = "none"
    sampling: Literal["epochs", "balanced"] = Field(
        "epochs", description="shuffled passes, or draws balanced by class and source"
    )
    select_by: Literal["accuracy", "source_mean"] = Field(
        "accuracy", description="on the validation split: which weights are kept as the best"
    )
    validate_every: int | None = Field(None, ge=1, description="steps; left out: once an epoch")
    patience: int = Field(0, ge=0, description="stop after so many validations without a better one; 0: never")

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("preset", "original") in PRESETS:
            preset = PRESETS[given.get("preset", "original")]
            return {**{name: value for name, value in preset.items() if name in cls.model_fields}, **given}
        return given

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("give either steps or epochs")
        return self


class DetectorTraining(DetectorLearning):
    """Train a CNN."""

    kind: Literal["detector"] = "detector"
    architecture: str
    weights: Literal["imagenet", "none"] | Path = Field(
        "none", union_mode="left_to_right", description="ImageNet's, a random start, or a file of named arrays"
    )
    resolution: int = Field(224, ge=32, le=1024, description="side in pixels at which the network works")
    batch_norm_momentum: float | None = Field(None, gt=0, lt=1)
    start_share: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="part of the weights that the training began with, a whole detector's, in the mean that is published: what "
        "they knew of other sources stays (WiSE-FT, Wortsman et al., 2022, arXiv:2109.01903)",
    )

    @model_validator(mode="after")
    def _start_is_a_file(self) -> Self:
        if self.start_share and not isinstance(self.weights, Path):
            raise ValueError("start_share needs weights: FILE, those of a whole detector that the training goes on from")
        return self


class EnsembleTraining(DetectorLearning):
    """Stack detectors: their outputs, concatenated, go through Dense(`hidden`) and Dense(4), which alone are trained.

    With `method: voting` nothing is trained: the answer is the mean of the bases' probabilities.
    """

    kind: Literal["ensemble"] = "ensemble"
    method: Literal["stacking", "voting"] = "stacking"
    bases: tuple[Path, ...] = Field(min_length=2, max_length=16, description="folders of exported versions of detectors")
    hidden: int = Field(12, ge=1, le=1024)

    @model_validator(mode="before")
    @classmethod
    def _voting_has_no_steps(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("method") == "voting":
            return {"steps": 1, **given}
        return given

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.bases)) < len(self.bases):
            raise ValueError("bases: the same folder is there twice")
        return self
