"""What every object store promises, and the keys it takes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

DEFAULT_CONTENT_TYPE = "application/octet-stream"
CHUNK_BYTES = 1 << 20
MAX_KEY_BYTES = 512
MAX_PART_BYTES = 255
INCOMING = ".incoming"
GROWING = ".growing"
RESERVED_PARTS = (INCOMING, GROWING)
BLOCK_BYTES = 8 << 20
"""A stream goes to S3 in parts of this size, one after the other, and who appends does best in such blocks. S3 takes 10,000 of
them: 84 GB."""


class StoreError(Exception):
    """Whatever an object store raises of its own."""


class KeyNotFound(StoreError, KeyError):
    """No object has this key."""

    def __str__(self) -> str:
        """Give a sentence, where KeyError gives the bare key."""
        return f"no object has the key {self.args[0]!r}"


class InvalidKey(StoreError, ValueError):
    """No object can ever have this key."""


class StoreFull(StoreError, OSError):
    """There is no room for the object. What was written of it is gone again."""


class StoreUnavailable(StoreError):
    """The store cannot be used: the message says what to check."""


class BytesMissing(StoreError):
    """A growing object holds less than it was thought to: `size` bytes are there."""

    def __init__(self, size: int) -> None:
        super().__init__(f"of the growing object only {size} bytes are there")
        self.size = size


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What is known of an object without reading it.

    `size` is in bytes, `modified` in UTC. `etag` is opaque and differs whenever the content does: in a folder the SHA-256 of the
    content in hexadecimal (where the file system has no extended attributes, a digest of inode, size and time), in S3 the store's
    own ETag (the MD5). For an object that came in parts it is something else in both. `content_type` is None in listings, as S3
    leaves it out.
    """

    key: str
    size: int
    etag: str
    modified: datetime
    content_type: str | None


class Readable(Protocol):
    """A binary stream: an open file, an upload."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end."""


