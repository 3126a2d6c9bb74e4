"""Makes a backup while the server works.

Objects take long and are never changed, but for those of trainings; rows change, and are read quickly. So the rows of one moment
are read, then the objects that they refer to. Where one of these was removed meanwhile, the rows of a later moment are read, and
the objects that have come since. In the end the backup holds one moment whole: the last. Nobody has to wait for it, and no
transaction is open for long.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO
from uuid import UUID, uuid4

from sqlalchemy import URL, text

from visionlab_api.backup.archive import ArchiveWriter, Sink
from visionlab_api.backup.catalogue import Catalogue, Wanted
from visionlab_api.backup.contents import (
    HEAD,
    MANIFEST,
    OBJECT_LIST,
    OBJECTS,
    TABLES,
    Head,
    Manifest,
    ObjectEntry,
    TableEntry,
)
from visionlab_api.backup.errors import BackupError, ObjectsMissing
from visionlab_api.backup.fetching import Fetched, fetch
from visionlab_api.backup.progress import Progress
from visionlab_api.backup.references import References
from visionlab_api.backup.rows import read_rows, revision_of, snapshot, tables_of, to_line
from visionlab_core.object_store import ObjectStore
from visionlab_core.store_layout import training_key
from visionlab_core.training_job import CHECKPOINTS, OUTCOME_FILE

_MOST_ROUNDS = 10
_WANTED_AT_ONCE = 1000
_CHUNK = 1 << 20
_CHECKPOINT = CHECKPOINTS + "checkpoint.npz"


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that has its name only once it is whole and durable, for its owner's eyes alone.

    Raises:
        BackupError: there is such a file already, or it cannot be written.
    """
    if path.exists():
        raise BackupError(f"{path} is there already. Name a new file, or remove that one first.")
    unfinished = path.with_name(f".{path.name}.{uuid4().hex}.unfinished")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror}.") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror or error}. Nothing is left of it.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def make_backup(
    url: URL, store: ObjectStore, sink: Sink, *, folder: Path | None, allow_missing: bool, progress: Progress
) -> Manifest:
    """Write a backup of a database and its store.

    Args:
        url: of the database.
        store: the store.
        sink: where the backup goes.
        folder: for temporary files; as large as the tables. None: where such go.
        allow_missing: go without objects that are missing, and say in the backup which these are.
        progress: is told.

    Raises:
        BackupError: there is nothing to back up.
        ObjectsMissing: rows refer to objects that are not there; not with `allow_missing`.
        SQLAlchemyError, StoreError, OSError: the database, the store or the sink cannot be used.
    """
    with Catalogue(folder) as catalogue:
        return _Backup(url, store, sink, catalogue, progress).make(allow_missing=allow_missing)


