"""Reads a backup through, and checks all of it on the way."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from visionlab_api.backup.archive import ArchiveReader, Member
from visionlab_api.backup.catalogue import Catalogue
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
    is_restorable,
)
from visionlab_api.backup.errors import BackupError, DamagedBackup
from visionlab_api.database.engine import knows_revision
from visionlab_core.object_store import Readable

_CHUNK = 1 << 20
_MOST_HEAD_BYTES = 1 << 20
_MOST_MANIFEST_BYTES = 1 << 30
_MOST_LINE_BYTES = 4096

PartT = TypeVar("PartT", bound=BaseModel)


class Taker(Protocol):
    """What becomes of the objects. None of them counts before the whole backup was read."""

    def take(self, key: str, size: int, source: Readable) -> None:
        """An object; `source` has to be read to its end. A later one of the same key takes the place of an earlier one."""

    def give_up(self, key: str) -> None:
        """This object does not count."""


class Checked:
    """A stream that counts and digests what is read of it."""

    def __init__(self, source: Readable, *, told: Callable[[int], None] = lambda size: None) -> None:
        self.size = 0
        self.digest = sha256()
        self._source = source
        self._told = told

    def read(self, size: int = -1, /) -> bytes:
        """As that of the source."""
        data = self._source.read(size)
        self.size += len(data)
        self.digest.update(data)
        self._told(len(data))
        return data


class BackupReading:
    """A backup that is being read.

    Args:
        source: the file.
        catalogue: an empty one; the tables lie in its folder then, as `<name>.jsonl`.
        told: of the bytes of objects as they are read.
    """

    def __init__(self, source: Readable, catalogue: Catalogue, *, told: Callable[[int], None] = lambda size: None) -> None:
        self._members = iter(ArchiveReader(source))
        self._catalogue = catalogue
        self._told = told
        self._tables: dict[str, TableEntry] = {}

    def head(self) -> Head:
        """The head, to be read first.

        Raises:
            DamagedBackup: the file is no backup.
            BackupError: it is one of a newer version.
        """
        member = self._next()
        if member.name != HEAD:
            raise DamagedBackup("The file is no backup of VisionLab: it does not begin like one.")
        head = _part(Head, member.small(_MOST_HEAD_BYTES), HEAD)
        if not knows_revision(head.revision):
            raise BackupError(
                f"The backup was made by a newer version ({head.version}, schema {head.revision}). Restore it with that one."
            )
        return head

    def rest(self, taker: Taker) -> Manifest:
        """All that follows; on return the whole backup was read and is sound.

        Raises:
            DamagedBackup: it is not.
        """
        member = self._next()
        while member.name.startswith(OBJECTS):
            self._read_object(member, taker)
            member = self._next()
        while member.name.startswith(TABLES):
            self._read_table(member)
            member = self._next()
        if member.name != OBJECT_LIST:
            raise DamagedBackup(f"{member.name[:100]!r} is not what follows in a backup: it was changed, or is none.")
        listed = self._read_list(member, taker)
        manifest = _part(Manifest, self._named(MANIFEST).small(_MOST_MANIFEST_BYTES), MANIFEST)
        if next(self._members, None) is not None:
            raise DamagedBackup("The backup goes on behind its end: was something added to it?")
        told = manifest.objects, manifest.object_bytes, manifest.object_list_sha256
        if told != listed or manifest.tables != self._tables:
            raise DamagedBackup("The backup is damaged: tables or objects are not those that its manifest names.")
        return manifest

    def _read_object(self, member: Member, taker: Taker) -> None:
        key = member.name.removeprefix(OBJECTS)
        if not is_restorable(key):
            raise DamagedBackup(f"The backup holds an object under the key {key[:100]!r}, which VisionLab has none under.")
        source = Checked(member, told=self._told)
        taker.take(key, member.size, source)
        self._catalogue.hold(ObjectEntry(key=key, size=source.size, sha256=source.digest.hexdigest()))

    def _read_table(self, member: Member) -> None:
        name = member.name.removeprefix(TABLES).removesuffix(".jsonl")
        if member.name != f"{TABLES}{name}.jsonl" or not name.isidentifier() or name in self._tables:
            raise DamagedBackup(f"{member.name[:100]!r} in the backup is no table.")
        source, rows = Checked(member), 0
        with table_path(self._catalogue, name).open("wb") as file:
            while data := source.read(_CHUNK):
                rows += data.count(b"\n")
                file.write(data)
        self._tables[name] = TableEntry(rows=rows, size=source.size, sha256=source.digest.hexdigest())

    def _read_list(self, member: Member, taker: Taker) -> tuple[int, int, str]:
        source = Checked(member)
        number = total = 0
        rest = b""
        while data := source.read(_CHUNK):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                entry = _part(ObjectEntry, line, OBJECT_LIST)
                if not self._catalogue.take(entry):
                    raise DamagedBackup(f"The backup is damaged: the object {entry.key[:100]!r} is not there as it is listed.")
                number, total = number + 1, total + entry.size
            if len(rest) > _MOST_LINE_BYTES:
                raise DamagedBackup("The backup is damaged: a line of its list of objects is far too long.")
        # Objects that were removed, or came anew, while the backup was made.
        for key in self._catalogue.held():
            taker.give_up(key)
        return number, total, source.digest.hexdigest()

    def _named(self, name: str) -> Member:
        member = self._next()
        if member.name != name:
            raise DamagedBackup(f"{member.name[:100]!r} is not what follows in a backup: it was changed, or is none.")
        return member

    def _next(self) -> Member:
        member = next(self._members, None)
        if member is None:
            raise DamagedBackup("The backup is not whole: it ends too early. Take another one.")
        return member


class Skipping:
    """A `Taker` that keeps nothing."""

    def take(self, key: str, size: int, source: Readable) -> None:
        """Read it."""
        while source.read(_CHUNK):
            pass

    def give_up(self, key: str) -> None:
        """Nothing was kept."""


def verify(source: Readable, *, folder: Path | None = None) -> tuple[Head, Manifest]:
    """Check a backup, and change nothing. `folder` is for temporary files, as large as the tables.

    Raises:
        BackupError: it is not sound, or of a newer version.
    """
    with Catalogue(folder) as catalogue:
        reading = BackupReading(source, catalogue)
        head = reading.head()
        return head, reading.rest(Skipping())


def table_path(catalogue: Catalogue, name: str) -> Path:
    """Where a table lies that was read."""
    return catalogue.path / f"{name}.jsonl"


def _part(kind: type[PartT], data: bytes, name: str) -> PartT:
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        problem = error.errors()[0]
        raise DamagedBackup(
            f"{name} in the backup cannot be read, it is damaged or of a newer version: "
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
        ) from error
