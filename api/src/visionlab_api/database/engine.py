"""Connections to the database, and its migrations."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

log = logging.getLogger(__name__)

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
# A server that is gone without a word is noticed in some seconds, not in the quarter of an hour that TCP gives it. An operator's
# URL may say otherwise: these are parameters of libpq.
_PATIENCE = {
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "application_name": "visionlab",
}
_POOL = {"pool_size": 10, "max_overflow": 10, "pool_timeout": 5.0}
_MIGRATION_LOCK = 7_301_001
"""PostgreSQL's advisory lock under which one replica migrates while the others wait."""


def read_url(text_of_it: str) -> URL:
    """A database's URL with the driver that we use.

    Raises:
        ValueError: it is none, or one of a database that we do not know.
    """
    try:
        url = make_url(text_of_it)
    except ArgumentError:
        # Without the text: it may have a password in it.
        raise ValueError("the database URL cannot be read; it is like postgresql://user:password@host/database") from None
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise ValueError(f"there is no support for {url.drivername} databases; use postgresql://... or sqlite:////path")
    url = url.set(drivername=driver)
    if url.get_backend_name() == "postgresql":
        url = url.set(query={**_PATIENCE, **url.query})
    return url


def open_engine(url: URL) -> AsyncEngine:
    """Connect to a database, by a URL of `read_url`."""
    if url.get_backend_name() == "sqlite":
        # Each imported only where it is asked for: drivers cost memory.
        from visionlab_api.database.sqlite_connection import connect

        engine = create_async_engine(url, **(_POOL if url.database else {}), connect_args={"async_creator_fn": connect})
        event.listen(engine.sync_engine, "connect", _tune_sqlite)
        return engine
    from visionlab_api.database.patience import ImpatientConnection

    return create_async_engine(url, **_POOL, pool_pre_ping=True, connect_args={"async_creator_fn": ImpatientConnection.connect})


async def begin_writing(session: AsyncSession) -> None:
    """Begin a transaction that reads before it writes: on SQLite it waits for its turn now, as later it would be refused.

    On PostgreSQL, rows are locked as they are read (`with_for_update`), which SQLite has no word for and no need of.
    """
    connection = await session.connection()
    if connection.dialect.name == "sqlite":
        await connection.exec_driver_sql("BEGIN IMMEDIATE")


def wait_for_database(url: URL, seconds: float) -> None:
    """Wait until the database answers; blocks. One that starts beside us may take a while.

    Raises:
        OperationalError: it does not, in that time, or it refuses us.
    """
    if url.get_backend_name() == "sqlite":
        return
    engine = create_engine(url)
    deadline, told = time.monotonic() + seconds, False
    try:
        while True:
            try:
                with engine.connect():
                    return
            except OperationalError as error:
                if time.monotonic() >= deadline:
                    raise
                if not told:
                    log.warning("the database does not answer yet: %s", first_line(error))
                told = True
            time.sleep(0.5)
    finally:
        engine.dispose()


def first_line(error: OperationalError) -> str:
    """What the driver says, without the statement and without advice on other problems."""
    return str(error.orig).strip().splitlines()[0] if error.orig else str(error)


def migrate(url: URL) -> None:
    """Bring the database to the newest schema; blocks. Called before anything else uses the database."""
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite:
        url = url.set(drivername="sqlite")
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    try:
        if sqlite:
            event.listen(engine, "connect", _tune_sqlite)
        with engine.begin() as connection:
            if not sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            upgrade(connection)
    finally:
        engine.dispose()


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the database of a connection to a revision of the schema, from an older one or none."""
    config = _migrations()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def knows_revision(revision: str) -> bool:
    """Whether a revision of the schema is this version's or an older one's."""
    try:
        return ScriptDirectory.from_config(_migrations()).get_revision(revision) is not None
    except CommandError:
        return False


def is_missing(url: URL) -> bool:
    """Whether it is the file of an SQLite database that is not there; to connect would make it."""
    return url.get_backend_name() == "sqlite" and not (url.database and Path(url.database).exists())


def _migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _tune_sqlite(connection: Any, record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # What has been acknowledged survives a power cut, not only a killed process.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()
