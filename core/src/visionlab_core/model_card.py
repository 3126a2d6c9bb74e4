"""The model card: everything that is known of one version of one model, in `card.json` beside its files.

After Mitchell et al., 2019, "Model Cards for Model Reporting" (arXiv:1810.03993). The database's `models` table is an
index of the cards, never a second truth.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from visionlab_core.face_class import FACE_CLASSES, FaceClass

ModelKind = Literal["detector", "generator"]
TensorType = Literal["uint8", "int64", "float32"]


def _plain_relative(name: str) -> str:
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or str(path) != name:
        raise ValueError(f"{name!r} is not a plain relative path")
    return name


RelativePath = Annotated[str, AfterValidator(_plain_relative)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TensorSpec(_Strict):
    """An input or output of the served graph. `shape` leaves out the leading batch dimension."""

    name: str
    dtype: TensorType
    shape: tuple[int, ...]


class FileDigest(_Strict):
    """What a file of the version must be."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int = Field(ge=0, description="bytes")


class ClassMetrics(_Strict):
    """One class of one split."""

    precision: float
    recall: float
    f1: float
    support: int


class SourceMetrics(_Strict):
    """One source of images of one split."""

    face_class: FaceClass
    accuracy: float
    support: int


class CorruptionMetrics(_Strict):
    """A detector on images that were changed in one way."""

    accuracy: float
    source_mean: float
    false_accusation_rate: float | None = Field(None, description="share of real faces called generated; null: there are none")


class Robustness(_Strict):
    """A detector on the same images after each of several common corruptions (Hendrycks & Dietterich, 2019, arXiv:1903.12261)."""

    images: int = Field(description="a subset of the split, balanced over its sources")
    real_images: int = Field(description="how many of them are real faces")
    corruptions: dict[str, CorruptionMetrics] = Field(description="by name; 'unchanged' comes first")


class ReliabilityBins(_Strict):
    """A reliability diagram: for each of 15 equal-width bins of the top class's probability, means over its images (0: none)."""

    confidence: list[float]
    accuracy: list[float]
    count: list[int] = Field(description="images")


class DetectorMetrics(_Strict):
    """A detector judged on one split, through the served graph. `confusion[i][j]` counts images of class i called class j."""

    kind: Literal["detector"] = "detector"
    images: int
    data_digest: str
    accuracy: float
    source_mean: float = Field(description="mean of the accuracies of the sources")
    real_or_generated_accuracy: float
    classes: dict[FaceClass, ClassMetrics]
    sources: dict[str, SourceMetrics]
    confusion: list[list[int]]
    auroc: float | None = Field(None, description="area under the ROC curve of generated against real")
    ece: float | None = Field(None, description="expected calibration error, 15 bins of the top class's probability")
    ece_uncalibrated: float | None = Field(None, description="the same at temperature 1")
    reliability: ReliabilityBins | None = Field(None, description="what ece is the sum of")
    robustness: Robustness | None = None

    @property
    def false_accusation_rate(self) -> float | None:
        """Share of real faces (human, anime) that are called generated; None where the split has none."""
        return self._share_called(generated=True)

    @property
    def missed_rate(self) -> float | None:
        """Share of generated faces that are called real; None where the split has none."""
        return self._share_called(generated=False)

    def _share_called(self, *, generated: bool) -> float | None:
        rows = [self.confusion[c.position] for c in FACE_CLASSES if c.is_generated != generated]
        wrong = sum(row[c.position] for row in rows for c in FACE_CLASSES if c.is_generated == generated)
        images = sum(map(sum, rows))
        return wrong / images if images else None


class GeneratorMetrics(_Strict):
    """A generator judged against held-out real faces.

    KID as in Binkowski et al., 2018 (arXiv:1801.01401), FID as in Heusel et al., 2017 (arXiv:1706.08500).
    """

    kind: Literal["generator"] = "generator"
    images: int = Field(description="real images compared with")
    generated: int
    data_digest: str
    kid: float = Field(description="unbiased squared MMD, polynomial kernel, mean over subsets")
    kid_std: float
    kid_of_real: float = Field(description="the same between training images and the held-out ones: the best to hope for")
    feature_network: str
    fid: float | None = Field(None, description="depends on the numbers of images: compare it with fid_of_real")
    fid_of_real: float | None = Field(None, description="the same between training images and the held-out ones")
    nearest_training: float | None = Field(
        None,
        description="median feature distance from a generated face to its nearest training image, over that of held-out real "
        "faces: far below 1, the generator copies",
    )
    training_images: int | None = Field(None, description="among which the nearest ones were looked for")
    recognised: dict[str, float] = Field(
        default_factory=dict, description="share of the generated faces that each detector calls generated, by NAME/VERSION"
    )


Metrics = Annotated[DetectorMetrics | GeneratorMetrics, Field(discriminator="kind")]


class Provenance(_Strict):
    """Where a model comes from."""

    spec: dict[str, Any] = Field(description="the training spec, whole")
    seed: int
    steps: int
    images_seen: int
    training_seconds: float | None = None
    device: str
    code_version: str
    started_from: str = Field(description="weights that the training began with, and their licence; or 'random'")
    data: str = Field(description="what it learnt from, and on what terms")
    trained_at: datetime


class ModelCard(_Strict):
    """One version of one model.

    Raises:
        pydantic.ValidationError: a field is missing, unknown or out of range, or the parts contradict each other.
    """

    schema_version: Literal[1] = 1
    uuid: UUID
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$", description="unique with the version; also the served model's name")
    label: str = Field(min_length=1, max_length=80, description="what people read")
    version: int = Field(ge=1)
    kind: ModelKind
    architecture: str
    description: str
    face_class: FaceClass | None = Field(None, description="the class of what a generator makes")
    classes: tuple[FaceClass, ...] = ()
    ensemble: bool = False
    base_models: tuple[UUID, ...] = ()
    base_versions: tuple[int, ...] = Field((), description="the version of each base; empty: not known")
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    parameters: int
    metrics: dict[str, Metrics] = Field(default_factory=dict, description="by split")
    provenance: Provenance
    temperature: float = Field(1.0, gt=0, description="calibration: logits are divided by it inside the graph")
    licence: str
    limitations: tuple[str, ...] = ()
    enabled_by_default: bool = Field(True, description="a fresh installation that finds this model puts it into service")
    files: dict[RelativePath, FileDigest]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind == "detector" and self.classes != FACE_CLASSES:
            raise ValueError(f"a detector's classes are {', '.join(FACE_CLASSES)}, in that order")
        if self.kind == "generator" and (self.face_class is None or not self.face_class.is_generated):
            raise ValueError("a generator's face_class is human_gen or anime_gen")
        if self.base_versions and len(self.base_versions) != len(self.base_models):
            raise ValueError("base_versions has a version for each of base_models, or is empty")
        if "model.onnx" not in self.files:
            raise ValueError("files lacks model.onnx, the file that is served")
        return self

    def input(self, name: str) -> TensorSpec:
        """The input tensor of that name.

        Raises:
            KeyError: there is none.
        """
        for tensor in self.inputs:
            if tensor.name == name:
                return tensor
        raise KeyError(f"{self.name} has no input {name!r}")
