"""Which objects are wanted and which are there, of any number, on disk."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from visionlab_api.backup.contents import ObjectEntry

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object that a row refers to (`required`), or that lies with those. `sha256` is its content's, where it is known."""

    key: str
    sha256: str | None = None
    required: bool = True


class Catalogue:
    """A file that is gone after the block, in `folder`; None: where temporary files go."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="visionlab-backup-", dir=folder)
        self._database = sqlite3.connect(Path(self._folder.name) / "objects.db", isolation_level=None)
        self._database.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
            "CREATE TABLE wanted (place INTEGER PRIMARY KEY, key TEXT UNIQUE, sha256 TEXT, required INTEGER);"
            "CREATE TABLE held (key TEXT PRIMARY KEY, size INTEGER, sha256 TEXT) WITHOUT ROWID;"
        )
        self.path = Path(self._folder.name)
        """A folder for other files that are gone then."""

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Remove the file."""
        self._database.close()
        self._folder.cleanup()

    def want_nothing(self) -> None:
        """Begin anew; what is held stays."""
        self._database.execute("DELETE FROM wanted")

    def want(self, objects: Iterable[Wanted]) -> None:
        """Objects are wanted; what was said of one before counts."""
        rows = ((each.key, each.sha256, each.required) for each in objects)
        self._database.executemany("INSERT OR IGNORE INTO wanted (key, sha256, required) VALUES (?, ?, ?)", rows)

    def wanted(self) -> Iterator[Wanted]:
        """What is wanted and not held, in the order in which it was named."""
        last = 0
        query = (
            "SELECT place, key, sha256, required FROM wanted WHERE place > ? "
            "AND NOT EXISTS (SELECT 1 FROM held WHERE held.key = wanted.key) ORDER BY place LIMIT ?"
        )
        while rows := self._database.execute(query, (last, _AT_ONCE)).fetchall():
            for _, key, sha256, required in rows:
                yield Wanted(key, sha256, bool(required))
            last = rows[-1][0]

    def number_wanted(self) -> int:
        """How many objects are wanted."""
        return int(self._database.execute("SELECT count(*) FROM wanted").fetchone()[0])

    def hold(self, entry: ObjectEntry) -> None:
        """The object is there now."""
        self._database.execute("INSERT OR REPLACE INTO held VALUES (?, ?, ?)", (entry.key, entry.size, entry.sha256))

    def drop(self, key: str) -> None:
        """The object is not there, or not any more."""
        self._database.execute("DELETE FROM held WHERE key = ?", (key,))

    def take(self, entry: ObjectEntry) -> bool:
        """Strike an object off, where it is held and is exactly this one."""
        query = "DELETE FROM held WHERE key = ? AND size = ? AND sha256 = ?"
        return self._database.execute(query, (entry.key, entry.size, entry.sha256)).rowcount == 1

    def held(self) -> Iterator[str]:
        """The keys of all that is held."""
        for (key,) in self._database.execute("SELECT key FROM held"):
            yield key

    def held_and_wanted(self) -> Iterator[ObjectEntry]:
        """What is both, sorted by key."""
        query = "SELECT key, size, sha256 FROM held WHERE EXISTS (SELECT 1 FROM wanted WHERE wanted.key = held.key) ORDER BY key"
        for key, size, sha256 in self._database.execute(query):
            yield ObjectEntry(key=key, size=size, sha256=sha256)
