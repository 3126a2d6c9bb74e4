"""The file that a backup is: a tar archive (POSIX.1-1988 with GNU's long names) in one Zstandard frame with a checksum.

Written and read here block by block: Python's `tarfile` keeps every member that it has seen, and takes extended headers
of any size into memory. Only plain files are written, and only those are read.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import BinaryIO, Protocol

import zstandard

from visionlab_api.backup.errors import DamagedBackup
from visionlab_core.object_store import Readable

_BLOCK = tarfile.BLOCKSIZE
_CHUNK = 1 << 20
_MOST_NAME_BYTES = 1024
_LEVEL = 3
_PACKED_AT_ONCE = 4096
"""Bytes of the frame that are unpacked at once: to 128 MiB at the most, whatever they say."""
_MOST_WINDOW = 1 << 27
"""Bytes that a frame may make its reader keep; ours takes 2 MiB."""


class Sink(Protocol):
    """Where the archive goes: an open file, standard output."""

    def write(self, data: bytes, /) -> int:
        """Take the bytes."""


class ArchiveWriter:
    """Writes members, one after the other, in constant memory. Without `close` the archive has no end, and is none."""

    def __init__(self, sink: Sink) -> None:
        compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        self._frame = compressor.stream_writer(sink, closefd=False)  # type: ignore[arg-type]

    def begin(self, name: str, size: int) -> None:
        """Begin a member of `size` bytes; exactly as many have to be written."""
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, 0o600
        self._frame.write(member.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict"))
        self._padding = -size % _BLOCK

    def write(self, data: bytes) -> None:
        """The next bytes of the member."""
        self._frame.write(data)

    def end(self) -> None:
        """The member is whole."""
        self._frame.write(bytes(self._padding))

    def add(self, name: str, data: bytes) -> None:
        """A small member."""
        self.begin(name, len(data))
        self.write(data)
        self.end()

    def add_file(self, name: str, file: BinaryIO) -> None:
        """What a file holds from its beginning."""
        self.begin(name, file.seek(0, 2))
        file.seek(0)
        while data := file.read(_CHUNK):
            self.write(data)
        self.end()

    def close(self) -> None:
        """Write the end."""
        self._frame.write(bytes(2 * _BLOCK))
        self._frame.close()  # type: ignore[no-untyped-call]


class Member:
    """A file of the archive, to be read once and before the next."""

    def __init__(self, name: str, size: int, frame: Readable) -> None:
        self.name = name
        self.size = size
        self._left = size
        self._frame = frame

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, up to `size`; none at the end.

        Raises:
            DamagedBackup: the archive ends before.
        """
        wanted = self._left if size < 0 else min(size, self._left)
        if not wanted:
            return b""
        data = self._frame.read(wanted)
        if not data:
            raise _too_short()
        self._left -= len(data)
        return data

    def small(self, most: int) -> bytes:
        """All of it.

        Raises:
            DamagedBackup: it is larger than it can be.
        """
        if self.size > most:
            raise DamagedBackup(f"{self.name} in the backup has {self.size} bytes: that is no backup of VisionLab.")
        return b"".join(iter(lambda: self.read(_CHUNK), b""))

    def skip(self) -> None:
        """Go to its end."""
        while self.read(_CHUNK):
            pass


class ArchiveReader:
    """Gives the members in their order. What is damaged is found on the way or at the end, so nothing counts before that.

    Raises:
        DamagedBackup: when it is iterated: it is no such archive, or not whole.
    """

    def __init__(self, source: Readable) -> None:
        self._frame = _Frame(source)

    def __iter__(self) -> Iterator[Member]:
        """Every member."""
        while (header := self._header()) is not None:
            if header.type == tarfile.GNUTYPE_LONGNAME:
                name = self._long_name(header)
                following = self._header()
                if following is None:
                    raise _too_short()
                header = following
                header.name = name
            if header.type != tarfile.REGTYPE:
                raise DamagedBackup(f"{header.name[:100]!r} in the backup is no plain file: that is no backup of VisionLab.")
            member = Member(header.name, header.size, self._frame)
            yield member
            member.skip()
            self._exactly(-member.size % _BLOCK)
        self._exactly(_BLOCK)
        # Reads to the end of the frame, so that its checksum is looked at.
        if self._frame.read(1):
            raise DamagedBackup("The backup goes on behind its end: was something added to it?")

    def _header(self) -> tarfile.TarInfo | None:
        block = self._exactly(_BLOCK)
        if not block.strip(b"\0"):
            return None
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        except (tarfile.HeaderError, UnicodeError, ValueError) as error:
            raise DamagedBackup("The backup is damaged: what should be the head of a file in it is none.") from error
        if header.size < 0:
            raise DamagedBackup("The backup is damaged: a file in it has less than no bytes.")
        return header

    def _long_name(self, header: tarfile.TarInfo) -> str:
        if header.size > _MOST_NAME_BYTES:
            raise DamagedBackup("The backup is damaged: a file in it has a name that is far too long.")
        data = self._exactly(header.size + -header.size % _BLOCK)[: header.size]
        try:
            return data.rstrip(b"\0").decode()
        except UnicodeError as error:
            raise DamagedBackup("The backup is damaged: the name of a file in it is no text.") from error

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self._frame.read(size - len(data))
            if not more:
                raise _too_short()
            data += more
        return data


class _Frame:
    """What a Zstandard frame holds, which is all that the source does.

    The library's own stream takes a frame that was cut off for one that ends.
    """

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._frame = zstandard.ZstdDecompressor(max_window_size=_MOST_WINDOW).decompressobj()
        self._packed = memoryview(b"")
        self._ready = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none where the frame, whose checksum is right, and the source end."""
        while not self._ready and not self._frame.eof:
            if not self._packed:
                self._packed = memoryview(self._source.read(_CHUNK))
                if not self._packed:
                    raise _too_short()
            try:
                self._ready = memoryview(self._frame.decompress(self._packed[:_PACKED_AT_ONCE]))
            except zstandard.ZstdError as error:
                raise DamagedBackup(f"The backup is damaged, or is no backup: {error}.") from error
            self._packed = self._packed[_PACKED_AT_ONCE:]
        if not self._ready and (self._frame.unused_data or self._packed or self._source.read(1)):
            raise DamagedBackup("The backup goes on behind its end: was something added to it?")
        data, self._ready = bytes(self._ready[:size]), self._ready[size:]
        return data


def _too_short() -> DamagedBackup:
    return DamagedBackup("The backup is not whole: it ends too early. Take another one.")
