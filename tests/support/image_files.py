"""Image files of every kind, good and bad, made in code."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def picture(width: int = 224, height: int = 224, seed: int = 0) -> NDArray[np.uint8]:
    """A smooth picture, uint8 [height, width, 3], without symmetry, so that a turn or a mirror image shows."""
    phase = np.random.default_rng(seed).uniform(0, 6, 3)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    waves = [np.sin(3 * x / width + p) + np.cos(5 * y / height + 2 * p) + x / width - y / height for p in phase]
    return np.stack([(wave - wave.min()) / (np.ptp(wave) or 1) * 255 for wave in waves], axis=-1).astype(np.uint8)


def encoded(pixels: NDArray[np.uint8] | Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The file of a picture."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(width: int = 64, height: int = 64, seed: int = 0) -> bytes:
    """A PNG file."""
    return encoded(picture(width, height, seed))


def jpeg(width: int = 64, height: int = 64, seed: int = 0, **options: object) -> bytes:
    """A JPEG file."""
    return encoded(picture(width, height, seed), "JPEG", **options)


def noise_png(side: int, seed: int = 0) -> bytes:
    """A PNG file that no compression makes smaller: about 3 * side * side bytes."""
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return encoded(pixels, compress_level=0)


def black_png(width: int, height: int) -> bytes:
    """A valid RGB PNG in black, made without ever holding its pixels: deflate blocks of zeros, repeated."""
    size = height * (1 + 3 * width)
    block_size = 1 << 20
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(block_size)) + packer.flush(zlib.Z_FULL_FLUSH)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    last = packer.compress(bytes(size % block_size)) + packer.flush()
    # Adler-32 of n zeros: its low half stays 1, its high half counts the bytes.
    checksum = struct.pack(">HH", size % 65521, 1)
    data = b"\x78\xda" + block * (size // block_size) + last + checksum
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
