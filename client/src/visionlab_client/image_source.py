"""What can be sent as an image: a path, the bytes of a file, or an open file."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from visionlab_client.errors import UnreadableImage

ImageSource = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
"""A path (str or path-like), the bytes of an image file, or a file that is open for reading bytes."""

LARGEST_IMAGE = 64 * 2**20
"""Bytes of a file that are read into memory at most. A server takes 20 MiB unless its operator has raised that."""


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image as it is sent."""

    data: bytes
    name: str

    @property
    def content_type(self) -> str:
        """What it seems to be. The server looks for itself, and says so where it is neither."""
        return "image/png" if self.data.startswith(b"\x89PNG") else "image/jpeg"


def read_image(source: ImageSource, largest: int = LARGEST_IMAGE) -> ImageFile:
    """Read an image into memory. An open file is read from where it stands.

    Raises:
        UnreadableImage: it is gone, a folder, not readable, or larger than `largest` bytes.
        TypeError: it is nothing that could be read.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        data, name = bytes(source), "image"
    elif isinstance(source, str | os.PathLike):
        data, name = _read_path(os.fspath(source), largest), Path(source).name
    elif hasattr(source, "read"):
        data, name = _read_file(source, largest)
    else:
        raise TypeError(f"An image is a path, bytes, or a file open for reading bytes, not {type(source).__name__}.")
    if len(data) > largest:
        raise UnreadableImage(f"{name!r} is larger than {largest / 2**20:.3g} MiB. Make the image smaller.")
    # Names of files are bytes on Linux, and need not be text; what is sent must be.
    return ImageFile(data, name.encode("utf-8", "replace").decode())


def _read_path(path: str, largest: int) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            if size > largest:
                raise UnreadableImage(f"The file has {size / 2**20:,.0f} MiB; more than {largest / 2**20:.3g} MiB are not sent.")
            # A pipe or a device has no size, and may never end.
            return _read_bounded(file, largest, chunk=max(size + 1, 2**16))
    except IsADirectoryError as error:
        raise UnreadableImage("This is a folder, not an image file.") from error
    except FileNotFoundError as error:
        raise UnreadableImage("There is no such file (any more).") from error
    except PermissionError as error:
        raise UnreadableImage("The file may not be read: permission denied.") from error
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise UnreadableImage(f"The file cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def _read_file(file: BinaryIO, largest: int) -> tuple[bytes, str]:
    name = getattr(file, "name", None)
    try:
        data = _read_bounded(file, largest)
    except (OSError, ValueError) as error:
        raise UnreadableImage(f"The file cannot be read: {error}.") from error
    return data, Path(name).name if isinstance(name, str) else "image"


def _read_bounded(file: BinaryIO | io.FileIO, largest: int, chunk: int = 2**20) -> bytes:
    """All of a file, or one byte more than `largest` where it is longer."""
    parts = []
    left = largest + 1
    while left > 0:
        part = file.read(min(left, chunk))
        if not part:
            break
        if isinstance(part, str):
            raise TypeError("Open the file for reading bytes: mode 'rb'.")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
