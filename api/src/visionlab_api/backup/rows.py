"""Rows as JSON, the same from every database, and back. Tables are taken as they are in the database, of whatever revision."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import IO, Any
from uuid import UUID

from sqlalchemy import JSON, URL, Column, Connection, DateTime, MetaData, Table, Uuid, delete, func, insert, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from visionlab_api.backup.errors import BackupError, DamagedBackup
from visionlab_api.database.engine import is_missing, open_engine

_NOT_KEPT = ("alembic_version", "sessions", "leaders")
"""The revision stands in the head; browsers sign in anew; who leads is found out anew."""
_AT_ONCE = 500
_MOST_LINE_BYTES = 64 << 20


@asynccontextmanager
async def snapshot(url: URL) -> AsyncIterator[AsyncConnection]:
    """A connection that sees one moment of the database, and changes nothing.

    Raises:
        BackupError: there is no database of VisionLab.
    """
    if is_missing(url):
        raise BackupError(f"There is no database at {url.database}: nothing to back up. Is --data-folder right?")
    engine = open_engine(url)
    try:
        async with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            else:
                # Python's driver would begin a transaction at the first write only.
                await connection.exec_driver_sql("BEGIN")
            yield connection
    finally:
        await engine.dispose()


async def revision_of(connection: AsyncConnection) -> str:
    """The revision of the schema.

    Raises:
        BackupError: it is no database of VisionLab.
    """
    if not await connection.run_sync(lambda sync: inspect(sync).has_table("alembic_version")):
        raise BackupError("The database holds nothing of VisionLab: nothing to back up. Is --database-url right?")
    return str(await connection.scalar(text("SELECT version_num FROM alembic_version")))


async def tables_of(connection: AsyncConnection) -> list[Table]:
    """The tables that are kept, each after those that it refers to."""
    metadata = MetaData()
    await connection.run_sync(metadata.reflect)
    for table in metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, JSON):
                # Where a column may be NULL, nothing is NULL and not JSON's null.
                column.type = JSON(none_as_null=bool(column.nullable))
    return [table for table in metadata.sorted_tables if table.name not in _NOT_KEPT]


async def read_rows(connection: AsyncConnection, table: Table) -> AsyncIterator[dict[str, Any]]:
    """The rows of a table by id, with values of JSON, in the state in which they are kept."""
    query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_AT_ONCE)
    async with connection.stream(query) as rows:
        async for row in rows.mappings():
            yield at_rest(table.name, {name: _to_json(value) for name, value in row.items()})


def at_rest(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """The row as it is where nobody works on it: without a lease, and of uploads under way the bytes are still to come."""
    if "holder" in row:
        row |= {"holder": None, "renewed_at": None}
    if table == "trainings" and "place" in row:
        row["place"] = None  # it goes on wherever this is restored
    if table == "uploads" and row["status"] == "receiving":
        row["received"] = 0
    return row


async def load_rows(connection: AsyncConnection, table: Table, file: IO[bytes]) -> None:
    """Put the lines of a file into a table.

    Raises:
        DamagedBackup: they are no rows of it.
    """
    batch: list[dict[str, Any]] = []
    for row in _lines(table, file):
        batch.append(row)
        if len(batch) >= _AT_ONCE:
            await _insert(connection, table, batch)
            batch = []
    if batch:
        await _insert(connection, table, batch)


async def clear(connection: AsyncConnection, tables: list[Table]) -> None:
    """Remove the rows that migrations have put in."""
    for table in reversed(tables):
        await connection.execute(delete(table))


async def set_sequences(connection: AsyncConnection, tables: list[Table]) -> None:
    """Let PostgreSQL number new rows behind those that are there; SQLite does so anyway."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        if "id" in table.columns:
            sequence = func.pg_get_serial_sequence(table.name, "id")
            last = func.max(table.c.id)
            await connection.execute(select(func.setval(sequence, func.coalesce(last, 1), last.is_not(None))))


def has_tables(connection: Connection) -> bool:
    """Whether the database holds anything."""
    return bool(inspect(connection).get_table_names())


def to_line(row: Mapping[str, Any]) -> bytes:
    """A row as a line of a file."""
    return json.dumps(row, separators=(",", ":")).encode() + b"\n"


async def _insert(connection: AsyncConnection, table: Table, rows: list[dict[str, Any]]) -> None:
    try:
        await connection.execute(insert(table), rows)
    except SQLAlchemyError as error:
        raise DamagedBackup(
            f"Rows of {table.name} in the backup do not fit the database: {str(error).splitlines()[0]}"
        ) from error


def _lines(table: Table, file: IO[bytes]) -> Iterator[dict[str, Any]]:
    readers = {column.name: _reader(column) for column in table.columns}
    while line := file.readline(_MOST_LINE_BYTES):
        try:
            row = json.loads(line)
            if row.keys() != readers.keys():
                raise ValueError(f"its columns are {', '.join(row)}")
            yield {name: None if value is None else readers[name](value) for name, value in row.items()}
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise DamagedBackup(f"A row of {table.name} in the backup cannot be read: {error}") from error


def _reader(column: Column[Any]) -> Callable[[Any], Any]:
    match column.type:
        case DateTime():
            return lambda value: datetime.fromisoformat(value).astimezone(UTC)
        case Uuid():
            return UUID
        case _:
            return lambda value: value


def _to_json(value: Any) -> Any:
    match value:
        case datetime():
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
        case UUID():
            return value.hex
        case _:
            return value
