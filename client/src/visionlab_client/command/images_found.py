"""Which images the command line means: files, folders, lists; found while they are asked about, never all in memory."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

_SUFFIXES = (".jpg", ".jpeg", ".png")
_STDIN = "-"


def find_images(named: Sequence[str], listed: str | None, *, null: bool, unreadable: Callable[[OSError], None]) -> Iterator[str]:
    """The path of each image.

    Files are passed on as they are named, be they there or not. Folders give the .jpg, .jpeg and .png files in them and in the
    folders below, sorted in each folder; links to folders are not followed.

    Args:
        named: files, folders, or - for a list on stdin.
        listed: a file of paths, one a line; - = stdin. Folders may be among them.
        null: paths in lists end with a zero byte instead of a line's end.
        unreadable: is called with the error of each folder or list that cannot be read.
    """
    for name in named:
        if name == _STDIN:
            yield from _in_list(_STDIN, null, unreadable)
        else:
            yield from _in_path(name, unreadable)
    if listed is not None:
        yield from _in_list(listed, null, unreadable)


def _in_list(name: str, null: bool, unreadable: Callable[[OSError], None]) -> Iterator[str]:
    try:
        with sys.stdin.buffer if name == _STDIN else open(name, "rb") as file:
            for entry in _split(file, b"\0") if null else file:
                # Names are bytes on Linux: decoded as Python does it for its arguments, nothing is lost.
                path = os.fsdecode(entry if null else entry.rstrip(b"\r\n"))
                if path:
                    yield from _in_path(path, unreadable)
    except OSError as error:
        unreadable(error)


def _in_path(path: str, unreadable: Callable[[OSError], None]) -> Iterator[str]:
    if not os.path.isdir(path):
        yield path
        return
    for folder, folders, files in os.walk(path, onerror=unreadable):
        folders.sort()
        for name in sorted(files):
            if name.lower().endswith(_SUFFIXES):
                yield os.path.join(folder, name)


def _split(file: BinaryIO, end: bytes) -> Iterator[bytes]:
    rest = b""
    while part := file.read1(2**16) if hasattr(file, "read1") else file.read(2**16):
        *whole, rest = (rest + part).split(end)
        yield from whole
    if rest:
        yield rest
