"""What the caller says of a model; the export adds what it measures itself."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from visionlab_core.face_class import FACE_CLASSES, FaceClass
from visionlab_core.model_card import FileDigest, Metrics, ModelCard, ModelKind, Provenance, TensorSpec


class CardDraft(BaseModel):
    """A model card without the parts that the export finds out: tensors, classes, number of parameters and files.

    The fields mean what they mean in `visionlab_core.model_card.ModelCard`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    uuid: UUID
    name: str
    label: str
    version: int = Field(ge=1)
    kind: ModelKind
    architecture: str
    description: str
    face_class: FaceClass | None = None
    ensemble: bool = False
    base_models: tuple[UUID, ...] = ()
    base_versions: tuple[int, ...] = ()
    metrics: dict[str, Metrics] = Field(default_factory=dict)
    provenance: Provenance
    temperature: float = Field(1.0, gt=0)
    licence: str
    limitations: tuple[str, ...] = ()
    enabled_by_default: bool = True

    def card(
        self,
        *,
        inputs: tuple[TensorSpec, ...],
        outputs: tuple[TensorSpec, ...],
        parameters: int,
        files: dict[str, FileDigest],
        metrics: dict[str, Metrics],
    ) -> ModelCard:
        """The whole card; `metrics` are added to the draft's own.

        Raises:
            pydantic.ValidationError: as ModelCard.
        """
        return ModelCard(
            **self.model_dump(exclude={"metrics", "provenance"}),
            provenance=self.provenance,
            metrics={**self.metrics, **metrics},
            classes=FACE_CLASSES if self.kind == "detector" else (),
            inputs=inputs,
            outputs=outputs,
            parameters=parameters,
            files=files,
        )
