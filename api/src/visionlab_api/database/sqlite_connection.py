"""Connections to SQLite that leave no transaction behind.

Where a task is cancelled in the middle of a statement (the renewal of a lease, a request), SQLAlchemy closes the connection.
SQLite then keeps it, transaction and lock included, for as long as anything in memory names the statement: the error's traceback
does, until the garbage collector comes by. For minutes nobody else could write.
"""

from __future__ import annotations

import sqlite3
from asyncio import Future
from contextlib import suppress
from functools import partial
from typing import Any

import aiosqlite


class SqliteConnection(aiosqlite.Connection):
    """Rolls back before it is closed, and after whatever its thread is still doing."""

    async def close(self) -> None:
        """See `aiosqlite.Connection.close`."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                await self.rollback()
        await super().close()

    def stop(self) -> Future[Any] | None:
        """See `aiosqlite.Connection.stop`."""
        if self._connection is not None:
            self._tx.put_nowait((None, self._connection.rollback))
        return super().stop()


def connect(database: str, **options: Any) -> SqliteConnection:
    """See `aiosqlite.connect`."""
    connection = SqliteConnection(partial(sqlite3.connect, database, **options), iter_chunk_size=64)
    connection._thread.daemon = True  # as SQLAlchemy has it
    return connection
