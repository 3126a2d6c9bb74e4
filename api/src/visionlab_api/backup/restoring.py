"""Restores a backup into an empty place.

The objects are put into the store as they are read; the rows, last, become visible in one step. Until then nobody knows of the
objects, and a mark in the store says that they may be cleared away: no server starts on it, and another restore begins with that.
After a fault they are cleared away at once.
"""

from __future__ import annotations

import asyncio
import mimetypes
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import create_async_engine

from visionlab_api.backup.catalogue import Catalogue
from visionlab_api.backup.contents import Head, Manifest
from visionlab_api.backup.errors import BackupError, DamagedBackup, TargetNotEmpty
from visionlab_api.backup.progress import Progress
from visionlab_api.backup.reading import BackupReading, table_path
from visionlab_api.backup.rows import clear, has_tables, load_rows, set_sequences, tables_of
from visionlab_api.database.engine import is_missing, upgrade
from visionlab_core.object_store import DEFAULT_CONTENT_TYPE, ObjectStore, Readable

MARK = "restore/unfinished"
_SQLITE_FILES = ("", "-wal", "-shm", "-journal")
_SMALL_BYTES = 4 << 20
_THREADS = 8
_AHEAD = 16


def restore_backup(url: URL, store: ObjectStore, source: Readable, *, folder: Path | None, progress: Progress) -> Manifest:
    """Restore a backup.

    Args:
        url: of the database, which has no table yet; of SQLite, the file is made.
        store: an empty store.
        source: the backup.
        folder: for temporary files; as large as the tables. None: where such go.
        progress: is told.

    Raises:
        TargetNotEmpty: database or store are not empty; nothing was changed.
        BackupError: the backup is not sound, or of a newer version; nothing is left of it.
        SQLAlchemyError, StoreError, OSError: database, store or source cannot be used; the same.
    """
    if asyncio.run(holds_tables(url)):
        raise TargetNotEmpty(
            f"The database {url.render_as_string(hide_password=True)} is not empty. Name one that is, by VISIONLAB_DATABASE_URL "
            "or another VISIONLAB_DATA_FOLDER, or empty it; and stop the server that uses it."
        )
    if not is_unfinished(store) and not _is_empty(store):
        raise TargetNotEmpty(
            "The store is not empty. Name one that is, by VISIONLAB_STORE_URL or another VISIONLAB_DATA_FOLDER, or empty it."
        )
    mark = uuid4().hex.encode()
    store.put(MARK, mark, content_type="text/plain")
    _empty(store, but=MARK)
    try:
        with Catalogue(folder) as catalogue:
            reading = BackupReading(source, catalogue, told=progress.pass_on)
            head = reading.head()
            with _Putting(store, progress) as putting:
                manifest = reading.rest(putting)
            if store.get(MARK) != mark:
                raise BackupError("Another restore to the same store was begun meanwhile: let one finish, then try again.")
            _restore_rows(url, catalogue, head, manifest)
    except BaseException:
        _empty(store, but=MARK)
        store.delete(MARK)
        raise
    store.delete(MARK)
    return manifest


async def holds_tables(url: URL) -> bool:
    """Whether a database holds anything; of SQLite, whether there is a file that does, or what is left of one."""
    if is_missing(url):
        return any(path.exists() for path in _files(url))
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(has_tables)
    finally:
        await engine.dispose()


def is_unfinished(store: ObjectStore) -> bool:
    """Whether a restore to this store was broken off."""
    return store.exists(MARK)


class _Putting:
    """Puts objects into the store, small ones several at a time; all are there after the block."""

    def __init__(self, store: ObjectStore, progress: Progress) -> None:
        self._store = store
        self._progress = progress
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="put")
        self._ahead: deque[Future[object]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if error is None:
                self._wait()
        finally:
            self._pool.shutdown(cancel_futures=True)

    def take(self, key: str, size: int, source: Readable) -> None:
        content_type = mimetypes.guess_type(key)[0] or DEFAULT_CONTENT_TYPE
        if size > _SMALL_BYTES:
            self._wait()
            self._store.put(key, source, content_type=content_type)
        else:
            data = b"".join(iter(lambda: source.read(_SMALL_BYTES), b""))
            # Of one key the last counts; only the files of trainings come twice.
            if key.startswith("trainings/"):
                self._wait()
            self._ahead.append(self._pool.submit(self._store.put, key, data, content_type=content_type))
            if len(self._ahead) >= _AHEAD:
                self._ahead.popleft().result()
        self._progress.count()

    def give_up(self, key: str) -> None:
        self._wait()
        self._store.delete(key)

    def _wait(self) -> None:
        while self._ahead:
            self._ahead.popleft().result()


def _restore_rows(url: URL, catalogue: Catalogue, head: Head, manifest: Manifest) -> None:
    if url.get_backend_name() != "sqlite":
        asyncio.run(_load(url, catalogue, head, manifest))
        return
    assert url.database is not None
    target = Path(url.database)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = url.set(database=f"{url.database}.restoring")
    _remove(unfinished)
    try:
        asyncio.run(_load(unfinished, catalogue, head, manifest))
        _make_durable(Path(str(unfinished.database)))
        Path(str(unfinished.database)).rename(target)
    finally:
        _remove(unfinished)
    _make_durable(target.parent)


async def _load(url: URL, catalogue: Catalogue, head: Head, manifest: Manifest) -> None:
    """Make the tables as they were, fill them, and bring them to this version: in one transaction."""
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            if await connection.run_sync(has_tables):
                raise TargetNotEmpty("The database is not empty any more: did a server start meanwhile? Stop it, and empty it.")
            await connection.run_sync(upgrade, head.revision)
            tables = await tables_of(connection)
            if {table.name for table in tables} != manifest.tables.keys():
                raise DamagedBackup(f"The backup's tables are not those of its schema {head.revision}.")
            await clear(connection, tables)
            for table in tables:
                with table_path(catalogue, table.name).open("rb") as file:
                    await load_rows(connection, table, file)
            await set_sequences(connection, tables)
            await connection.run_sync(upgrade)
    finally:
        await engine.dispose()


def _is_empty(store: ObjectStore) -> bool:
    return next(store.list(), None) is None and next(iter(store.growing()), None) is None


def _empty(store: ObjectStore, *, but: str) -> None:
    for info in store.list():
        if info.key != but:
            store.delete(info.key)


def _files(url: URL) -> list[Path]:
    return [Path(f"{url.database}{ending}") for ending in _SQLITE_FILES]


def _remove(url: URL) -> None:
    for path in _files(url):
        path.unlink(missing_ok=True)


def _make_durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
