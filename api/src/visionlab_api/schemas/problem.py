"""Errors."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Problem(BaseModel):
    """RFC 9457 problem details; every error has this form."""

    type: str = Field(examples=["/problems/not-an-image"])
    title: str = Field(examples=["Not an image"])
    status: int = Field(examples=[415])
    detail: str = Field(examples=["'notes.txt' is not a JPEG or PNG image. Choose a .jpg, .jpeg or .png file."])
    instance: str | None = Field(None, description="request id, also in the X-Request-ID header and in the server's log")
    field: str | None = Field(None, description="the input at fault", examples=["count"])
