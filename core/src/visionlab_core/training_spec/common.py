"""What all training specs share."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Precision = Literal["float32", "bfloat16"]


class Strict(BaseModel):
    """Refuses unknown fields; values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Training(Strict):
    """Fields of every training."""

    name: str = Field(min_length=1, max_length=63)
    batch_size: int = Field(32, ge=2, le=4096)
    precision: Precision = Field("float32", description="of the layers' arithmetic; weights are float32 always")
    checkpoint_every: int = Field(100, ge=1, description="steps")
    seed: int = Field(0, ge=0)
