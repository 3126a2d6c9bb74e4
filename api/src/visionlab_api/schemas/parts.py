"""What the schemas share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Strict, StrictInt

NDJSON = "application/x-ndjson"
"""Media type of streamed answers: a JSON object a line."""

TUS_MEDIA_TYPE = "application/offset+octet-stream"
TUS_VERSION = "1.0.0"
"""Of the pieces of resumable uploads, and of their protocol."""

MAX_SEED = 2**53 - 1
"""Seeds stay exact in every JSON reader (RFC 8259, section 6)."""

Seed = Annotated[StrictInt, Field(ge=0, le=MAX_SEED)]
StrictNumber = Annotated[float, Strict()]
"""Of requests: true and "1" are no numbers, whatever Python makes of them."""

MODEL_ID = "6a1f0c52-6d0e-4a58-9d5e-0d6f2f0d2b11"
IMAGE_ID = "0192f3a4-5b6c-7d8e-9f00-112233445566"
"""Of the examples."""


class Body(BaseModel):
    """What a request carries: a field that we do not know is refused."""

    model_config = ConfigDict(extra="forbid")