class _Backup:
    def __init__(self, url: URL, store: ObjectStore, sink: Sink, catalogue: Catalogue, progress: Progress) -> None:
        self._url = url
        self._store = store
        self._archive = ArchiveWriter(sink)
        self._catalogue = catalogue
        self._progress = progress
        self._head: Head | None = None
        self._tables: dict[str, tuple[TableEntry, Path]] = {}
        self._trainings: dict[UUID, list[Wanted]] = {}

    def make(self, *, allow_missing: bool) -> Manifest:
        before: set[str] = set()
        for _ in range(_MOST_ROUNDS):
            rows_at, references = datetime.now(UTC), References()
            asyncio.run(self._read_rows(references))
            self._want_what_lies_there(references)
            missing = self._copy()
            self._copy_trainings(references)
            # What was missing before, while other rows said the same of it, was not just removed.
            lost = missing & before
            if lost and not allow_missing:
                raise ObjectsMissing(sorted(lost))
            if missing == lost and asyncio.run(self._still_going_on(references)):
                return self._finish(rows_at, sorted(lost))
            before = missing
        raise BackupError("Objects are removed faster than they can be copied. Try again when less is removed.")

    async def _read_rows(self, references: References) -> None:
        self._catalogue.want_nothing()
        async with snapshot(self._url) as connection:
            self._write_head(await revision_of(connection))
            for table in await tables_of(connection):
                digest, size, rows, wanted = sha256(), 0, 0, list[Wanted]()
                path = self._catalogue.path / f"{table.name}.jsonl"
                with path.open("wb") as file:
                    async for row in read_rows(connection, table):
                        line = to_line(row)
                        file.write(line)
                        digest.update(line)
                        size, rows = size + len(line), rows + 1
                        wanted += references.of(table.name, row)
                        if len(wanted) >= _WANTED_AT_ONCE:
                            self._catalogue.want(wanted)
                            wanted.clear()
                self._catalogue.want(wanted)
                self._tables[table.name] = TableEntry(rows=rows, size=size, sha256=digest.hexdigest()), path

    def _write_head(self, revision: str) -> None:
        if self._head is None:
            self._head = Head(version=version("visionlab-api"), revision=revision, made_at=datetime.now(UTC))
            self._archive.add(HEAD, self._head.model_dump_json().encode())
        elif self._head.revision != revision:
            raise BackupError("The database was brought to another version while it was backed up. Try again.")

    def _want_what_lies_there(self, references: References) -> None:
        for prefix in references.prefixes:
            self._catalogue.want(Wanted(info.key, required=False) for info in self._store.list(prefix))

    def _copy(self) -> set[str]:
        """Copy what is not there yet; gives what is required and cannot be had."""
        missing = set()
        self._progress.aim(self._catalogue.number_wanted())
        for fetched in fetch(self._store, self._catalogue.wanted()):
            entry = self._written(fetched)
            key = fetched.wanted.key
            if entry is not None and fetched.wanted.sha256 in (None, entry.sha256):
                self._catalogue.hold(entry)
                continue
            self._catalogue.drop(key)
            if fetched.wanted.required or entry is not None:
                missing.add(key)
        return missing

    def _copy_trainings(self, references: References) -> None:
        """Copy the files of trainings, again where they may have changed.

        One after the other, and the list of them late: an outcome is written when the rest is there, and what goes with a
        checkpoint may be newer than it but not older (see `visionlab_training.job.mirror`).
        """
        for uuid in references.trainings:
            if uuid in self._trainings and uuid not in references.going_on:
                self._catalogue.want(self._trainings[uuid])
                continue
            first = [training_key(uuid, OUTCOME_FILE), training_key(uuid, _CHECKPOINT)]
            wanted = [Wanted(key, required=False) for key in self._each_once(first, uuid)]
            self._catalogue.want(wanted)
            if uuid not in references.going_on:
                self._trainings[uuid] = wanted

    def _each_once(self, first: list[str], uuid: UUID) -> Iterator[str]:
        for key in first:
            yield from self._copied(key)
        for info in self._store.list(training_key(uuid, OUTCOME_FILE).removesuffix(OUTCOME_FILE)):
            if info.key not in first:
                yield from self._copied(info.key)

    def _copied(self, key: str) -> Iterator[str]:
        for fetched in fetch(self._store, [Wanted(key, required=False)]):
            entry = self._written(fetched)
            if entry is None:
                self._catalogue.drop(key)
            else:
                self._catalogue.hold(entry)
                yield key

    def _written(self, fetched: Fetched) -> ObjectEntry | None:
        if fetched.chunks is None:
            return None
        digest, size = sha256(), 0
        self._archive.begin(OBJECTS + fetched.wanted.key, fetched.size)
        for chunk in fetched.chunks:
            if size + len(chunk) > fetched.size:
                break
            self._archive.write(chunk)
            digest.update(chunk)
            size += len(chunk)
            self._progress.pass_on(len(chunk))
        else:
            if size == fetched.size:
                self._archive.end()
                self._progress.count()
                return ObjectEntry(key=fetched.wanted.key, size=size, sha256=digest.hexdigest())
        # It was replaced while it was begun: what stands there now counts for nothing.
        while size < fetched.size:
            filling = bytes(min(_CHUNK, fetched.size - size))
            self._archive.write(filling)
            size += len(filling)
        self._archive.end()
        return None

    async def _still_going_on(self, references: References) -> bool:
        """Whether no training has come to its end, which takes files away, since its row was read."""
        if not references.going_on:
            return True
        async with snapshot(self._url) as connection:
            rows = await connection.execute(text("SELECT uuid FROM trainings WHERE status <> 'done' AND wish <> 'removed'"))
            return references.going_on <= {UUID(str(uuid)) for (uuid,) in rows}

    def _finish(self, rows_at: datetime, missing: list[str]) -> Manifest:
        for name, (_, path) in self._tables.items():
            with path.open("rb") as file:
                self._archive.add_file(f"{TABLES}{name}.jsonl", file)
        digest, number, total = sha256(), 0, 0
        with TemporaryFile(dir=self._catalogue.path) as file:
            for entry in self._catalogue.held_and_wanted():
                line = json.dumps(entry.model_dump(), separators=(",", ":")).encode() + b"\n"
                file.write(line)
                digest.update(line)
                number, total = number + 1, total + entry.size
            self._archive.add_file(OBJECT_LIST, file)
        manifest = Manifest(
            rows_at=rows_at,
            tables={name: entry for name, (entry, _) in self._tables.items()},
            objects=number,
            object_bytes=total,
            object_list_sha256=digest.hexdigest(),
            missing=missing,
        )
        self._archive.add(MANIFEST, manifest.model_dump_json().encode())
        self._archive.close()
        return manifest
