"""What is in a backup, in this order.

    backup.json          the head: format, versions, the revision of the schema
    objects/<key>        the objects, as they were read; one that comes twice counts as it came last
    tables/<name>.jsonl  a table; each line is a row as a JSON object, by the names of the columns
    objects.jsonl        which of the objects count: key, size, SHA-256
    manifest.json        the digests of the tables and of the list of objects; the last file

Rows come after the objects, as they are read last: so the objects that they refer to are there. Values in rows are those of JSON;
moments are ISO 8601 in UTC, and UUIDs 32 hexadecimal digits.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from visionlab_core.object_store import InvalidKey, validate_key

HEAD, MANIFEST, OBJECT_LIST = "backup.json", "manifest.json", "objects.jsonl"
OBJECTS, TABLES = "objects/", "tables/"
PREFIXES = ("images/", "models/", "uploads/", "datasets/", "trainings/")
"""What is backed up of the store. Releases are not: they are made anew of the models."""

_SHA256 = r"^[0-9a-f]{64}$"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Head(_Part):
    """The first file."""

    format: Literal[1] = 1
    version: str
    revision: str
    made_at: datetime


class TableEntry(_Part):
    """A table."""

    rows: int = Field(ge=0)
    size: int = Field(ge=0)
    sha256: str = Field(pattern=_SHA256)


class ObjectEntry(_Part):
    """A line of the list of objects. Sizes are in bytes."""

    key: str
    size: int = Field(ge=0)
    sha256: str = Field(pattern=_SHA256)


class Manifest(_Part):
    """The last file. `missing` are objects that rows refer to and that the store did not have; rows are as of `rows_at`."""

    rows_at: datetime
    tables: dict[str, TableEntry]
    objects: int = Field(ge=0)
    object_bytes: int = Field(ge=0)
    object_list_sha256: str = Field(pattern=_SHA256)
    missing: list[str] = []


def is_restorable(key: str) -> bool:
    """Whether an object of a backup may have this key."""
    try:
        return validate_key(key).startswith(PREFIXES)
    except InvalidKey:
        return False
