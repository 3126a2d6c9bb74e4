"""Databases for tests: SQLite in a folder, or a database of a real PostgreSQL.

The environment variable TEST_DATABASE says which one tests use that do not name one: sqlite (as usual) or postgresql.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from sqlalchemy import URL
from support.postgres import shared_postgres

KINDS = ("sqlite", "postgresql")
USUAL = os.environ.get("TEST_DATABASE", "sqlite")
assert USUAL in KINDS, f"TEST_DATABASE is one of {', '.join(KINDS)}"


def database_url(folder: Path, kind: str = USUAL) -> URL:
    """The database that belongs to a data folder: the same each time."""
    if kind == "sqlite":
        return URL.create("sqlite+aiosqlite", database=str(folder.absolute() / "visionlab.db"))
    return shared_postgres().url("of_" + hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:20])
