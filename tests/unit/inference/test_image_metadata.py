"""Metadata is taken out of image files, and nothing else is changed."""

from __future__ import annotations

import io
import random
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin
from support.image_files import encoded, jpeg, picture, png

from visionlab_inference.image_metadata import without_metadata
from visionlab_inference.images import BrokenImage, ImageTooLarge, ImageTooSmall, NotAnImage, inspect, orientation, prepare

SECRET = b"Baker Street 221b"
REFUSALS = (BrokenImage, ImageTooLarge, ImageTooSmall, NotAnImage)


def exif(way_up: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = way_up
    exif[0x010E] = SECRET.decode()
    exif.get_ifd(0x8825)[2] = (51.0, 31.0, 26.0)  # GPSLatitude
    return exif


def segment(code: int, payload: bytes) -> bytes:
    return bytes([0xFF, code]) + (len(payload) + 2).to_bytes(2, "big") + payload


def chunk(kind: bytes, payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + kind + payload + zlib.crc32(kind + payload).to_bytes(4, "big")


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def telling_jpeg(**options) -> bytes:
    """All that cameras and programs write into a JPEG."""
    data = encoded(Image.fromarray(picture(120, 80)), "JPEG", exif=exif(), comment=SECRET, quality=90, **options)
    more = [
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x>" + SECRET + b"</x>"),
        segment(0xED, b"Photoshop 3.0\0" + SECRET),
        segment(0xE0, b"JFXX\0" + SECRET),
        segment(0xEB, b"JP" + SECRET),
        segment(0xFE, SECRET),
    ]
    return data[:2] + b"".join(more) + data[2:] + SECRET + data


def telling_png(**options) -> bytes:
    """All that programs write into a PNG."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", SECRET.decode())
    info.add_text("Raw profile type exif", SECRET.decode(), zip=True)
    info.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    data = encoded(Image.fromarray(picture(120, 80)), "PNG", exif=exif(), pnginfo=info, **options)
    end = data.index(b"IEND") - 4
    return data[:end] + chunk(b"tIME", b"\x07\xea\1\1\1\1\1") + chunk(b"prVt", SECRET) + data[end:] + SECRET


@pytest.mark.parametrize(
    "data", [telling_jpeg(), telling_jpeg(progressive=True), telling_png()], ids=["jpeg", "progressive jpeg", "png"]
)
def test_nothing_is_told_and_no_pixel_changes(data):
    clean = without_metadata(data)
    assert SECRET in data
    assert SECRET not in clean
    assert not any(word in clean for word in (b"Exif", b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME", b"MPF"))
    assert len(Image.open(io.BytesIO(clean)).getexif()) == 0
    np.testing.assert_array_equal(pixels(clean), pixels(data))
    assert without_metadata(clean) == clean


@pytest.mark.parametrize(
    "data",
    [
        jpeg(64, 48),
        jpeg(64, 48, progressive=True),
        encoded(Image.fromarray(picture(64, 48)).convert("L"), "JPEG"),
        encoded(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), "JPEG"),
        encoded(Image.fromarray(picture(64, 48)), "JPEG", restart_marker_rows=1),
        png(64, 48),
        encoded(Image.fromarray(picture(64, 64)).convert("P")),
        encoded(Image.fromarray(picture(64, 64)), save_all=True, append_images=[Image.fromarray(picture(64, 64, 1))]),
    ],
    ids=["jpeg", "progressive", "grey", "cmyk", "restart markers", "png", "palette", "animated"],
)
def test_file_that_tells_nothing_stays_as_it_is(data):
    assert without_metadata(data) == data


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("way_up", range(1, 9))
def test_upright_stays_upright(kind, way_up):
    data = encoded(Image.fromarray(picture(120, 80)), kind, exif=exif(way_up))
    clean = without_metadata(data)
    assert SECRET not in clean
    assert orientation(clean) == orientation(data) == way_up
    assert dict(Image.open(io.BytesIO(clean)).getexif()) == ({} if way_up == 1 else {0x0112: way_up})
    assert inspect(clean) == inspect(data)
    np.testing.assert_array_equal(prepare(clean).pixels, prepare(data).pixels)
    assert without_metadata(clean) == clean


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_colour_profile_is_kept(kind):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    clean = without_metadata(encoded(Image.fromarray(picture(64, 48)), kind, exif=exif(), icc_profile=profile))
    assert Image.open(io.BytesIO(clean)).info["icc_profile"] == profile


def test_part_that_would_be_refused_is_taken_out():
    data = encoded(Image.fromarray(picture(64, 48)), "JPEG", exif=exif(6))
    damaged = data[:2] + segment(0xE2, b"MPF\0" + SECRET) + data[2:]
    with pytest.raises(BrokenImage):
        inspect(damaged)
    assert without_metadata(damaged) == without_metadata(data)


def test_thumbnails_go():
    thumbnail = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\1\1" + b"\1\2\3")
    data = jpeg(64, 48)
    clean = without_metadata(data[:2] + thumbnail + data[20:])
    assert clean == data
    several = encoded(Image.fromarray(picture(64, 64)), "MPO", save_all=True, append_images=[Image.new("RGB", (64, 64))])
    assert without_metadata(several).count(b"\xff\xd8\xff") == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff",
        b"\xff\xd8" + segment(0xE1, b"Exif\0\0"),
        b"\xff\xd8\xff\xe1\xff\xff",
        b"\xff\xd8\xff\xe1\0\1",
        b"\xff" * 1000,
        b"\xff\xd8" + b"\xff" * 1000,
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffeXIf",
        b"\x89PNG\r\n\x1a\n" + chunk(b"eXIf", b"MM"),
        b"GIF89a",
        b"text",
    ],
)
def test_what_is_no_whole_image_is_refused_and_harms_nothing(data):
    with pytest.raises(REFUSALS):
        inspect(without_metadata(data))


@pytest.mark.parametrize("make", [telling_jpeg, telling_png])
def test_damaged_metadata_harms_nothing(make):
    data, damage = make(), random.Random(5)
    for _ in range(400):
        broken = bytearray(data)
        for _ in range(damage.randint(1, 6)):
            broken[damage.randrange(min(len(broken), 1500))] = damage.randrange(256)
        try:
            clean = without_metadata(bytes(broken))
            inspect(clean)
        except REFUSALS:
            continue
        assert not any(word in clean for word in (b"tEXt", b"iTXt", b"Photoshop"))
