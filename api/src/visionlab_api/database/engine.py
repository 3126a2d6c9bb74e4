"""Connections to the database, and its migrations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


def open_engine(url: URL) -> AsyncEngine:
    """Connect to a database (SQLAlchemy URL with an async driver)."""
    engine = create_async_engine(url, pool_pre_ping=url.get_backend_name() != "sqlite")
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _tune_sqlite)
    return engine


def migrate(url: URL) -> None:
    """Bring the database to the newest schema; blocks. Called before anything else uses the database."""
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite:
        url = url.set(drivername="sqlite")
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    engine = create_engine(url)
    try:
        if sqlite:
            event.listen(engine, "connect", _tune_sqlite)
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def _tune_sqlite(connection: Any, record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # What has been acknowledged survives a power cut, not only a killed process.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()