class ObjectStore(Protocol):
    """Objects under keys. All methods block: from a coroutine, call them in a thread. A store may be used by many threads.

    Every method that takes a key raises InvalidKey for one that `validate_key` refuses, and any may raise StoreUnavailable.
    """

    def put(self, key: str, data: bytes | Readable, *, content_type: str = DEFAULT_CONTENT_TYPE) -> ObjectInfo:
        """Store an object, in place of an older one of that key. A stream is read to its end, in constant memory.

        Atomic: a reader finds the old object or the new one, whole. Durable: once this returns, the object survives a crash. When
        it raises (also when the stream does), the older object is still there.

        Raises:
            StoreFull: there is no room.
            InvalidKey: also, in a folder, where the key is the beginning of another one's path (`a` beside `a/b`).
            ValueError: `content_type` is not a media type.
        """

    def copy(self, source: str, target: str) -> None:
        """Store an object under another key too, in place of an older one there. Its bytes do not come here.

        Atomic and durable as `put`; neither of the two sees what is done to the other afterwards.

        Raises:
            KeyNotFound: there is no object `source`.
            StoreFull, InvalidKey: as `put`.
        """

    def get(self, key: str) -> bytes:
        """The whole object.

        Raises:
            KeyNotFound: there is none.
        """

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes `[start:start + length]` in chunks, to the end without a length; cut at the end as slices are.

        The stream gives one version of the object, also when it is replaced or deleted meanwhile.

        Raises:
            KeyNotFound: there is none; raised here, not at the first chunk.
            ValueError: `start` or `length` is negative.
        """

    def stat(self, key: str) -> ObjectInfo:
        """What is known of the object.

        Raises:
            KeyNotFound: there is none.
        """

    def exists(self, key: str) -> bool:
        """Whether an object has this key."""

    def delete(self, key: str) -> None:
        """Remove the object; no error where there is none."""

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """The objects whose keys begin with `prefix` (any string: `images/a` finds `images/ab/c`), sorted by key."""

    def local_path(self, key: str) -> Path | None:
        """A file that holds the object, to be mapped or handed to another process, never to be written. None from a remote store.

        Raises:
            KeyNotFound: there is no such object (folder only).
        """

    def append(self, name: UUID, data: bytes, *, at: int) -> None:
        """Add bytes to a growing object, which no reader sees before `finish` gives it a key. With the first ones it begins.

        Durable: once this returns, the bytes survive a crash. What the object held beyond `at` is dropped first: after a crash in
        the middle of an append, whoever keeps count says where to go on. One caller at a time may append to a name. Blocks of
        `BLOCK_BYTES` cost the least.

        Raises:
            BytesMissing: there are fewer than `at` bytes; nothing is changed.
            StoreFull: there is no room; the first `at` bytes are still there.
        """

    def finish(self, name: UUID, key: str, *, size: int) -> None:
        """Make the first `size` bytes of a growing object the object `key`. Called again, it does nothing more.

        The key is no other object's: one of this size that is there already is taken for the work of an earlier call.

        Raises:
            BytesMissing: there are fewer bytes.
            StoreFull: there is no room; the growing object is still there.
        """

    def abandon(self, name: UUID) -> None:
        """Remove a growing object; no error where there is none."""

    def growing(self) -> Iterator[UUID]:
        """The names of all growing objects."""

    def check(self, *, write: bool = True) -> None:
        """Try whether the store can be used.

        Args:
            write: try to write, too, which costs a request or two more where requests are paid for.

        Raises:
            StoreUnavailable: it cannot, or cannot be written to.
            StoreFull: there is no room.
        """


def validate_key(key: str) -> str:
    """The key itself, where it is one: parts joined by slashes, none empty, `.` or `..`.

    Raises:
        InvalidKey: it would leave the store, is absolute, has an empty part, a backslash or a control character, is longer than
            512 bytes (a part: 255) in UTF-8, or lies in the store's own `.incoming` or `.growing`.
    """
    _refuse_characters(key)
    parts = key.split("/")
    if "" in parts:
        raise InvalidKey(f"the key {_shown(key)} is empty, absolute or has an empty part")
    _refuse_parts(key, parts)
    return key


def validate_prefix(prefix: str) -> str:
    """The prefix itself, where keys can begin with it: the rules of `validate_key`, but it may be empty or end in a slash.

    Raises:
        InvalidKey: no key can begin with it.
    """
    if prefix:
        _refuse_characters(prefix)
        parts = prefix.split("/")
        if "" in parts[:-1]:
            raise InvalidKey(f"the prefix {_shown(prefix)} is absolute or has an empty part")
        _refuse_parts(prefix, parts)
    return prefix


def validate_content_type(content_type: str) -> str:
    """The media type itself (RFC 9110, section 8.3), where it is one.

    Raises:
        ValueError: it is not.
    """
    if len(content_type) > 255 or not _MEDIA_TYPE.fullmatch(content_type):
        raise ValueError(f"{content_type[:255]!r} is not a media type")
    return content_type


def validate_range(start: int, length: int | None) -> None:
    """Check the range of `ObjectStore.open`.

    Raises:
        ValueError: a number is negative.
    """
    if start < 0 or (length is not None and length < 0):
        raise ValueError(f"a range begins at 0 or later and has no negative length, not start={start}, length={length}")


_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_MEDIA_TYPE = re.compile(rf'{_NAME}/{_NAME}( *; *{_NAME}=({_NAME}|"[ !#-\[\]-~]*"))*')


def _refuse_characters(key: str) -> None:
    try:
        size = len(key.encode())
    except UnicodeEncodeError as error:
        raise InvalidKey(f"the key {_shown(key)} is not text") from error
    if size > MAX_KEY_BYTES:
        raise InvalidKey(f"the key {_shown(key)} has {size} bytes, {MAX_KEY_BYTES} are allowed")
    if "\\" in key or any(unicodedata.category(character) == "Cc" for character in key):
        raise InvalidKey(f"the key {_shown(key)} has a backslash or a control character")


def _refuse_parts(key: str, parts: list[str]) -> None:
    if "." in parts or ".." in parts:
        raise InvalidKey(f"the key {_shown(key)} has a part that is '.' or '..'")
    if parts[0] in RESERVED_PARTS:
        raise InvalidKey(f"the key {_shown(key)} lies in the store's own {parts[0]}")
    if any(len(part.encode()) > MAX_PART_BYTES for part in parts):
        raise InvalidKey(f"the key {_shown(key)} has a part of more than {MAX_PART_BYTES} bytes")


def _shown(key: str) -> str:
    shown = repr(key)
    return shown if len(shown) <= 100 else f"{shown[:99]}…"
