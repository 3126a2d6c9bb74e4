"""Values of requests that Python or a database would take otherwise than the API means them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

_DATE_AND_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}.*", re.DOTALL)


def _is_text(value: object) -> object:
    # A bare number would count as seconds since 1970.
    if not isinstance(value, str) or not _DATE_AND_TIME.fullmatch(value):
        raise ValueError("Input should be a date and time with its zone, such as 2026-01-31T12:00:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:  # within hours of the first or the last year
        raise ValueError("Input should be a date and time of the years 1 to 9999 in UTC") from None


def _without_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("Input should be text without NUL characters")
    return value


Timestamp = Annotated[AwareDatetime, BeforeValidator(_is_text), AfterValidator(_in_utc)]
"""A moment (RFC 3339, section 5.6), in UTC."""

PlainText = Annotated[str, AfterValidator(_without_nul)]
"""Text that every database can keep: PostgreSQL's has no NUL."""
