"""Files out of archives that nobody has to trust.

Nothing is unpacked to a path: a name is only ever shown. Sizes are bounded by what is really read, never by what a header says.
"""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import IO, BinaryIO, cast

from visionlab_api.services.fates import Fate, RefusedFile

MOST_RATIO = 100
"""Times that an archive may be smaller than what is in it. Images are packed already: theirs is hardly more than 1."""

_FREE_OF_RATIO = 100 * 2**20
_MOST_HEADER = 32 * 2**20
_JUNK = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
_ARCHIVES = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ\x00",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\x28\xb5\x2f\xfd",
)
_DAMAGE = (
    zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, struct.error, EOFError, RecursionError,
    NotImplementedError, ValueError, RuntimeError, IndexError, KeyError, UnicodeError,
)  # fmt: skip


class UnusableArchive(Exception):
    """The whole archive is refused; a sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What all archives of a data set may hold together, in files and bytes, and one file of them."""

    files: int
    total_bytes: int
    file_bytes: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an archive.

    `read` gives its content, before the next entry is asked for. It raises RefusedFile where there is none to be had.
    `place` is how far through the archive it lies, from 0 to 1.
    """

    name: str
    size: int
    place: float
    read: Callable[[], bytes]


def entries(file: BinaryIO, filename: str, size: int, limits: Limits) -> Iterator[Entry]:
    """The files of an archive (zip, tar, tar.gz), or the one file that it is; no folders, nor what systems leave there.

    Args:
        file: seekable.
        filename: what a person calls it.
        size: of the file, in bytes.
        limits: of this archive.

    Raises:
        UnusableArchive: it is damaged, or unpacks to more than it may. What came before is good.
        StoreError: what `file` raises.
    """
    head = file.read(512)
    file.seek(0)
    try:
        if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            yield from _zip_entries(file, filename, size, limits)
        elif head[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
                yield from _tar_entries(_Bounded(unpacked, file, filename, limits), filename, size, limits)
        elif head[257:262] == b"ustar" or filename.lower().endswith(".tar"):
            yield from _tar_entries(_Bounded(file, file, filename, limits), filename, size, limits)
        else:
            yield Entry(filename, size, 0.0, lambda: _bounded(file, size, limits))
    except _DAMAGE as error:
        raise UnusableArchive(
            f"{filename} is damaged, or no archive that can be read ({_said(error)}). Pack it again."
        ) from error


def is_archive(data: bytes) -> bool:
    """Whether a file is itself an archive."""
    return data.startswith(_ARCHIVES) or data[257:262] == b"ustar"


def _zip_entries(file: BinaryIO, filename: str, size: int, limits: Limits) -> Iterator[Entry]:
    # The table of contents is read in one go: a bound on that is a bound on the memory.
    with zipfile.ZipFile(cast("BinaryIO", _Bounded(file, file, filename, limits, seeks_freely=True))) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir() and not _is_junk(info.filename)]
        _require_count(len(infos), filename, limits)
        total = sum(info.file_size for info in infos)
        _require_bytes(total, size, filename, limits)
        for number, info in enumerate(infos):
            yield Entry(info.filename, info.file_size, number / len(infos), lambda info=info: _zip_content(archive, info, limits))  # type: ignore[misc]


def _zip_content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limits: Limits) -> bytes:
    require_plain_name(info.filename)
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        raise RefusedFile(Fate.LINK, "It is a link. Put the file itself into the archive.")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise RefusedFile(Fate.SPECIAL, "It is a device or another special file.")
    if info.flag_bits & 0x1:
        raise RefusedFile(Fate.ENCRYPTED, "It is encrypted. Pack the archive without a password.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise RefusedFile(Fate.UNREADABLE, "It is packed in a way that is not read. Pack the archive with plain deflate.")
    try:
        with archive.open(info) as member:
            return _bounded(member, info.file_size, limits)
    except _DAMAGE as error:
        raise RefusedFile(Fate.UNREADABLE, f"It is damaged within the archive ({_said(error)}).") from error


def _tar_entries(file: _Bounded, filename: str, size: int, limits: Limits) -> Iterator[Entry]:
    # Not as a tar stream: that would hold a whole extended header in memory, however long it says it is.
    with closing(tarfile.open(fileobj=cast("BinaryIO", file), mode="r:")) as archive:
        count = 0
        while (member := archive.next()) is not None:
            archive.members = []  # type: ignore[attr-defined]  # it would remember every one
            if member.isdir() or _is_junk(member.name):
                continue
            count += 1
            _require_count(count, filename, limits)
            place = min(1.0, file.packed_place() / max(1, size))
            yield Entry(member.name, member.size, place, lambda member=member: _tar_content(archive, member, filename, limits))  # type: ignore[misc]
        # The library takes a damaged header for the end.
        file.seek(archive.offset)
        if file.read(tarfile.BLOCKSIZE).strip(b"\0"):
            raise tarfile.ReadError(f"after {count} files comes something else")
        while file.read(1 << 20):  # to its end, where a packed file has its checksum
            pass


def _tar_content(archive: tarfile.TarFile, member: tarfile.TarInfo, filename: str, limits: Limits) -> bytes:
    require_plain_name(member.name)
    if member.issym() or member.islnk():
        raise RefusedFile(Fate.LINK, "It is a link. Put the file itself into the archive.")
    if not member.isreg() or member.issparse():
        raise RefusedFile(Fate.SPECIAL, "It is a device or another special file.")
    content = archive.extractfile(member)
    assert content is not None, "a regular file has a content"
    try:
        with content:
            return _bounded(content, member.size, limits)
    except _DAMAGE as error:  # of the archive: a tar file knows no other
        raise _damaged(filename, error) from error


def require_plain_name(name: str) -> None:
    """Check that a name stays within its archive and can be shown.

    Raises:
        RefusedFile: it does not.
    """
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or ".." in parts or name[1:2] == ":" or not name.isprintable() or len(name) > 1024:
        raise RefusedFile(Fate.UNSAFE_NAME, "Its name leads out of the archive, or has characters that names should not have.")


def _bounded(file: BinaryIO | IO[bytes], size: int, limits: Limits) -> bytes:
    if size > limits.file_bytes:
        raise _too_large(limits)
    data = file.read(limits.file_bytes + 1)
    if len(data) > limits.file_bytes:
        raise _too_large(limits)
    return data


def _too_large(limits: Limits) -> RefusedFile:
    return RefusedFile(Fate.TOO_LARGE, f"It is larger than {limits.file_bytes / 2**20:.3g} MiB.")


def _is_junk(name: str) -> bool:
    parts = name.rstrip("/").split("/")
    return any(part in _JUNK for part in parts) or parts[-1].startswith("._")


def _require_count(count: int, filename: str, limits: Limits) -> None:
    if count > limits.files:
        raise UnusableArchive(
            f"{filename} holds more files than are left of the limit ({limits.files}). Split it into several data sets."
        )


def _require_bytes(unpacked: int, packed: int, filename: str, limits: Limits) -> None:
    if unpacked > limits.total_bytes:
        shown = f"{limits.total_bytes / 2**30:.3g} GiB"
        raise UnusableArchive(f"{filename} unpacks to more than is left of the limit ({shown}). Split it into several data sets.")
    if unpacked > _FREE_OF_RATIO and unpacked > MOST_RATIO * packed:
        raise UnusableArchive(
            f"{filename} unpacks to more than {MOST_RATIO} times its size, as no archive of photos does. "
            "Pack the images themselves."
        )


def _damaged(filename: str, error: BaseException) -> UnusableArchive:
    return UnusableArchive(f"{filename} is damaged, or no archive that can be read ({_said(error)}). Pack it again.")


def _said(error: BaseException) -> str:
    said = "".join(character for character in str(error) if character.isprintable())
    return (said or type(error).__name__)[:200].rstrip(".")


class _Bounded(io.RawIOBase):
    """A file that gives up where too much comes out of it: in all, in relation to what went in, or at once."""

    def __init__(
        self, file: BinaryIO | gzip.GzipFile, packed: BinaryIO, filename: str, limits: Limits, *, seeks_freely: bool = False
    ) -> None:
        self._file = file
        self._packed = packed
        self._filename = filename
        self._limits = limits
        self._seeks_freely = seeks_freely or file is packed

    def packed_place(self) -> int:
        """How far the packed file has been read."""
        return self._packed.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0 or size > max(_MOST_HEADER, self._limits.file_bytes + 1):
            if size is not None and size >= 0:
                raise UnusableArchive(
                    f"{self._filename} has a header of {size} bytes, as no archive of photos has. Pack it again."
                )
            size = _MOST_HEADER
        data = self._file.read(size)
        if not self._seeks_freely:
            _require_bytes(self._file.tell(), self._packed.tell(), self._filename, self._limits)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if self._seeks_freely:
            return self._file.seek(offset, whence)
        # Packed data is sought by unpacking: in steps, so that a bomb is seen before it has gone off.
        target = offset + (self._file.tell() if whence == io.SEEK_CUR else 0)
        if whence == io.SEEK_END or target < self._file.tell():
            return self._file.seek(offset, whence)
        while self._file.tell() < target:
            if not self.read(min(1 << 20, target - self._file.tell())):
                break
        return self._file.tell()
