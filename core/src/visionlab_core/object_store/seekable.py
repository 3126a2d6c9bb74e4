"""Objects as files that can be read from any place, for readers that jump about: those of archives."""

from __future__ import annotations

import io
import os

from visionlab_core.object_store.contract import ObjectStore


def open_seekable(store: ObjectStore, key: str) -> io.BufferedReader:
    """A binary file that reads the object, in constant memory; where it is a file already, that one.

    From a remote store each megabyte is a request of its own.

    Raises:
        KeyNotFound: there is no such object.
        StoreUnavailable: also from the file's own methods.
    """
    path = store.local_path(key)
    return open(path, "rb") if path is not None else io.BufferedReader(_Ranges(store, key), 1 << 20)


class _Ranges(io.RawIOBase):
    def __init__(self, store: ObjectStore, key: str) -> None:
        self._store = store
        self._key = key
        self._size = store.stat(key).size
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._place = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence])
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        wanted = min(len(buffer), max(0, self._size - self._place))
        filled = 0
        for chunk in self._store.open(self._key, start=self._place, length=wanted):
            buffer[filled : filled + len(chunk)] = chunk
            filled += len(chunk)
        self._place += filled
        return filled
