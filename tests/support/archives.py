"""Archives, good and hostile, made in code."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping

import cv2
import numpy as np
from support.drawn_faces import portrait
from support.image_files import encoded


def face(seed: int, side: int = 64) -> bytes:
    """A JPEG file of a drawn face; different seeds do not look alike."""
    return encoded(portrait(seed, side), "JPEG", quality=92)


def resaved(seed: int, side: int = 64) -> bytes:
    """The same face at another size and quality."""
    larger = cv2.resize(portrait(seed, side), None, fx=1.25, fy=1.25, interpolation=cv2.INTER_CUBIC)
    return encoded(np.asarray(larger, np.uint8), "JPEG", quality=80)


def zip_of(files: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A ZIP file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def zip_of_infos(entries: Mapping[str, tuple[bytes, int]]) -> bytes:
    """A ZIP file of names, contents and Unix modes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, (data, mode) in entries.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, data)
    return buffer.getvalue()


def tar_of(files: Mapping[str, bytes], mode: str = "w", *others: tarfile.TarInfo) -> bytes:
    """A tar file; `mode` `w:gz` packs it; `others` are members without content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in others:
            archive.addfile(info)
    return buffer.getvalue()


def encrypted(archive: bytes) -> bytes:
    """A ZIP file whose only member says that it is encrypted."""
    changed = bytearray(archive)
    changed[6] |= 1
    changed[archive.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


def gzip_of_zeros(size: int) -> bytes:
    """A gzip file of so many zeros, made without holding them."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=9) as packed:
        for _ in range(size // (1 << 20)):
            packed.write(bytes(1 << 20))
    return buffer.getvalue()
