"""The state of the system, and its settings."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field, StrictInt

from visionlab_api.schemas.parts import Body
from visionlab_core.model_card import ModelKind


class ModelState(BaseModel):
    """How a model fares in serving."""

    uuid: UUID
    name: str
    version: int
    kind: ModelKind
    state: Literal["ready", "loading", "failed", "disabled"]
    reason: str | None = Field(None, description="why it failed, in words")


class Status(BaseModel):
    """Is the system well?"""

    time: datetime
    version: str = Field(examples=["0.1.0"])
    ready: bool = Field(description="at least one enabled model answers, and so do the database and the store")
    store: Literal["ready", "unavailable"] = Field(description="where images, models and data sets are kept")
    store_problem: str | None = Field(description="told to admins: what is wrong with the store")
    serving: Literal["embedded", "triton", "kserve"]
    fetches_pictures: bool = Field(description="whether POST /backend/image/fetch is on")
    models: list[ModelState] = Field(description="the enabled ones first; of very many, the first 200: `counts` is of all")
    counts: dict[Literal["ready", "loading", "failed", "disabled"], int] = Field(
        description="how many models there are of each state"
    )


class Settings(BaseModel):
    """System-wide settings."""

    images_per_batch: int = Field(10, ge=0, le=20, description="images that one press of '+' makes")


class SettingsChange(Body):
    """Settings to change; those left out stay."""

    images_per_batch: StrictInt | None = Field(None, ge=0, le=20, examples=[12])
