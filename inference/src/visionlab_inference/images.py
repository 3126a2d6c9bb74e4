"""From an untrusted file to the tensor that detectors take."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

DETECTOR_SIDE = 224
MAX_PIXELS = 50_000_000
MIN_SIDE = 16
MAX_SCANS = 100
# MPO is what Pillow calls a JPEG file that holds further pictures, as telephones make them: the first one counts.
_FORMATS = {"JPEG": ("image/jpeg", ".jpg"), "MPO": ("image/jpeg", ".jpg"), "PNG": ("image/png", ".png")}
_EXIF_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_THE_SIDE = (5, 6, 7, 8)
_JPEG_SCALES = (8, 4, 2, 1)
_JPEG_COLOURS = ("YCbCr", "RGB", "Gray")
_JPEG_BEGIN = b"\xff\xd8\xff"
_EXIF_BEGIN = b"Exif\0\0"
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_START_OF_SCAN, _END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"
_WEBP_MAX_SIDE = 16_383

# Sizes are checked before pixels are decoded, with an error of our own.
Image.MAX_IMAGE_PIXELS = None
# Each image is resized by the thread that decodes it; more threads would take the CPUs from the models.
cv2.setNumThreads(1)


class NotAnImage(ValueError):
    """The bytes are not a JPEG or PNG image."""


class BrokenImage(ValueError):
    """The bytes begin as an image, and are damaged or truncated."""


class ImageTooLarge(ValueError):
    """The image has more pixels than are decoded."""


class ImageTooSmall(ValueError):
    """The image has too few pixels to be judged."""


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a file is: width and height in pixels as a person sees it (upright)."""

    content_type: str
    suffix: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Region:
    """The part of the upright image that a detector saw, as fractions of its width and height."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class DetectorInput:
    """An image ready for detectors: `pixels` uint8 [224, 224, 3]."""

    info: ImageInfo
    pixels: NDArray[np.uint8]
    region: Region


def prepare(data: bytes, side: int = DETECTOR_SIDE) -> DetectorInput:
    """Decode an image file, turn it upright, and resample its central square to [side, side, 3].

    JPEGs are decoded at the smallest scale of their DCT that keeps `side` pixels. Animations give their first frame; transparent
    parts become white.

    Raises:
        NotAnImage, BrokenImage, ImageTooLarge, ImageTooSmall: each with a sentence for the person who sent it.
    """
    whole, info = _jpeg_pixels(data, side) or _pixels(data, side)
    height, width, _ = whole.shape
    crop = min(height, width)
    # Heads are above the middle of tall photographs.
    left, top = (width - crop) // 2, round((height - crop) * 0.4)
    pixels = whole[top : top + crop, left : left + crop]
    if crop != side:
        # Down to a half, all that is left after scaled JPEG decoding, linear reads every pixel in a fifth of the time.
        interpolation = cv2.INTER_AREA if crop > 2 * side else cv2.INTER_LINEAR
        pixels = np.asarray(cv2.resize(pixels, (side, side), interpolation=interpolation), np.uint8)
    region = Region(left / width, top / height, crop / width, crop / height)
    return DetectorInput(info, pixels, region)


def inspect(data: bytes) -> ImageInfo:
    """What an image file is, after decoding all of it to be sure that it is whole.

    Raises:
        NotAnImage, BrokenImage, ImageTooLarge, ImageTooSmall: as `prepare`.
    """
    # The smallest scale: every byte is read all the same, and a JPEG takes a fraction of the memory.
    return _decoded(data, 1)[1]


def look(data: bytes, least_side: int) -> tuple[ImageInfo, NDArray[np.uint8]]:
    """`inspect`, and the pixels, uint8 [H, W, 3] RGB; of a JPEG at a scale at which both sides keep `least_side` pixels.

    Raises:
        NotAnImage, BrokenImage, ImageTooLarge, ImageTooSmall: as `prepare`.
    """
    image, info = _decoded(data, least_side)
    return info, np.asarray(image)


def orientation(data: bytes) -> int:
    """Which way is up, by EXIF's numbers: 1 = as it is, 2 to 8 = flipped or turned.

    Raises:
        NotAnImage, BrokenImage, ImageTooLarge, ImageTooSmall: as `prepare`.
    """
    image = _open(data)
    if image.format == "PNG":
        _load(image)
    found = _orientation(image)
    return found if found in _UPRIGHT else 1


def thumbnail(data: bytes, width: int) -> bytes:
    """A WebP picture at most `width` pixels wide (and as tall as the format allows), upright, never enlarged.

    Raises:
        NotAnImage, BrokenImage, ImageTooLarge, ImageTooSmall: as `prepare`.
    """
    image, _ = _decoded(data, width)
    scale = min(width / image.width, _WEBP_MAX_SIDE / image.height)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=82, method=2)
    return buffer.getvalue()


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """A lossless file of uint8 [H, W, 3]."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def _jpeg_pixels(data: bytes, least_side: int) -> tuple[NDArray[np.uint8], ImageInfo] | None:
    """What `_pixels` gives, to the last bit, in half the time; None where the file is no JPEG, or one that is left to Pillow."""
    if not data.startswith(_JPEG_BEGIN):
        return None
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        return None
    if colours not in _JPEG_COLOURS:
        return None
    _check_size(width, height)
    _check_scans(data)
    way_up = 1
    # EXIF comes first in the file, in a segment of at most 64 KiB; thumbnails and colour profiles follow.
    if data.find(_EXIF_BEGIN, 0, 2**16) >= 0:
        image = _open(data)
        if image.format != "JPEG":
            return None
        way_up = _orientation(image)
    scale = next((each for each in _JPEG_SCALES if each <= min(width, height) // least_side), 1)
    try:
        pixels = simplejpeg.decode_jpeg(data, "RGB", min_height=-(-height // scale), min_width=-(-width // scale))
    except ValueError:  # damaged, or with a fault that Pillow forgives: it decides which, and says so
        return None
    if way_up in _UPRIGHT:
        pixels = np.asarray(Image.fromarray(pixels).transpose(_UPRIGHT[way_up]))
        width, height = (height, width) if way_up in _ON_THE_SIDE else (width, height)
    return pixels, ImageInfo(*_FORMATS["JPEG"], width, height)


def _pixels(data: bytes, least_side: int) -> tuple[NDArray[np.uint8], ImageInfo]:
    image, info = _decoded(data, least_side)
    return np.asarray(image), info


def _decoded(data: bytes, least_side: int) -> tuple[Image.Image, ImageInfo]:
    """The whole image, upright, in RGB; a JPEG at the smallest scale of its DCT whose sides both keep `least_side` pixels."""
    image = _open(data)
    width, height = image.size
    content_type, suffix = _FORMATS[str(image.format)]
    image.draft("RGB", (least_side, least_side))
    _load(image)
    way_up = _orientation(image)
    if way_up in _ON_THE_SIDE:
        width, height = height, width
    rgb = _rgb(image)
    upright = rgb.transpose(_UPRIGHT[way_up]) if way_up in _UPRIGHT else rgb
    return upright, ImageInfo(content_type, suffix, width, height)


def _open(data: bytes) -> Image.Image:
    if not data:
        raise NotAnImage("The file is empty.")
    try:
        image = Image.open(io.BytesIO(data), formats=("JPEG", "PNG"))
    except UnidentifiedImageError as error:
        raise NotAnImage("This is not a JPEG or PNG image. Choose a .jpg, .jpeg or .png file.") from error
    except Exception as error:  # Pillow's parsers raise SyntaxError, struct.error, OSError ... on hostile headers
        raise BrokenImage("The image is damaged: its header cannot be read.") from error
    _check_size(*image.size)
    if image.format != "PNG":
        _check_scans(data)
    return image


def _load(image: Image.Image) -> None:
    try:
        image.load()
    except Exception as error:  # as in _open
        raise BrokenImage("The image is damaged or was cut off: it could not be decoded to its end.") from error


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageTooLarge(
            f"The image has {width} x {height} pixels; at most {MAX_PIXELS // 1_000_000} million are accepted. Make it smaller."
        )
    if min(width, height) < MIN_SIDE:
        raise ImageTooSmall(f"The image has {width} x {height} pixels; a face needs at least {MIN_SIDE} on each side.")


def _check_scans(jpeg: bytes) -> None:
    # Each scan of a progressive JPEG walks over all its pixels and may be 80 bytes long: a file of 20 MB could take an hour.
    scans, place = 0, 2
    while scans <= MAX_SCANS and (marker := _JPEG_MARKER.search(jpeg, place)) and marker[0] != _END_OF_IMAGE:
        scans += marker[0] == _START_OF_SCAN
        place = marker.end() + int.from_bytes(jpeg[marker.end() : marker.end() + 2], "big")
    if scans > MAX_SCANS:
        raise BrokenImage(f"The image has more than {MAX_SCANS} scans, as no camera or program makes them. Save it anew.")


def _orientation(image: Image.Image) -> int:
    # Called after the image is loaded: for a PNG, reading EXIF loads it, and would hide that it is damaged.
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:  # damaged EXIF is no reason to refuse the picture
        return 1


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "I;16":
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        opaque = Image.new("RGB", image.size, "white")
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        opaque.paste(image, mask=image)
        return opaque
    return image if image.mode == "RGB" else image.convert("RGB")
