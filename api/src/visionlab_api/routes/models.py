"""The models."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from visionlab_api import schemas
from visionlab_api.dependencies import StateDep
from visionlab_api.reconcile.serving import KnownModel, ServingLoop
from visionlab_core.model_card import ModelKind

router = APIRouter(tags=["models"])


@router.get("/model/{type}", summary="Models of a type")
async def list_models(
    type: ModelKind,
    state: StateDep,
    status: Annotated[Literal["enabled", "disabled"] | None, Query(description="only models with this status")] = None,
) -> list[schemas.Model]:
    """Generators or detectors, with how they fare and what their cards say."""
    return [
        _to_schema(each, state.serving)
        for each in state.serving.models()
        if each.card.kind == type and (status is None or each.enabled == (status == "enabled"))
    ]


def _to_schema(model: KnownModel, serving: ServingLoop) -> schemas.Model:
    card = model.card
    fares, reason = serving.state(model)
    return schemas.Model(
        uuid=card.uuid,
        type=card.kind,
        name=card.name,
        label=card.label,
        version=card.version,
        status="enabled" if model.enabled else "disabled",
        state=fares,
        reason=reason,
        architecture=card.architecture,
        description=card.description,
        face_class=card.face_class,
        ensemble=card.ensemble,
        base_models=list(card.base_models),
        parameters=card.parameters,
        metrics=card.metrics,
        licence=card.licence,
        limitations=list(card.limitations),
    )
